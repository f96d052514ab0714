"""Trains a small transformer on a text, and commits to a checkpoint after every segment, so that any segment can be trained again by itself.

    train.py SEGMENTS STEPS            writes /out/checkpoints/0000.npz … and /out/losses.csv
    train.py SEGMENTS STEPS SEGMENT    trains one segment from segment-start.npz (``start``: none) and writes /out/segment-end.npz

One block of causal attention and a two-layer perceptron, characters in, characters out, plain gradient descent: the parameters are all the state that
there is, and the batch of a step follows from its number. NumPy alone, in float32.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

WIDTH, CONTEXT, HIDDEN, BATCH, RATE = 48, 32, 96, 16, 0.3
ALPHABET = " abcdefghijklmnopqrstuvwxyz.,;:'-"


def tokens_of(text: str) -> np.ndarray:
    """Numbers of the characters; what the alphabet lacks is a blank."""
    return np.array([max(ALPHABET.find(letter), 0) for letter in text.lower()], dtype=np.int64)


def fresh_parameters() -> dict[str, np.ndarray]:
    """The same on every machine."""
    random = np.random.Generator(np.random.Philox(7))
    letters = len(ALPHABET)
    shapes = {
        "embedding": (letters, WIDTH),
        "position": (CONTEXT, WIDTH),
        "query": (WIDTH, WIDTH),
        "key": (WIDTH, WIDTH),
        "value": (WIDTH, WIDTH),
        "mix": (WIDTH, WIDTH),
        "widen": (WIDTH, HIDDEN),
        "narrow": (HIDDEN, WIDTH),
        "read": (WIDTH, letters),
    }
    return {
        name: (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()
    }


def softmax(scores: np.ndarray) -> np.ndarray:
    """Along the last axis."""
    scaled = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return scaled / scaled.sum(axis=-1, keepdims=True)


def step(parameters: dict[str, np.ndarray], text: np.ndarray, number: int) -> float:
    """One step of gradient descent, in place. The loss before it, in nats a character."""
    random = np.random.Generator(np.random.Philox(key=[11, number]))
    starts = random.integers(0, len(text) - CONTEXT - 1, BATCH)
    window = text[starts[:, None] + np.arange(CONTEXT + 1)]
    given, wanted = window[:, :-1], window[:, 1:]
    p = parameters
    x = p["embedding"][given] + p["position"]
    q, k, v = x @ p["query"], x @ p["key"], x @ p["value"]
    scale = np.float32(1 / np.sqrt(WIDTH))
    scores = q @ k.transpose(0, 2, 1) * scale
    scores[:, np.triu_indices(CONTEXT, 1)[0], np.triu_indices(CONTEXT, 1)[1]] = -1e9
    attention = softmax(scores)
    seen = attention @ v
    y = x + seen @ p["mix"]
    wide = y @ p["widen"]
    active = np.maximum(wide, 0)
    z = y + active @ p["narrow"]
    chances = softmax(z @ p["read"])
    rows, columns = np.indices(wanted.shape)
    loss = float(-np.log(chances[rows, columns, wanted] + 1e-9).mean())

    d_read = chances
    d_read[rows, columns, wanted] -= 1
    d_read /= wanted.size
    gradients = {"read": np.einsum("btd,btv->dv", z, d_read)}
    d_z = d_read @ p["read"].T
    gradients["narrow"] = np.einsum("bth,btd->hd", active, d_z)
    d_wide = (d_z @ p["narrow"].T) * (wide > 0)
    gradients["widen"] = np.einsum("btd,bth->dh", y, d_wide)
    d_y = d_z + d_wide @ p["widen"].T
    gradients["mix"] = np.einsum("btd,bte->de", seen, d_y)
    d_seen = d_y @ p["mix"].T
    d_attention = d_seen @ v.transpose(0, 2, 1)
    d_v = attention.transpose(0, 2, 1) @ d_seen
    d_scores = attention * (d_attention - (d_attention * attention).sum(axis=-1, keepdims=True)) * scale
    d_q, d_k = d_scores @ k, d_scores.transpose(0, 2, 1) @ q
    d_x = d_y + d_q @ p["query"].T + d_k @ p["key"].T + d_v @ p["value"].T
    for name, gradient in (("query", d_q), ("key", d_k), ("value", d_v)):
        gradients[name] = np.einsum("btd,bte->de", x, gradient)
    gradients["position"] = d_x.sum(axis=0)
    gradients["embedding"] = np.zeros_like(p["embedding"])
    np.add.at(gradients["embedding"], given, d_x)
    for name, gradient in gradients.items():
        p[name] -= np.float32(RATE) * gradient.astype(np.float32)
    return loss


def train_segment(parameters: dict[str, np.ndarray], text: np.ndarray, segment: int, steps: int) -> list[float]:
    """The steps of one segment, in place. Their losses."""
    return [step(parameters, text, segment * steps + number) for number in range(steps)]


def main(arguments: list[str]) -> None:
    """As the module says."""
    segments, steps = int(arguments[0]), int(arguments[1])
    text = tokens_of(Path("text").read_text(encoding="utf-8"))
    out = Path(os.environ.get("TRAIN_OUT", "/out"))
    if len(arguments) > 2:
        parameters = fresh_parameters()
        if arguments[2] != "start":
            with np.load("segment-start.npz") as start:
                parameters = {name: start[name] for name in start.files}
            train_segment(parameters, text, int(arguments[2]), steps)
        np.savez(out / "segment-end.npz", **parameters)
        return
    (out / "checkpoints").mkdir(parents=True)
    parameters = fresh_parameters()
    np.savez(out / "checkpoints" / "0000.npz", **parameters)
    losses = ["step,loss"]
    for segment in range(segments):
        found = train_segment(parameters, text, segment, steps)
        losses += [f"{segment * steps + number},{loss:.4f}" for number, loss in enumerate(found)]
        np.savez(out / "checkpoints" / f"{segment + 1:04d}.npz", **parameters)
    (out / "losses.csv").write_text("\n".join(losses) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
