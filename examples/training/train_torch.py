"""Trains a transformer on a GPU, and commits to a checkpoint after every segment, so that any segment can be trained again by itself.

    train_torch.py SEGMENTS STEPS            writes /out/checkpoints/0000.npz … and /out/losses.csv
    train_torch.py SEGMENTS STEPS SEGMENT    trains one segment from segment-start.npz (``start``: none) and writes /out/segment-end.npz

As train.py beside it, with PyTorch, four blocks of eight heads, and 800,000 parameters: plain gradient descent in float32 without TF32, so that the
parameters are all the state that there is, and the batch of a step follows from its number. Without a GPU it runs on the processor.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

WIDTH, HEADS, BLOCKS, CONTEXT, BATCH, RATE = 128, 8, 4, 128, 64, 0.1
ALPHABET = " abcdefghijklmnopqrstuvwxyz.,;:'-"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Parameters = dict[str, Any]
"""Tensors by name."""


def tokens_of(text: str) -> np.ndarray:
    """Numbers of the characters; what the alphabet lacks is a blank."""
    return np.array([max(ALPHABET.find(letter), 0) for letter in text.lower()], dtype=np.int64)


def fresh_parameters() -> dict[str, np.ndarray]:
    """The same on every machine."""
    random = np.random.Generator(np.random.Philox(7))
    shapes = {"embedding": (len(ALPHABET), WIDTH), "position": (CONTEXT, WIDTH), "read": (WIDTH, len(ALPHABET))}
    for block in range(BLOCKS):
        shapes |= {
            f"{block}.ask": (WIDTH, 3 * WIDTH),
            f"{block}.mix": (WIDTH, WIDTH),
            f"{block}.widen": (WIDTH, 4 * WIDTH),
            f"{block}.narrow": (4 * WIDTH, WIDTH),
        }
    return {
        name: (random.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()
    }


def loss_of(p: Parameters, window: Any) -> Any:
    """Nats a character of texts, (batch, CONTEXT + 1)."""
    given, wanted = window[:, :-1], window[:, 1:]
    x = p["embedding"][given] + p["position"]
    barred = torch.ones(CONTEXT, CONTEXT, dtype=torch.bool, device=x.device).triu(1)
    for block in range(BLOCKS):
        asked = functional.layer_norm(x, (WIDTH,)) @ p[f"{block}.ask"]
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in asked.split(WIDTH, dim=-1))
        scores = (q @ k.transpose(-1, -2) * (WIDTH // HEADS) ** -0.5).masked_fill(barred, float("-inf"))
        x = x + (scores.softmax(-1) @ v).transpose(1, 2).flatten(2) @ p[f"{block}.mix"]
        x = x + functional.gelu(functional.layer_norm(x, (WIDTH,)) @ p[f"{block}.widen"]) @ p[f"{block}.narrow"]
    return functional.cross_entropy((functional.layer_norm(x, (WIDTH,)) @ p["read"]).flatten(0, 1), wanted.flatten())


def step(parameters: Parameters, text: np.ndarray, number: int) -> float:
    """One step of gradient descent, in place. The loss before it."""
    random = np.random.Generator(np.random.Philox(key=[11, number]))
    starts = random.integers(0, len(text) - CONTEXT - 1, BATCH)
    window = torch.from_numpy(text[starts[:, None] + np.arange(CONTEXT + 1)]).to(parameters["read"].device)
    leaves = {name: tensor.detach().requires_grad_() for name, tensor in parameters.items()}
    loss = loss_of(leaves, window)
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    for name, gradient in zip(leaves, gradients, strict=True):
        parameters[name] = leaves[name].detach() - RATE * gradient
    return float(loss.detach())


def train_segment(parameters: Parameters, text: np.ndarray, segment: int, steps: int) -> list[float]:
    """The steps of one segment, in place. Their losses."""
    return [step(parameters, text, segment * steps + number) for number in range(steps)]


def on_device(arrays: dict[str, np.ndarray]) -> Parameters:
    """Copies that are trained on."""
    return {name: torch.from_numpy(array.copy()).to(DEVICE) for name, array in arrays.items()}


def on_host(parameters: Parameters) -> dict[str, np.ndarray]:
    """A checkpoint."""
    return {name: tensor.cpu().numpy() for name, tensor in parameters.items()}


def main(arguments: list[str]) -> None:
    """As the module says."""
    segments, steps = int(arguments[0]), int(arguments[1])
    text = tokens_of(Path("text").read_text(encoding="utf-8"))
    out = Path(os.environ.get("TRAIN_OUT", "/out"))
    if len(arguments) > 2:
        start = fresh_parameters()
        if arguments[2] != "start":
            with np.load("segment-start.npz") as found:
                start = {name: found[name] for name in found.files}
        parameters = on_device(start)
        if arguments[2] != "start":
            train_segment(parameters, text, int(arguments[2]), steps)
        np.savez(out / "segment-end.npz", **on_host(parameters))
        return
    (out / "checkpoints").mkdir(parents=True)
    parameters = on_device(fresh_parameters())
    np.savez(out / "checkpoints" / "0000.npz", **on_host(parameters))
    losses = ["step,loss"]
    for segment in range(segments):
        found = train_segment(parameters, text, segment, steps)
        losses += [f"{segment * steps + number},{loss:.4f}" for number, loss in enumerate(found)]
        np.savez(out / "checkpoints" / f"{segment + 1:04d}.npz", **on_host(parameters))
    (out / "losses.csv").write_text("\n".join(losses) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
