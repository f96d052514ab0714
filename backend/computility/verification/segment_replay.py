"""``segment-replay`` for training: checkpoints are committed, and some segments between them are trained again from their start.

    {"method": "segment-replay", "checkpoints": "checkpoints/", "segments": 50, "sampled": 2, "threshold_ppm": 50000, "withhold": true,
     "replay": ["/opt/python/bin/python3", "train.py", "--segment", "{segment}"]}

The program writes ``segments`` + 1 checkpoints, ``0000.npz`` (the start, before any training), ``0001.npz`` …, below that folder. To replay
segment i the verifier runs the same artifacts and inputs with the arguments of ``replay`` and one more input, ``segment-start.npz``, the committed
checkpoint i; the run has to write ``segment-end.npz``. Segment ``start`` has no input and has to write checkpoint 0: else a provider could start from
what it had.

Two honest machines do not come to the same bits. With u the committed update of a segment and r the replayed one, both as one long vector, the
distance is

    ‖u − r‖ / max(‖u‖, ‖r‖)

(for the start, of the checkpoints themselves): rounding grown over a segment's steps, some 10⁻⁶ where the program is written for it, against about 1
for whatever was not trained. The policy's threshold lies between, calibrated by replaying on other machines (`segment_separation` in the benchmark).

A provider that skips a share s of the segments is missed with probability (1 − s)^sampled. ``soundness_bits`` is of one tenth being skipped.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, ExecutorFailed, InvalidJobSpecification, InvalidManifest, JobFault
from computility.domain.identifiers import bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, OutputManifest, parse_manifest
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.domain.task_specification import TaskSpecification
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, run_to_end
from computility.verification.array_files import read_archive
from computility.verification.challenge_stream import random_sample
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT
from computility.verification.freivalds import OUT_OF_MEMORY
from computility.verification.hash_equality import ExecutorOf
from computility.verification.product_jobs import MANIFEST_UNFIT

SEGMENTS_HOLD: Final = "segments-hold"
SEGMENT_DIFFERS: Final = "segment-differs"
CHECKPOINT_MISSING: Final = "checkpoint-missing"
NOT_A_CHECKPOINT: Final = "not-a-checkpoint"
REPLAY_UNFIT: Final = "replay-unfit"
START: Final = "start"
SEGMENT_START: Final = "segment-start.npz"
SEGMENT_END: Final = "segment-end.npz"
PLACE: Final = "{segment}"
MAX_SEGMENTS: Final = 9_999
MAX_CHECKPOINT_BYTES: Final = 2 * 1024**3
PPM: Final = 1_000_000
_SKIPPED: Final = 0.1


@dataclass(frozen=True)
class SegmentPolicy:
    """The method's part of a policy, read."""

    folder: str
    segments: int
    sampled: int
    threshold: float
    withhold: bool
    arguments: tuple[str, ...]

    @classmethod
    def read(cls, policy: Mapping[str, Any]) -> SegmentPolicy | None:
        """None where it does not fit."""
        folder, arguments = policy.get("checkpoints"), policy.get("replay")
        segments, sampled, ppm = policy.get("segments"), policy.get("sampled"), policy.get("threshold_ppm")
        if not isinstance(folder, str) or not isinstance(arguments, list) or not arguments:
            return None
        if not all(isinstance(argument, str) for argument in arguments):
            return None
        if type(segments) is not int or type(sampled) is not int or type(ppm) is not int:
            return None
        if not (1 <= segments <= MAX_SEGMENTS and 1 <= sampled <= segments and 0 < ppm < PPM):
            return None
        return cls(folder, segments, sampled, ppm / PPM, policy.get("withhold") is True, tuple(arguments))

    def path(self, checkpoint: int) -> str:
        """Where a checkpoint stands among the outputs."""
        return f"{self.folder}{checkpoint:04d}.npz"

    def drawn(self, seed: bytes) -> list[int]:
        """The segments to replay, besides the start."""
        return random_sample(seed, "segment-replay", self.segments, self.sampled)

    def needed(self, seed: bytes) -> set[str]:
        """Paths of the checkpoints that a verifier reads."""
        places = {0} | {place for segment in self.drawn(seed) for place in (segment, segment + 1)}
        return {self.path(place) for place in places}

    def withheld(self) -> set[str]:
        """Paths that the provider keeps until a challenge asks for them: every checkpoint but the last."""
        return {self.path(place) for place in range(self.segments)} if self.withhold else set()


class SegmentVerifier:
    """Replays segments on executors of the job's class."""

    def __init__(self, executor_of: ExecutorOf, content: ContentStore) -> None:
        self._executor_of = executor_of
        self._content = content

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`. ``measures["distance"]`` is the greatest that was found."""
        read = SegmentPolicy.read(policy)
        if read is None or not isinstance(specification, TaskSpecification) or specification.sealing is not None:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        try:
            manifest = parse_manifest(self._content.get(content_id_of_digest(submission.result)))
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except InvalidManifest:
            return CheckResult(Verdict.FAIL, MANIFEST_UNFIT)
        files = {file.path: file for file in manifest.files}
        if any(read.path(place) not in files for place in range(read.segments + 1)):
            return CheckResult(Verdict.FAIL, CHECKPOINT_MISSING)
        worst = 0.0
        for segment in (None, *read.drawn(seed)):
            found = self._segment(specification, submission, read, files, segment)
            if isinstance(found, CheckResult):
                return found
            if not found <= read.threshold:
                return CheckResult(Verdict.FAIL, SEGMENT_DIFFERS, measures={"distance": found})
            worst = max(worst, found)
        bits = -read.sampled * math.log2(1 - _SKIPPED)
        return CheckResult(Verdict.PASS, SEGMENTS_HOLD, bits, {"distance": worst})

    def _segment(
        self,
        specification: TaskSpecification,
        submission: Submission,
        policy: SegmentPolicy,
        files: Mapping[str, OutputFile],
        segment: int | None,
    ) -> float | CheckResult:
        """The distance of one segment, or why there is none. ``segment`` is None for the start."""
        before = None if segment is None else files[policy.path(segment)]
        after = files[policy.path(0 if segment is None else segment + 1)]
        try:
            committed = [
                _read(self._content.get(file.cid), specification) for file in (before, after) if file is not None
            ]
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except MemoryError:
            return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
        except ValueError:
            return CheckResult(Verdict.FAIL, NOT_A_CHECKPOINT)
        if any(_shapes(found) != _shapes(committed[-1]) for found in committed):
            return CheckResult(Verdict.FAIL, NOT_A_CHECKPOINT)
        try:
            task = replay_task(specification, policy, before, START if segment is None else str(segment))
            name = hashlib.sha256(bytes.fromhex(task.digest[2:]) + bytes.fromhex(submission.job[2:])).digest()
            ran = run_to_end(
                self._executor_of(task.environment), AttemptId(bytes32(name), submission.attempt), task, self._content
            )
            replayed = _read(ran.outputs[SEGMENT_END], specification)
        except (ContentError, ExecutorFailed, InvalidJobSpecification, JobFault) as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except MemoryError:
            return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
        except (KeyError, ValueError):
            return CheckResult(Verdict.NO_FAULT, REPLAY_UNFIT)
        if _shapes(replayed) != _shapes(committed[-1]):
            return CheckResult(Verdict.FAIL, NOT_A_CHECKPOINT)
        start = committed[0] if before is not None else {name: np.zeros(1) for name in replayed}
        return update_distance(start, committed[-1], replayed)


def replay_task(
    specification: TaskSpecification, policy: SegmentPolicy, start: OutputFile | None, segment: str
) -> TaskSpecification:
    """The job that replays one segment: the same program, limits and inputs, and the checkpoint to start from.

    Raises:
        InvalidJobSpecification: the job has an input of that name, or too many.
    """
    given = () if start is None else (InputFile(SEGMENT_START, start.cid, start.size),)
    return replace(
        specification,
        arguments=tuple(argument.replace(PLACE, segment) for argument in policy.arguments),
        inputs=(*specification.inputs, *given),
        verification={},
    )


def update_distance(start: Mapping[str, Any], committed: Mapping[str, Any], replayed: Mapping[str, Any]) -> float:
    """‖u − r‖ / max(‖u‖, ‖r‖) for the updates u and r from ``start``; 0 where neither changes anything, infinity where a number is none."""
    apart = of_committed = of_replayed = 0.0
    for name, first in start.items():
        ours, theirs = replayed[name].astype(np.float64), committed[name].astype(np.float64)
        apart += float(np.square(theirs - ours).sum())
        of_committed += float(np.square(theirs - first).sum())
        of_replayed += float(np.square(ours - first).sum())
    longest = max(of_committed, of_replayed)
    if not math.isfinite(apart) or not math.isfinite(longest):
        return math.inf
    return math.sqrt(apart / longest) if longest > 0 else 0.0


def withheld_paths(policies: Sequence[Mapping[str, Any]], manifest: OutputManifest) -> set[str]:
    """Outputs that stay with the provider until a challenge asks for them."""
    read = [SegmentPolicy.read(policy) for policy in policies if policy.get("method") == "segment-replay"]
    kept = {path for policy in read if policy is not None for path in policy.withheld()}
    return kept & {file.path for file in manifest.files}


def _read(data: bytes, specification: TaskSpecification) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a checkpoint. The program had them in its memory, so that there are no more of them than it may have.

    Raises:
        ValueError: it is none: no NumPy archive, objects in it, entries that are no floats, or larger than a checkpoint may be.
        MemoryError: it is too large for this machine.
    """
    arrays = read_archive(data, min(MAX_CHECKPOINT_BYTES, specification.limits.memory_bytes))
    if not arrays or any(array.dtype.kind != "f" for array in arrays.values()):
        raise ValueError("a checkpoint holds arrays of floats")
    return arrays


def _shapes(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in sorted(arrays.items())}
