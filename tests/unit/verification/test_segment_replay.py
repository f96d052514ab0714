"""Segments of a training, replayed.

a training of four segments
├── honest: passes, and only the start and what was drawn is read
├── a segment that was drawn
│   ├── not trained, or trained elsewhere: fails, by its distance
│   ├── rounded otherwise: passes
│   └── of numbers that are none: fails
├── a start that was trained before: fails, whatever is drawn
├── a checkpoint that is missing, of another shape, of objects, or no archive: fails
├── what cannot be told: a checkpoint withheld, a replay that breaks, writes nothing or rubbish: no fault
└── a policy that does not fit, and a sealed job: no fault
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.unit.verification.hostile_files import HOSTILE_ARCHIVES
from tests.unit.verification.scripted_executor import Result, ScriptedExecutor, on

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of
from computility.domain.errors import ExecutorCrashed
from computility.execution.executor import Prepared
from computility.verification.check_result import CheckResult
from computility.verification.segment_replay import SegmentPolicy, SegmentVerifier, update_distance

SEGMENTS = 4
SEED = b"\x07" * 32
POLICY: dict[str, Any] = {
    "method": "segment-replay", "checkpoints": "checkpoints/", "segments": SEGMENTS, "sampled": 2,
    "threshold_ppm": 50_000, "replay": ["train", "{segment}"],
}  # fmt: skip
Weights = npt.NDArray[np.float32]


def saved(weights: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=weights)
    return buffer.getvalue()


def trained(weights: Weights, segment: int) -> Weights:
    """One segment: a step that depends on its number."""
    return (weights * np.float32(0.9) + np.float32(segment + 1)).astype(np.float32)


def fresh() -> Weights:
    return np.arange(6, dtype=np.float32)


def replay(prepared: Prepared) -> Mapping[str, bytes]:
    """What the program does for one segment."""
    which = prepared.specification.arguments[1]
    if which == "start":
        return {"segment-end.npz": saved(fresh())}
    with np.load(io.BytesIO(prepared.files["segment-start.npz"])) as start:
        return {"segment-end.npz": saved(trained(start["weights"], int(which)))}


def honest() -> dict[str, bytes]:
    weights = [fresh()]
    for segment in range(SEGMENTS):
        weights.append(trained(weights[-1], segment))
    return {f"checkpoints/{place:04d}.npz": saved(one) for place, one in enumerate(weights)}


def drawn() -> list[int]:
    read = SegmentPolicy.read(POLICY)
    assert read is not None
    return read.drawn(SEED)


def path(place: int) -> str:
    return f"checkpoints/{place:04d}.npz"


@pytest.fixture
def result(tmp_path: Path) -> Result:
    return Result(tmp_path)


def check(
    result: Result, outputs: Mapping[str, bytes], script: Any = replay, policy: dict[str, Any] | None = None
) -> CheckResult:
    verifier = SegmentVerifier(on(ScriptedExecutor(script)), result.content)
    return verifier.verify(result.specification, result.submit(outputs), policy or POLICY, SEED)


def test_an_honest_training__passes__and_says_how_sure_that_is(result: Result) -> None:
    executor = ScriptedExecutor(replay)
    submission = result.submit(honest())
    found = SegmentVerifier(on(executor), result.content).verify(result.specification, submission, POLICY, SEED)
    assert (found.verdict, found.reason, found.measures["distance"]) == (Verdict.PASS, "segments-hold", 0.0)
    assert found.soundness_bits == pytest.approx(-2 * np.log2(0.9))
    assert executor.ran == 3, "the start and the two that were drawn"


def test_a_drawn_segment_that_was_not_trained__fails_by_its_distance(result: Result) -> None:
    outputs = honest()
    segment = drawn()[0]
    outputs[path(segment + 1)] = outputs[path(segment)]
    found = check(result, outputs)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "segment-differs")
    assert found.measures["distance"] == pytest.approx(1.0)


def test_what_was_not_drawn__is_not_looked_at(result: Result) -> None:
    outputs = honest()
    read = {0} | {place for segment in drawn() for place in (segment, segment + 1)}
    unread = set(range(SEGMENTS + 1)) - read
    assert unread, "a seed that leaves something out"
    for place in unread:
        outputs[path(place)] = saved(np.zeros(6, dtype=np.float32))
    assert check(result, outputs).verdict is Verdict.PASS


def test_rounding__passes__and_what_is_no_number_fails(result: Result) -> None:
    outputs = honest()
    end = path(drawn()[-1] + 1)
    with np.load(io.BytesIO(outputs[end])) as checkpoint:
        weights = checkpoint["weights"]
    outputs[end] = saved((weights * np.float32(1 + 1e-6)).astype(np.float32))
    assert check(result, outputs).verdict is Verdict.PASS
    outputs[end] = saved(np.full(6, np.nan, dtype=np.float32))
    assert check(result, outputs).reason == "segment-differs"


def test_a_start_that_was_trained_before__fails(result: Result) -> None:
    outputs = honest()
    weights = trained(fresh(), 9)
    outputs[path(0)] = saved(weights)
    for segment in range(SEGMENTS):
        weights = trained(weights, segment)
        outputs[path(segment + 1)] = saved(weights)
    assert check(result, outputs).reason == "segment-differs"


@pytest.mark.parametrize(
    "checkpoint",
    [
        *HOSTILE_ARCHIVES.values(),
        saved(np.zeros(7, dtype=np.float32)),
        saved(np.array([None])),
        saved(np.zeros(6, dtype=np.int64)),
        b"no archive",
    ],
)
def test_a_checkpoint_of_another_form__fails(result: Result, checkpoint: bytes) -> None:
    outputs = {**honest(), path(drawn()[0] + 1): checkpoint}
    found = check(result, outputs)
    assert (found.verdict, found.reason) == (Verdict.FAIL, "not-a-checkpoint")


def test_a_checkpoint_too_few__fails(result: Result) -> None:
    outputs = honest()
    del outputs[path(SEGMENTS)]
    assert check(result, outputs).reason == "checkpoint-missing"


def test_a_checkpoint_that_was_not_uploaded__is_no_fault(result: Result) -> None:
    submission = result.submit(honest())
    result.content.remove(content_id_of(honest()[path(drawn()[0])]))
    verifier = SegmentVerifier(on(ScriptedExecutor(replay)), result.content)
    found = verifier.verify(result.specification, submission, POLICY, SEED)
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "content-not-found")


def test_a_replay_that_breaks__writes_nothing__or_rubbish__is_no_fault(result: Result) -> None:
    def crash(_: Prepared) -> Mapping[str, bytes]:
        raise ExecutorCrashed("gone")

    assert check(result, honest(), crash).reason == "executor-crashed"
    assert check(result, honest(), lambda _: {}).reason == "replay-unfit"
    assert check(result, honest(), lambda _: {"segment-end.npz": b"rubbish"}).reason == "replay-unfit"


@pytest.mark.parametrize(
    "change",
    [
        {"segments": 0},
        {"sampled": SEGMENTS + 1},
        {"threshold_ppm": 1_000_000},
        {"segments": True},
        {"replay": []},
        {"replay": [1]},
        {"checkpoints": None},
    ],
)
def test_a_policy_that_does_not_fit__is_no_fault(result: Result, change: dict[str, Any]) -> None:
    found = check(result, honest(), policy={**POLICY, **change})
    assert (found.verdict, found.reason) == (Verdict.NO_FAULT, "policy-unfit")


def test_update_distance__is_zero_for_the_same__one_for_nothing_done__and_blind_to_scale() -> None:
    start, end = {"w": np.zeros(3)}, {"w": np.array([1.0, 2.0, 2.0])}
    assert update_distance(start, end, end) == 0.0
    assert update_distance(start, start, end) == pytest.approx(1.0)
    scaled = {"w": 1e6 * end["w"]}
    assert update_distance(start, scaled, {"w": 1.01 * scaled["w"]}) == pytest.approx(
        update_distance(start, end, {"w": 1.01 * end["w"]})
    )
    assert update_distance(start, {"w": np.array([np.inf, 0, 0])}, end) == float("inf")
