"""What segment replay tells apart, and what it costs, on the training that ships in ``examples/training``.

Prints one JSON object. Honest replays run on other arithmetic than the training: in doubles, and with matrices laid out otherwise, as other machines
would. Cheats are checkpoints that were interpolated, trained for half of the steps, or left as they were. Costs are processor
seconds of one thread in this run; a sandbox's start and the start checkpoint's come besides.
"""

# ruff: noqa: E402 - numpy reads how many threads it may use when it is loaded
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import importlib.util
import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from computility.verification.segment_replay import update_distance

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SEGMENTS: Final = 50
STEPS: Final = 8
SAMPLED: Final = 2
REPLAYED: Final = (0, 7, 19, 33, 49)


def main() -> None:
    """Train once, replay some segments honestly and compare cheats with them."""
    location = CHECKOUT / "examples" / "training" / "train.py"
    spec = importlib.util.spec_from_file_location("train", location)
    assert spec is not None
    assert spec.loader is not None
    train: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    text = train.tokens_of((CHECKOUT / "LICENSE").read_text(encoding="utf-8"))

    started = time.process_time()
    parameters = train.fresh_parameters()
    checkpoints = [copied(parameters)]
    for segment in range(SEGMENTS):
        train.train_segment(parameters, text, segment, STEPS)
        checkpoints.append(copied(parameters))
    training_s = time.process_time() - started

    honest, cheap = [], []
    for segment in REPLAYED:
        start, committed = checkpoints[segment], checkpoints[segment + 1]
        in_doubles = {name: array.astype(np.float64) for name, array in start.items()}
        train.train_segment(in_doubles, text, segment, STEPS)
        honest.append(update_distance(start, committed, in_doubles))
        turned = {name: np.asfortranarray(array) for name, array in start.items()}
        train.train_segment(turned, text, segment, STEPS)
        honest.append(update_distance(start, committed, turned))
        half = copied(start)
        for number in range(STEPS // 2):
            train.step(half, text, segment * STEPS + number)
        last = checkpoints[-1]
        between = {name: start[name] + (last[name] - start[name]) / np.float32(SEGMENTS) for name in start}
        cheap += [update_distance(start, cheat, committed) for cheat in (half, between, start)]

    started = time.process_time()
    train.fresh_parameters()
    for segment in REPLAYED[:SAMPLED]:
        again = copied(checkpoints[segment])
        train.train_segment(again, text, segment, STEPS)
        update_distance(checkpoints[segment], checkpoints[segment + 1], again)
    replay_s = time.process_time() - started
    print(
        json.dumps(
            {
                "bench": "segments",
                "segments": SEGMENTS,
                "sampled": SAMPLED,
                "steps_of_a_segment": STEPS,
                "honest_distance": max(honest),
                "cheating_distance": min(cheap),
                "segment_separation": round(min(cheap) / max(honest), 1),
                "segment_cost": round(replay_s / training_s, 4),
                "training_s": round(training_s, 3),
            },
            indent=2,
        )
    )


def copied(parameters: dict[str, Any]) -> dict[str, Any]:
    """The arrays, apart from what is trained on."""
    return {name: array.copy() for name, array in parameters.items()}


if __name__ == "__main__":
    main()
