"""Replays the verdicts on a job from what is stored: its chain, its evidence, its specification and its inputs. No word of a verifier is believed.

A verdict is confirmed only if the evidence that it names is there, is about this job, rests on what the provider itself signed, and comes out
byte for byte when the auditor does the verifier's work again. What keeps the auditor from telling accuses nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import ContentError, InvalidMessage, InvalidSignature, NotAReader, StatementRefused
from computility.domain.evidence import SOUND, Evidence, parse_evidence
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, JobId, bytes32, chain_number
from computility.domain.specification import Specification
from computility.domain.statements import SignedStatement, Submission, read_statement
from computility.execution.content_store import ContentStore
from computility.execution.executor import Executor
from computility.execution.executor_set import ExecutorSet
from computility.execution.reader_key import ReaderKey
from computility.execution.sealed_executor import reading
from computility.services.credit_audit import CreditAudit
from computility.services.job_check import JobCheck
from computility.services.lease_replay import METER_HOLDS, Meter, MeterUnfit, require_meter
from computility.services.trade_proof import SignedAttestation, VerifiedTrade
from computility.verification.challenge_seed import SECRET_BYTES, Beacon, OpenedChallenge, opened_challenge_of
from computility.verification.credible_signing import Credibility, audit_policy_of, credibility_of
from computility.verification.lease_heartbeat import lease_policy_of
from computility.verification.policy_fitness import blind_method
from computility.verification.reexecution import Finding, audited, believed
from computility.verification.verifier import Verifier

SAME_EVIDENCE: Final = "same-evidence"
EVIDENCE_DIFFERS: Final = "evidence-differs"
EVIDENCE_UNNAMED: Final = "evidence-unnamed"
EVIDENCE_MISSING: Final = "evidence-missing"
EVIDENCE_MALFORMED: Final = "evidence-malformed"
EVIDENCE_OF_ANOTHER_JOB: Final = "evidence-of-another-job"
EVIDENCE_WITHOUT_SUBMISSION: Final = "evidence-without-submission"
VERDICT_NOT_OF_EVIDENCE: Final = "verdict-not-of-evidence"
SEALED: Final = "sealed"
SEALED_FROM_ITS_METHOD: Final = "sealed-from-its-method"
NO_VERDICT: Final = "no-verdict"
CHALLENGE_OF_ANOTHER_CHAIN: Final = "challenge-of-another-chain"
CHALLENGE_OF_ANOTHER_SIGNER: Final = "challenge-of-another-signer"
FAILS_AN_OWN_CHALLENGE: Final = "fails-an-own-challenge"
AUDIT_NOT_OF_DRAW: Final = "audit-not-of-draw"
NOT_CREDIBLE: Final = "not-credible"
WRONG_THOUGH_CREDIBLE: Final = "wrong-though-credible"
CREDIBLE_BY_RULE: Final = "credible-by-rule"
_NO_METER: Final = Meter(lambda _: ())


class Agreement(StrEnum):
    """What an auditor says of a verdict. ``UNKNOWN`` accuses nobody."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ReplayedVerdict:
    """One attestation, and what became of it when its check was done again.

    ``reason`` is a slug; ``differences`` are the fields of the evidence that came out otherwise. ``claimed`` is the verifier's reason where its
    evidence could be read, ``found`` the auditor's where it ran the job. ``soundness_bits`` is what the evidence says of its method, None where it
    could not be read, or is older than that.
    """

    attestation: Attestation
    signers: tuple[Address, ...]
    agreement: Agreement
    reason: str
    claimed: str | None = None
    found: str | None = None
    differences: tuple[str, ...] = ()
    soundness_bits: float | None = None

    def to_document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "verdict": self.attestation.verdict.name.lower().replace("_", "-"),
            "agreement": self.agreement.value,
            "reason": self.reason,
            "claimed": self.claimed,
            "found": self.found,
            "differences": list(self.differences),
            "soundness_bits": self.soundness_bits,
            "evidence": self.attestation.evidence,
            "signers": list(self.signers),
        }


class _Unsettled(Exception):
    """The end of a replay before the job was run."""

    def __init__(self, agreement: Agreement, reason: str, claimed: str | None = None) -> None:
        super().__init__(reason)
        self.agreement = agreement
        self.reason = reason
        self.claimed = claimed


def replay_verdicts(
    trade: VerifiedTrade,
    executors: Executor | ExecutorSet,
    content: ContentStore,
    hash_of: Callable[[int], Bytes32 | None],
    begins: Callable[[Attestation], None] = lambda _: None,
    credit: CreditAudit | None = None,
    meter: Meter = _NO_METER,
    methods: Mapping[str, Verifier] | None = None,
    reader: ReaderKey | None = None,
) -> tuple[ReplayedVerdict, ...]:
    """Every verdict that reached the chain, in its order. ``hash_of`` is the hash of a block of the job's chain, None where there is none.
    ``begins`` is told of each before its job is checked again. Without ``credit`` nothing is said of verdicts that rest on a provider's credibility.
    ``meter`` tells what was read in a lease; ``methods`` are known beside those that need no setting. With ``reader`` a job that is sealed to it is
    run again as well; the key stays in this process.

    Raises:
        NotAReader: the job is sealed, and not to ``reader``.
        NodeError: the content store cannot be asked at all.
    """
    offered = executors if isinstance(executors, ExecutorSet) else ExecutorSet([executors])
    check = JobCheck(reading(offered, reader), content, meter.readings_of, methods)
    _need_its_reader(check.specification(trade.terms), reader)
    return tuple(
        _of_lease(trade, signed, check, content, meter)
        or _replayed(trade, signed, check, content, hash_of, begins, credit, reader)
        for signed in trade.attestations
    )


def overall(replayed: Iterable[ReplayedVerdict]) -> Agreement:
    """One answer for the job: contradicted if any verdict is; confirmed if there are verdicts, and all of them are."""
    found = {verdict.agreement for verdict in replayed}
    if Agreement.CONTRADICTED in found:
        return Agreement.CONTRADICTED
    return Agreement.CONFIRMED if found == {Agreement.CONFIRMED} else Agreement.UNKNOWN


def _replayed(
    trade: VerifiedTrade,
    signed: SignedAttestation,
    check: JobCheck,
    content: ContentStore,
    hash_of: Callable[[int], Bytes32 | None],
    begins: Callable[[Attestation], None],
    credit: CreditAudit | None,
    reader: ReaderKey | None,
) -> ReplayedVerdict:
    attestation, signers = signed.attestation, signed.signers
    try:
        evidence = _evidence(trade, attestation, content)
        statement, submission = _submission(trade, evidence)
        _need_readable(check.specification(trade.terms), evidence, reader)
        challenge = _challenge(trade, evidence, hash_of, credit)
        credibility = _credibility(trade, evidence, statement, submission, challenge, check, credit)
    except _Unsettled as end:
        return ReplayedVerdict(attestation, signers, end.agreement, end.reason, end.claimed)
    begins(attestation)
    # Evidence of before soundness was told had a challenge wherever something was drawn; since then, none says that everything was looked at.
    withheld = challenge is None and evidence.version >= SOUND
    finding = check.check(trade.terms, statement, submission, challenge, withheld=withheld)
    environment = check.environment(check.specification(trade.terms))
    if credibility is not None and challenge is not None:
        if not credibility.audited:
            return _replayed_on_credit(
                trade, signed, evidence, finding, believed(submission, challenge, credibility), environment, statement
            )
        finding = audited(finding, challenge, credibility)
    agreement, reason, differences = _compare(trade, evidence, finding, environment, statement)
    if (
        agreement is Agreement.CONFIRMED
        and challenge is not None
        and credibility is None
        and finding.verdict is Verdict.PASS
    ):
        # Provider and verifier may have chosen the secret together; nobody knew the auditor's.
        own = check.check(trade.terms, statement, submission, _own(challenge))
        if own.verdict is Verdict.FAIL:
            agreement, reason, finding = Agreement.CONTRADICTED, FAILS_AN_OWN_CHALLENGE, own
    return ReplayedVerdict(
        attestation,
        signers,
        agreement,
        reason,
        evidence.reason,
        finding.reason,
        differences,
        evidence.soundness_bits,
    )


def _of_lease(
    trade: VerifiedTrade, signed: SignedAttestation, check: JobCheck, content: ContentStore, meter: Meter
) -> ReplayedVerdict | None:
    """What is to be said of a lease's co-signature by its meter alone; None where there is a result to look at besides, or the job is no lease."""
    attestation = signed.attestation
    specification = check.specification(trade.terms)
    lease = lease_policy_of(specification.verification) if specification is not None else None
    if lease is None or attestation.verdict is not Verdict.PASS:
        return None
    try:
        require_meter(trade.job, trade.terms, signed, lease, meter, content)
    except MeterUnfit as unfit:
        agreement = Agreement.CONTRADICTED if unfit.accuses else Agreement.UNKNOWN
        return ReplayedVerdict(attestation, signed.signers, agreement, unfit.reason)
    if attestation.evidence != ZERO_BYTES32:
        return None
    if attestation.result != ZERO_BYTES32:
        return ReplayedVerdict(attestation, signed.signers, Agreement.UNKNOWN, EVIDENCE_UNNAMED)
    return ReplayedVerdict(attestation, signed.signers, Agreement.CONFIRMED, METER_HOLDS)


def _replayed_on_credit(
    trade: VerifiedTrade,
    signed: SignedAttestation,
    evidence: Evidence,
    own: Finding,
    expected: Finding,
    environment: str,
    statement: SignedStatement,
) -> ReplayedVerdict:
    """A pass that nobody had run. The rule was kept; what the auditor's own run says is still the last word on the result."""
    agreement, reason, differences = _compare(trade, evidence, expected, environment, statement)
    if agreement is Agreement.CONFIRMED:
        reason = CREDIBLE_BY_RULE
        if own.verdict is Verdict.FAIL:
            agreement, reason = Agreement.CONTRADICTED, WRONG_THOUGH_CREDIBLE
    return ReplayedVerdict(
        signed.attestation,
        signed.signers,
        agreement,
        reason,
        evidence.reason,
        own.reason,
        differences,
        evidence.soundness_bits,
    )


def _credibility(
    trade: VerifiedTrade,
    evidence: Evidence,
    statement: SignedStatement,
    submission: Submission,
    challenge: OpenedChallenge | None,
    check: JobCheck,
    credit: CreditAudit | None,
) -> Credibility | None:
    """Why the provider was believed, if it was: by the policy that the parties signed, the draw, the bond, and the checks that it had passed."""
    if evidence.credibility is None or challenge is None:
        return None
    try:
        claimed = credibility_of(evidence.credibility)
    except InvalidMessage as error:
        raise _Unsettled(Agreement.CONTRADICTED, EVIDENCE_MALFORMED, evidence.reason) from error
    specification = check.specification(trade.terms)
    if specification is None or credit is None:
        raise _Unsettled(Agreement.UNKNOWN, NOT_CREDIBLE, evidence.reason)
    policy = audit_policy_of(specification.verification)
    if policy is None or policy.audit_bps != claimed.audit_bps or not policy.is_covered(trade.terms):
        raise _Unsettled(Agreement.CONTRADICTED, NOT_CREDIBLE, evidence.reason)
    if policy.is_audited(challenge.seed(statement, submission), trade.job) != claimed.audited:
        raise _Unsettled(Agreement.CONTRADICTED, AUDIT_NOT_OF_DRAW, evidence.reason)
    try:
        holds = len(claimed.passed) == policy.checks_wanted and credit.holds(trade, claimed)
    except ContentError as error:
        raise _Unsettled(Agreement.UNKNOWN, error.code, evidence.reason) from error
    if not holds:
        raise _Unsettled(Agreement.CONTRADICTED, NOT_CREDIBLE, evidence.reason)
    return claimed


def _challenge(
    trade: VerifiedTrade, evidence: Evidence, hash_of: Callable[[int], Bytes32 | None], credit: CreditAudit | None
) -> OpenedChallenge | None:
    if evidence.challenge is None:
        return None
    try:
        challenge = opened_challenge_of(evidence.challenge)
    except InvalidMessage as error:
        raise _Unsettled(Agreement.CONTRADICTED, EVIDENCE_MALFORMED, evidence.reason) from error
    if hash_of(challenge.block) != challenge.block_hash:
        raise _Unsettled(Agreement.CONTRADICTED, CHALLENGE_OF_ANOTHER_CHAIN, evidence.reason)
    # Whether a credible provider is audited, the first of the panel draws; what else is drawn, another may once the first was silent.
    challengers = credit.challengers(trade) if credit is not None else [challenge.signer]
    if challenge.signer not in (challengers if evidence.credibility is None else challengers[:1]):
        raise _Unsettled(Agreement.CONTRADICTED, CHALLENGE_OF_ANOTHER_SIGNER, evidence.reason)
    return challenge


def _own(challenge: OpenedChallenge) -> OpenedChallenge:
    secret = secrets.token_bytes(SECRET_BYTES)
    promise = Beacon(challenge.block_hash, secret).promise
    return replace(challenge, secret=bytes32(secret), promise=promise)


def _evidence(trade: VerifiedTrade, attestation: Attestation, content: ContentStore) -> Evidence:
    if attestation.evidence == ZERO_BYTES32:
        raise _Unsettled(Agreement.UNKNOWN, EVIDENCE_UNNAMED)
    try:
        evidence = parse_evidence(content.get(content_id_of_digest(attestation.evidence)))
    except ContentError as error:
        raise _Unsettled(Agreement.UNKNOWN, EVIDENCE_MISSING) from error
    except InvalidMessage as error:
        raise _Unsettled(Agreement.CONTRADICTED, EVIDENCE_MALFORMED) from error
    if evidence.job != trade.job or evidence.verifier != trade.terms.verifier:
        raise _Unsettled(Agreement.CONTRADICTED, EVIDENCE_OF_ANOTHER_JOB, evidence.reason)
    if not _bears(evidence, attestation):
        raise _Unsettled(Agreement.CONTRADICTED, VERDICT_NOT_OF_EVIDENCE, evidence.reason)
    if evidence.verdict is Verdict.NO_FAULT:
        raise _Unsettled(Agreement.UNKNOWN, NO_VERDICT, evidence.reason)
    return evidence


def _bears(evidence: Evidence, attestation: Attestation) -> bool:
    """Whether the attestation says no more than its evidence. Payable units may be fewer than the metered: service levels reduce them."""
    same = evidence.verdict is attestation.verdict and attestation.result == (evidence.result or ZERO_BYTES32)
    return same and attestation.units <= (evidence.units or 0)


def _submission(trade: VerifiedTrade, evidence: Evidence) -> tuple[SignedStatement, Submission]:
    """The provider's own statement. Without it a verifier could fail a provider for what it never said."""
    without = _Unsettled(Agreement.CONTRADICTED, EVIDENCE_WITHOUT_SUBMISSION, evidence.reason)
    if evidence.submission is None:
        raise without
    try:
        statement = read_statement(evidence.submission, Eip712Domain(chain_number(trade.chain), trade.escrow))
    except (InvalidMessage, InvalidSignature, StatementRefused) as error:
        raise without from error
    message = statement.message
    if not isinstance(message, Submission) or statement.signer != trade.terms.provider or message.job != trade.job:
        raise without
    return statement, message


def _need_its_reader(specification: Specification | None, reader: ReaderKey | None) -> None:
    """Who brings a key wants to read with it: another job's key is a mistake, and no answer."""
    sealing = specification.sealing if specification is not None else None
    if sealing is None or reader is None or sealing.box_for(reader.public) is not None:
        return
    raise NotAReader(
        f"the job is sealed to {len(sealing.readers)} readers, and {reader.public} is none of them: bring the key of its buyer, its provider or a "
        "verifier of it (`computility wallet reader-key --save FILE` writes a copy)"
    )


def _need_readable(specification: Specification | None, evidence: Evidence, reader: ReaderKey | None) -> None:
    """A job that is sealed to others would only look faulty here. What else is wrong with it is for the run to find."""
    if specification is None or specification.sealing is None:
        return
    if blind_method(specification) is not None:
        # Everybody can tell from the specification that whoever goes by its policy has to say *no fault*.
        raise _Unsettled(Agreement.CONTRADICTED, SEALED_FROM_ITS_METHOD, evidence.reason)
    # A meter is in the open.
    if reader is None and lease_policy_of(specification.verification) is None:
        raise _Unsettled(Agreement.UNKNOWN, SEALED, evidence.reason)


def _compare(
    trade: VerifiedTrade, evidence: Evidence, finding: Finding, environment: str, statement: SignedStatement
) -> tuple[Agreement, str, tuple[str, ...]]:
    if finding.verdict is Verdict.NO_FAULT:
        return Agreement.UNKNOWN, finding.reason, ()
    again = finding.evidence(JobId(trade.job), trade.terms, environment, statement, evidence.version)
    if again.digest == evidence.digest:
        return Agreement.CONFIRMED, SAME_EVIDENCE, ()
    mine, theirs = again.to_document(), evidence.to_document()
    differences = tuple(sorted(name for name in mine if mine[name] != theirs[name]))
    return Agreement.CONTRADICTED, EVIDENCE_DIFFERS, differences
