"""``hash-equality``: the same bytes, for programs that promise them within a pinned environment class.

    {"method": "hash-equality"}                                                every output
    {"method": "hash-equality", "files": ["c.npy"]}                            only these
    {"method": "hash-equality", "expected": {"c.npy": "<sha256>"}}             a known answer: nothing is run

Seconds are no part of it. A buyer who names this method promises that the program is deterministic; a provider who signs the terms has read it.
Should the promise be wrong, nobody is failed for it: before a difference is a fault, the verifier runs the job once more and has to come to its own
bytes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, ExecutorFailed, InvalidManifest, JobFault
from computility.domain.identifiers import bytes32
from computility.domain.manifest import OutputManifest, parse_manifest
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Executor, run_to_end
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT
from computility.verification.product_jobs import MANIFEST_UNFIT

SAME_BYTES: Final = "same-bytes"
BYTES_DIFFER: Final = "bytes-differ"
NOT_REPRODUCIBLE: Final = "not-reproducible"
HASH_BITS: Final = 128.0
ExecutorOf: TypeAlias = Callable[[str], Executor]
"""The executor of an environment class; raises ``EnvironmentMismatch`` where there is none."""


class HashEqualityVerifier:
    """Runs the job again, where no answer is expected by name, and compares hashes of outputs."""

    def __init__(self, executor_of: ExecutorOf, content: ContentStore) -> None:
        self._executor_of = executor_of
        self._content = content

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`."""
        files, expected = policy.get("files"), policy.get("expected")
        if not (files is None or _are_paths(files)) or not (expected is None or _are_hashes(expected)):
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        try:
            document = self._content.get(content_id_of_digest(submission.result))
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        try:
            claimed = _hashes(parse_manifest(document))
        except InvalidManifest:
            return CheckResult(Verdict.FAIL, MANIFEST_UNFIT)
        if expected is not None:
            same = all(claimed.get(path) == digest for path, digest in expected.items())
            return CheckResult(Verdict.PASS, SAME_BYTES, HASH_BITS) if same else CheckResult(Verdict.FAIL, BYTES_DIFFER)
        try:
            executor = self._executor_of(specification.environment)
            wanted = self._run(executor, specification, submission, 0)
            if _chosen(wanted, files) == _chosen(claimed, files):
                return CheckResult(Verdict.PASS, SAME_BYTES, HASH_BITS)
            if _chosen(self._run(executor, specification, submission, 1), files) != _chosen(wanted, files):
                return CheckResult(Verdict.NO_FAULT, NOT_REPRODUCIBLE)
        except (ContentError, ExecutorFailed, JobFault) as error:
            # Where the job comes to no end here, this machine may be the reason.
            return CheckResult(Verdict.NO_FAULT, error.code)
        return CheckResult(Verdict.FAIL, BYTES_DIFFER)

    def _run(
        self, executor: Executor, specification: Specification, submission: Submission, again: int
    ) -> dict[str, str]:
        # Attempts of this verifier's own: an executor remembers attempts, and would hand out the first run twice.
        name = hashlib.sha256(b"computility/hash-equality/1" + bytes.fromhex(submission.job[2:]) + bytes([again]))
        attempt = AttemptId(bytes32(name.digest()), submission.attempt)
        return _hashes(run_to_end(executor, attempt, specification, self._content).manifest)


def _hashes(manifest: OutputManifest) -> dict[str, str]:
    return {file.path: file.sha256 for file in manifest.files}


def _chosen(hashes: Mapping[str, str], files: list[str] | None) -> dict[str, str | None]:
    return dict(hashes) if files is None else {path: hashes.get(path) for path in files}


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(path, str) for path in value)


def _are_hashes(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(digest, str) for digest in value.values())
