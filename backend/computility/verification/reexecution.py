"""Verification by running the job again: outputs, through the manifest, and metered units have to be equal bit for bit."""

from __future__ import annotations

from dataclasses import dataclass

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, ExecutorFailed, InvalidJobSpecification, JobFault
from computility.domain.evidence import Evidence
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, JobId
from computility.domain.specification import parse_specification
from computility.domain.statements import SignedStatement, Submission
from computility.domain.terms import Terms
from computility.domain.units import FULL_BPS
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Execution, Executor, run_to_end

SAME = "same"
RESULT_DIFFERS = "result-differs"
UNITS_DIFFER = "units-differ"
_EQUAL_BIT_FOR_BIT = frozenset({"wasm"})
"""Kinds of jobs whose outputs, meter and faults are the same on every machine of their environment class."""


@dataclass(frozen=True)
class Finding:
    """What a verifier found. ``reason`` is a slug; ``execution`` is its own run, None where that came to no end."""

    verdict: Verdict
    reason: str
    execution: Execution | None

    def evidence(self, job: JobId, terms: Terms, environment: str, submission: SignedStatement) -> Evidence:
        """The document behind the verdict, the same from every verifier that found the same."""
        return Evidence(
            job=job,
            verifier=terms.verifier,
            environment=environment,
            verdict=self.verdict,
            reason=self.reason,
            result=self.execution.manifest.digest if self.execution else None,
            units=self.execution.units if self.execution else None,
            submission=submission.to_json(),
        )

    def attestation(self, job: JobId, evidence: Bytes32) -> Attestation:
        """The statement to sign. A fail names what should have come out; only a pass names payable units."""
        passed = self.verdict is Verdict.PASS
        return Attestation(
            job=job,
            verdict=self.verdict,
            result=self.execution.manifest.digest if self.execution else ZERO_BYTES32,
            units=self.execution.units if self.execution and passed else 0,
            is_final=self.verdict is not Verdict.NO_FAULT,
            quality_bps=FULL_BPS if passed else 0,
            # Fuel is metered as a whole: there are no samples to commit to.
            meter_root=ZERO_BYTES32,
            evidence=evidence,
        )


def reexecute(terms: Terms, submission: Submission, executor: Executor, content: ContentStore) -> Finding:
    """Run the job again and compare with what the provider submitted. Never raises because of the job.

    A fault of the job itself is a fail, as the provider submitted a result where there can be none. Whatever keeps this
    machine from telling (another environment class, missing content, too little memory or time) is no fault; so is any
    difference of a job whose kind promises no equal bits, where a pass is all that running it again can find.
    """
    try:
        specification = parse_specification(content.get(content_id_of_digest(terms.spec)))
        difference = Verdict.FAIL if specification.kind in _EQUAL_BIT_FOR_BIT else Verdict.NO_FAULT
        execution = run_to_end(executor, AttemptId(submission.job, submission.attempt), specification, content)
    except JobFault as fault:
        return Finding(difference, fault.code, None)
    except (ContentError, ExecutorFailed, InvalidJobSpecification) as error:
        return Finding(Verdict.NO_FAULT, error.code, None)
    if execution.manifest.digest != submission.result:
        return Finding(difference, RESULT_DIFFERS, execution)
    if execution.units != submission.units:
        return Finding(difference, UNITS_DIFFER, execution)
    return Finding(Verdict.PASS, SAME, execution)
