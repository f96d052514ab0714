"""Verification by running the job again: outputs, through the manifest, have to be equal bit for bit, and so has fuel; of seconds no more may be
claimed than is plausible (`hash_equality.units_fault`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, ExecutorFailed, InvalidJobSpecification, JobFault
from computility.domain.evidence import CHALLENGED, CREDITED, MOST_CENTIBITS, NEWEST, SOUND, VERSION, Evidence
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, JobId
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import SignedStatement, Submission
from computility.domain.terms import Terms
from computility.domain.units import FULL_BPS
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Execution, Executor, run_to_end
from computility.verification.challenge_seed import OpenedChallenge
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT, sampled_bits
from computility.verification.credible_signing import CREDIBLE, Credibility
from computility.verification.hash_equality import EQUAL_BIT_FOR_BIT, HASH_BITS, ExecutorOf, fits_units, units_fault

SAME = "same"
RESULT_DIFFERS = "result-differs"


@dataclass(frozen=True)
class Finding:
    """What a verifier found. ``reason`` is a slug; ``execution`` is its own run, None where that came to no end or where it checked by other means.
    ``passed`` is the submission that it lets pass. ``challenge`` is how it was drawn what it looked at, ``credibility`` why the provider was
    believed, or would have been but for the draw. ``soundness_bits`` is −log2 of the highest probability with which the method lets a wrong result
    pass; 0 for whatever is no pass."""

    verdict: Verdict
    reason: str
    execution: Execution | None
    passed: Submission | None = None
    challenge: OpenedChallenge | None = None
    credibility: Credibility | None = None
    soundness_bits: float = 0.0

    @property
    def result(self) -> Bytes32 | None:
        """What should have come out, where the verifier knows it."""
        if self.execution is not None:
            return self.execution.manifest.digest
        return self.passed.result if self.passed is not None else None

    @property
    def units(self) -> int | None:
        """Payable units: of what passes the provider's, which the terms bound; of what does not those that were metered again."""
        if self.passed is not None:
            return self.passed.units
        return self.execution.units if self.execution is not None else None

    def evidence(
        self, job: JobId, terms: Terms, environment: str, submission: SignedStatement, version: int = NEWEST
    ) -> Evidence:
        """The document behind the verdict, the same from every verifier that found the same. ``version``: as which it is to be written; those before
        4 differ in what they have to tell of."""
        if version < SOUND:
            version = VERSION if self.challenge is None else CHALLENGED if self.credibility is None else CREDITED
        return Evidence(
            job=job,
            verifier=terms.verifier,
            environment=environment,
            verdict=self.verdict,
            reason=self.reason,
            result=self.result,
            units=self.units,
            submission=submission.to_json(),
            version=version,
            challenge=None if self.challenge is None else self.challenge.to_document(),
            credibility=None if self.credibility is None else self.credibility.to_document(),
            # In hundredths: every machine rounds those alike, and none the last bit of a logarithm.
            soundness_centibits=min(round(self.soundness_bits * 100), MOST_CENTIBITS) if version >= SOUND else None,
        )

    def attestation(self, job: JobId, evidence: Bytes32) -> Attestation:
        """The statement to sign. A fail names what should have come out; only a pass names payable units."""
        passed = self.verdict is Verdict.PASS
        return Attestation(
            job=job,
            verdict=self.verdict,
            result=self.result or ZERO_BYTES32,
            units=(self.units or 0) if passed else 0,
            is_final=self.verdict is not Verdict.NO_FAULT,
            quality_bps=FULL_BPS if passed else 0,
            # Fuel is metered as a whole: there are no samples to commit to.
            meter_root=ZERO_BYTES32,
            evidence=evidence,
        )


def believed(submission: Submission, challenge: OpenedChallenge, credibility: Credibility) -> Finding:
    """What is to be said of a credible provider's result: that it passes, unless the draw had it run again; then what who runs it should find."""
    reason = SAME if credibility.audited else CREDIBLE
    return Finding(Verdict.PASS, reason, None, submission, challenge, credibility, _bits_of(credibility))


def unseen(submission: Submission) -> Finding:
    """What is to be said of a result that others ran again and found the same: what they said."""
    return Finding(Verdict.PASS, SAME, None, submission, soundness_bits=HASH_BITS)


def audited(finding: Finding, challenge: OpenedChallenge, credibility: Credibility) -> Finding:
    """What a run found that the draw asked for."""
    bits = _bits_of(credibility) if finding.verdict is Verdict.PASS else 0.0
    return replace(finding, challenge=challenge, credibility=credibility, soundness_bits=bits)


def _bits_of(credibility: Credibility) -> float:
    """Of a result that is run again at the rate of audits, whichever way the draw came out."""
    return sampled_bits(credibility.audit_bps, HASH_BITS)


def reexecute(terms: Terms, submission: Submission, executor: Executor, content: ContentStore) -> Finding:
    """Run the job again and compare with what the provider submitted. Never raises because of the job.

    A fault of the job itself is a fail, as the provider submitted a result where there can be none. Whatever keeps this
    machine from telling (another environment class, missing content, too little memory or time) is no fault; so is any
    difference of a job whose kind promises no equal bits, where a pass is all that running it again can find. Whoever lets
    seconds pass names the provider's: verifiers that needed others sign the same.
    """
    try:
        specification = parse_specification(content.get(content_id_of_digest(terms.spec)))
    except (ContentError, InvalidJobSpecification) as error:
        return Finding(Verdict.NO_FAULT, error.code, None)
    return run_again(specification, submission, executor, content)


def run_again(
    specification: Specification,
    submission: Submission,
    executor: Executor,
    content: ContentStore,
    policy: Mapping[str, Any] | None = None,
) -> Finding:
    """As `reexecute`, of a specification that is at hand. ``policy`` is the part of its policy that wants this; the whole where it is not given."""
    policy = specification.verification if policy is None else policy
    if not fits_units(policy):
        return Finding(Verdict.NO_FAULT, POLICY_UNFIT, None)
    difference = Verdict.FAIL if specification.kind in EQUAL_BIT_FOR_BIT else Verdict.NO_FAULT
    try:
        execution = run_to_end(executor, AttemptId(submission.job, submission.attempt), specification, content)
    except JobFault as fault:
        return Finding(difference, fault.code, None)
    except (ContentError, ExecutorFailed) as error:
        return Finding(Verdict.NO_FAULT, error.code, None)
    if execution.manifest.digest != submission.result:
        return Finding(difference, RESULT_DIFFERS, execution)
    if (implausible := units_fault(specification, submission, execution.units, policy)) is not None:
        return Finding(implausible.verdict, implausible.reason, execution)
    return Finding(Verdict.PASS, SAME, execution, submission, soundness_bits=HASH_BITS)


class ReexecutionVerifier:
    """``reexec-quorum`` as a part of a policy: {"method": "reexec-quorum"}, with ``units_within_bps`` as `hash_equality` has it. How many run the job
    again is the committee's threshold."""

    def __init__(self, executor_of: ExecutorOf, content: ContentStore) -> None:
        self._executor_of = executor_of
        self._content = content

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`."""
        try:
            executor = self._executor_of(specification.environment)
        except ExecutorFailed as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        found = run_again(specification, submission, executor, self._content, policy)
        return CheckResult(found.verdict, found.reason, found.soundness_bits)
