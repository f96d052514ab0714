"""``hash-equality``: the same bytes, for programs that promise them within a pinned environment class.

    {"method": "hash-equality"}                                                every output
    {"method": "hash-equality", "files": ["c.npy"]}                            only these
    {"method": "hash-equality", "expected": {"c.npy": "<sha256>"}}             a known answer: nothing is run where it was given
    {"method": "hash-equality", …, "units_within_bps": 500}                    seconds may be 5 % above the verifier's, and one, instead of four times

Fuel is equal too, where a kind meters it: who runs a program again has to come to the units that the provider claims. Seconds are not; a claim of
more than ``PLAUSIBLE`` times what this verifier needed, or than the policy allows, is no pass, as nobody else could check it (`units_fault`). A buyer
who names this method promises that the program is deterministic; a provider signs where it believes that too (`bond_traps`). Should it differ from
run to run, nobody is failed for it: before a difference is a fault, the verifier runs the job once more and has to come to its own bytes again.

A known answer stands in the specification for everybody to read: it says that the buyer gets these bytes, and nothing of who computed them, nor how
much was used: units are not compared. Another answer fails only where a run does not come to it either: a buyer may write down anything.
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
from computility.domain.units import FULL_BPS
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Executor, run_to_end
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT
from computility.verification.product_jobs import MANIFEST_UNFIT

SAME_BYTES: Final = "same-bytes"
BYTES_DIFFER: Final = "bytes-differ"
NOT_REPRODUCIBLE: Final = "not-reproducible"
EXPECTED_OTHERWISE: Final = "expected-otherwise"
"""The program comes to what the provider submitted, and not to what its buyer expects."""
UNITS_DIFFER: Final = "units-differ"
UNITS_IMPLAUSIBLE: Final = "units-implausible"
EQUAL_BIT_FOR_BIT: Final = frozenset({"wasm"})
"""Kinds of jobs whose outputs, meter and faults are the same on every machine of their environment class."""
PLAUSIBLE: Final = 4
UNITS_WITHIN: Final = "units_within_bps"
_MOST_WITHIN_BPS: Final = (PLAUSIBLE - 1) * FULL_BPS
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
        if not fits_hash_policy(policy):
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        files, expected = policy.get("files"), policy.get("expected")
        try:
            document = self._content.get(content_id_of_digest(submission.result))
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        try:
            claimed = _hashes(parse_manifest(document))
        except InvalidManifest:
            return CheckResult(Verdict.FAIL, MANIFEST_UNFIT)
        if expected is not None:
            if all(claimed.get(path) == digest for path, digest in expected.items()):
                return CheckResult(Verdict.PASS, SAME_BYTES, HASH_BITS)
            # The buyer wrote down what it expects. Before a provider fails for it, the program has to come to it.
            files = list(expected)
        try:
            executor = self._executor_of(specification.environment)
            wanted, units = self._run(executor, specification, submission, 0)
            if _chosen(wanted, files) == _chosen(claimed, files):
                if expected is not None:
                    return CheckResult(Verdict.NO_FAULT, EXPECTED_OTHERWISE)
                fault = units_fault(specification, submission, units, policy)
                return fault or CheckResult(Verdict.PASS, SAME_BYTES, HASH_BITS)
            if _chosen(self._run(executor, specification, submission, 1)[0], files) != _chosen(wanted, files):
                return CheckResult(Verdict.NO_FAULT, NOT_REPRODUCIBLE)
        except (ContentError, ExecutorFailed, JobFault) as error:
            # Where the job comes to no end here, this machine may be the reason.
            return CheckResult(Verdict.NO_FAULT, error.code)
        return CheckResult(Verdict.FAIL, BYTES_DIFFER)

    def _run(
        self, executor: Executor, specification: Specification, submission: Submission, again: int
    ) -> tuple[dict[str, str], int]:
        """Hashes of the outputs, and the metered units."""
        # Attempts of this verifier's own: an executor remembers attempts, and would hand out the first run twice.
        name = hashlib.sha256(b"computility/hash-equality/1" + bytes.fromhex(submission.job[2:]) + bytes([again]))
        attempt = AttemptId(bytes32(name.digest()), submission.attempt)
        ran = run_to_end(executor, attempt, specification, self._content)
        return _hashes(ran.manifest), ran.units


def fits_hash_policy(policy: Mapping[str, Any]) -> bool:
    """Whether the method's part of a policy can be read."""
    files, expected = policy.get("files"), policy.get("expected")
    return (files is None or _are_paths(files)) and (expected is None or _are_hashes(expected)) and fits_units(policy)


def fits_units(policy: Mapping[str, Any]) -> bool:
    """Whether what a policy says of measured units can be read: nothing, or by how much a claim may be above the verifier's, in basis points."""
    within = policy.get(UNITS_WITHIN, _MOST_WITHIN_BPS)
    return type(within) is int and 0 <= within <= _MOST_WITHIN_BPS


def units_fault(
    specification: Specification, submission: Submission, units: int, policy: Mapping[str, Any]
) -> CheckResult | None:
    """What is wrong with the units that are claimed for a result that is right, where who runs the job again needed ``units``; None for nothing. The
    policy `fits_units`; the unit beside its share is what seconds are rounded up by."""
    if specification.kind in EQUAL_BIT_FOR_BIT:
        return CheckResult(Verdict.FAIL, UNITS_DIFFER) if submission.units != units else None
    # Seconds: no two machines need the same, nor one twice.
    within = FULL_BPS + int(policy.get(UNITS_WITHIN, _MOST_WITHIN_BPS))
    too_many = submission.units * FULL_BPS > (units + 1) * within
    return CheckResult(Verdict.NO_FAULT, UNITS_IMPLAUSIBLE) if too_many else None


def _hashes(manifest: OutputManifest) -> dict[str, str]:
    return {file.path: file.sha256 for file in manifest.files}


def _chosen(hashes: Mapping[str, str], files: list[str] | None) -> dict[str, str | None]:
    return dict(hashes) if files is None else {path: hashes.get(path) for path in files}


def _are_paths(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(path, str) for path in value)


def _are_hashes(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(digest, str) for digest in value.values())
