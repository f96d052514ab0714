"""Whatever breaks on a verifier's side is nobody's fault: memory, a busy machine, a lost connection, a disk that fails or is slow.

Faults are injected into every method's content store and executor; a FAIL among the answers would slash a provider that did nothing wrong.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from computility.domain.attestation import Verdict
from computility.domain.content_id import ContentId, content_id_of
from computility.domain.errors import (
    ContentMismatch,
    ContentNotFound,
    EnvironmentMismatch,
    ExecutorBusy,
    ExecutorCrashed,
    HostMemoryExhausted,
    JobFailed,
    NodeUnavailable,
    WallClockExceeded,
)
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.job_specification import InputFile
from computility.domain.manifest import OutputFile, make_manifest
from computility.domain.statements import SignedStatement, StatementKind, Submission
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.execution.executor import AttemptId, Execution
from computility.execution.executor_set import ExecutorSet
from computility.services.job_check import JobCheck
from computility.verification.challenge_seed import OpenedChallenge

ENVIRONMENT = "process-linux-x86-64/debian-12/0123456789abcdef"
JOB = Bytes32("0x" + "11" * 32)
LIMITS = CommandLimits(10, 10, 2**20, 2**20, 8, 2**20, 8)
CHALLENGE = OpenedChallenge(Address("0x" + "22" * 20), ZERO_BYTES32, 1, ZERO_BYTES32, Bytes32("0x" + "33" * 32))
POLICIES: dict[str, dict[str, Any]] = {
    "reexecution": {},
    "re-execution with audits": {"method": "reexec-quorum", "audit_bps": 2_200},
    "hash-equality": {"method": "hash-equality"},
    "freivalds": {"method": "freivalds", "left": "a.npy", "right": "b.npy", "product": "c.npy"},
    "segment-replay": {
        "method": "segment-replay", "checkpoints": "", "segments": 1, "sampled": 1, "threshold_ppm": 50_000, "replay": ["t", "{segment}"],
    },
}  # fmt: skip
FAULTS: dict[str, Callable[[], BaseException]] = {
    "out of memory": MemoryError,
    "the host out of memory": lambda: HostMemoryExhausted("full"),
    "busy": lambda: ExecutorBusy("busy"),
    "too slow": lambda: WallClockExceeded("slow"),
    "crashed": lambda: ExecutorCrashed("gone"),
    "another class": lambda: EnvironmentMismatch("other"),
    "the job ends otherwise here": lambda: JobFailed("exit 1"),
    "content missing": lambda: ContentNotFound("missing"),
    "content damaged": lambda: ContentMismatch("damaged"),
    "a failing disk": lambda: OSError(5, "input/output error"),
    "a slow disk": lambda: TimeoutError("timed out"),
    "disconnected": lambda: NodeUnavailable("no answer"),
}


class Faulty:
    """A content store and an executor that break at the n-th call, and stay broken."""

    environment = ENVIRONMENT

    def __init__(self, content: dict[ContentId, bytes], outputs: dict[str, bytes]) -> None:
        self._content, self._outputs = content, outputs
        self.calls = 0
        self.breaks_at = 10**9
        self.fault: Callable[[], BaseException] = MemoryError

    def _step(self) -> None:
        self.calls += 1
        if self.calls > self.breaks_at:
            raise self.fault()

    def get(self, cid: ContentId) -> bytes:
        self._step()
        if cid not in self._content:
            raise ContentNotFound("missing")
        return self._content[cid]

    def put(self, data: bytes) -> ContentId:
        return content_id_of(data)

    def has(self, cid: ContentId) -> bool:
        self._step()
        return cid in self._content

    def prepare(self, specification: Any, _: Any) -> Any:
        self._step()
        return specification

    def start(self, *_: Any) -> None:
        self._step()

    def collect(self, _: AttemptId) -> Execution:
        self._step()
        files = {**self._outputs, "segment-end.npz": self._outputs["0001.npz"]}
        return Execution(_manifest(self._outputs), files, 1)


def _manifest(outputs: dict[str, bytes]) -> Any:
    import hashlib

    files = [OutputFile(path, len(data), hashlib.sha256(data).hexdigest()) for path, data in outputs.items()]
    return make_manifest(ZERO_BYTES32, ENVIRONMENT, None, files)


def _saved(save: Callable[[Any], None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def case(policy: dict[str, Any]) -> tuple[Faulty, Callable[[], Any]]:
    """A world in which the provider is honest, and a check of its submission."""
    matrix = np.eye(8, dtype=np.int8)
    given = _saved(lambda file: np.save(file, matrix))
    outputs = {
        "c.npy": _saved(lambda file: np.save(file, matrix.astype(np.int32))),
        "0000.npz": _saved(lambda file: np.savez(file, w=np.ones(4))),
        "0001.npz": _saved(lambda file: np.savez(file, w=np.ones(4))),
    }
    inputs = tuple(InputFile(name, content_id_of(given), len(given)) for name in ("a.npy", "b.npy"))
    specification = TaskSpecification(
        "process", ENVIRONMENT, (), ("t",), inputs, LIMITS, 0, ZERO_BYTES32, verification=policy
    )
    manifest = _manifest(outputs)
    everything = (given, *outputs.values(), manifest.to_bytes(), specification.to_bytes())
    world = Faulty({content_id_of(data): data for data in everything}, outputs)
    submission = Submission(JOB, 1, manifest.digest, 1, ZERO_BYTES32, 0)
    signed = SignedStatement(StatementKind.SUBMISSION, JOB, CHALLENGE.signer, submission, "0x" + "44" * 65)
    check = JobCheck(ExecutorSet([world]), world)  # type: ignore[list-item] # as much of an executor as is asked for

    class Terms:
        spec = specification.digest

    return world, lambda: check.check(Terms, signed, submission, CHALLENGE)  # type: ignore[arg-type] # the specification alone is read


@pytest.mark.parametrize("method", POLICIES)
def test_an_honest_submission__passes_where_nothing_breaks(method: str) -> None:
    _, check = case(POLICIES[method])
    assert check().verdict is Verdict.PASS


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", POLICIES)
def test_a_fault_of_the_verifiers_side__fails_nobody__wherever_it_strikes(method: str, fault: str) -> None:
    world, check = case(POLICIES[method])
    check()
    for place in range(world.calls):
        world.calls, world.breaks_at, world.fault = 0, place, FAULTS[fault]
        verdict = Verdict.NO_FAULT
        # A node that cannot be asked at all ends the round without a word, and is asked again.
        with contextlib.suppress(NodeUnavailable):
            verdict = check().verdict
        assert verdict is Verdict.NO_FAULT
