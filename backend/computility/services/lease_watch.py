"""A buyer's side of a metered lease: co-signs each reading that it believes, contests the first that it does not, and ends the lease."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentNotFound, InvalidMessage
from computility.domain.identifiers import ZERO_BYTES32, Bytes32, JobId
from computility.domain.job import JobState, Outcome
from computility.domain.metered_lease import MeterContest
from computility.domain.specification import parse_specification
from computility.domain.statements import SignedStatement, Submission
from computility.domain.units import FULL_BPS
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.lease_meter import co_signed, readings_of
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.trading_account import TradingAccount
from computility.verification.lease_heartbeat import (
    READINGS_HOLD,
    SAMPLE_UNFIT,
    LeasePolicy,
    MeterState,
    fault_of_reading,
    lease_policy_of,
    state_of,
)
from computility.verification.reexecution import Finding

_log = logging.getLogger(__name__)

_GRACE_S: Final = 10.0
"""What a provider has for bringing a final reading by itself, which settles at once."""


@dataclass(frozen=True)
class LeaseStatus:
    """``metered`` and ``signed`` seconds; ``contested`` is why a reading was not believed; ``silent`` that no reading came for an interval;
    ``pending`` that only a window has to pass; ``over`` that the job is closed."""

    metered: int
    signed: int
    contested: str | None
    silent: bool
    pending: bool
    over: bool


class LeaseWatch:
    """Watches one lease that this account verifies. Call ``step`` at least every second or so: the provider stops a whole interval after the last
    co-signature."""

    def __init__(self, account: TradingAccount, node: NodeClient, job: Bytes32, confirmations: int = 0) -> None:
        self._account = account
        self._node = node
        self._content = NodeContentStore(node)
        self._watch = JobWatch(account, node, confirmations)
        self._job = job
        self._since = time.monotonic()
        self._seen: MeterState | None = None
        self._contested: str | None = None
        self._heard_at = time.monotonic()
        self._began_ms: int | None = None
        self._policy: LeasePolicy | None = None
        self._final_at: float | None = None

    def step(self) -> LeaseStatus:
        """Look once, and say yes or no to what is new.

        Raises:
            NodeError, ChainError: one of them does not answer; nothing is lost by trying again.
            InvalidMessage: the job is no metered lease that this account verifies.
        """
        job = self._watch.one(self._job)
        policy = self._lease(job)
        signed, is_final = co_signed(self._node, self._account, job)
        for statement in self._new_readings(job, is_final=is_final):
            if self._contested is not None:
                break
            if statement.signer == job.terms.provider and self._is_new(statement):
                signed = max(signed, self._judge(job, policy, statement))
        submitted = self._watch.submission(job)
        if (
            submitted is not None
            and not is_final
            and self._contested is None
            and job.chain.state is not JobState.CLOSED
        ):
            is_final = self._sign_result(job, *submitted)
        self._bring_final(job, is_final=is_final)
        return LeaseStatus(
            metered=self._seen.reading.units if self._seen else 0,
            signed=signed,
            contested=self._contested,
            silent=time.monotonic() - self._heard_at > policy.interval_s,
            pending=job.chain.state in (JobState.PENDING, JobState.DISPUTED),
            over=job.chain.state is JobState.CLOSED,
        )

    def end(self) -> None:
        """Sign the last believed reading as the final one. The provider has every reason to bring it: that pays it at once."""
        job = self._watch.one(self._job)
        self._lease(job)
        signed, is_final = co_signed(self._node, self._account, job)
        if not is_final and job.chain.state is not JobState.CLOSED:
            self._publish(job, signed, self._seen.digest if self._seen else ZERO_BYTES32, is_final=True)

    # ---------------------------------------------------------------- readings

    def _lease(self, job: WatchedJob) -> LeasePolicy:
        if self._policy is None:
            specification = parse_specification(self._content.get(content_id_of_digest(job.terms.spec)))
            policy = lease_policy_of(specification.verification)
            if policy is None or job.terms.verifier != self._account.address:
                raise InvalidMessage(f"job {job.id} is no metered lease that {self._account.address} verifies")
            self._policy = policy
        return self._policy

    def _new_readings(self, job: WatchedJob, *, is_final: bool) -> list[SignedStatement]:
        """What the meter read since the last look. What was looked at once is not asked for again: a lease may have tens of thousands."""
        if self._contested is not None or is_final or job.chain.state is JobState.CLOSED:
            return []
        return readings_of(self._node, self._account, job.id, self._seen.reading.sequence if self._seen else 0)

    def _is_new(self, statement: SignedStatement) -> bool:
        message = statement.message
        return self._seen is None or getattr(message, "sequence", 0) > self._seen.reading.sequence

    def _judge(self, job: WatchedJob, policy: LeasePolicy, statement: SignedStatement) -> int:
        """Co-sign or contest; the units signed for."""
        self._heard_at = time.monotonic()
        try:
            state = state_of(statement, self._content)
        except (InvalidMessage, ContentNotFound):
            self._contest(job, statement.id, SAMPLE_UNFIT)
            return 0
        if self._began_ms is None:
            # A watcher that was started later believes the first reading's own clock; one that was there goes by its own.
            here_ms = int(time.time() * 1000) - int((time.monotonic() - self._since) * 1000)
            self._began_ms = min(here_ms, state.reading.at_ms - state.reading.units * 1000)
        fault = fault_of_reading(self._seen, state, policy, self._began_ms)
        if fault is not None:
            self._contest(job, statement.id, fault)
            return 0
        self._seen = state
        if not state.reading.is_last:
            self._publish(job, state.reading.units, state.digest, is_final=False)
        return state.reading.units

    def _contest(self, job: WatchedJob, reading: Bytes32, reason: str) -> None:
        self._contested = reason
        self._node.publish(self._account.sign(MeterContest(job.id, reading, reason, self._account.chain_time())))
        _log.warning("contested a reading of job %s: %s", job.id, reason)

    # ---------------------------------------------------------------- the end

    def _sign_result(self, job: WatchedJob, signed: SignedStatement, submission: Submission) -> bool:
        """The job ended by itself: its last reading, and what came out, are signed for good."""
        if self._seen is None or not self._seen.reading.is_last or submission.units != self._seen.reading.units:
            return False
        specification = parse_specification(self._content.get(content_id_of_digest(job.terms.spec)))
        finding = Finding(Verdict.PASS, READINGS_HOLD, None, submission)
        evidence = finding.evidence(JobId(job.id), job.terms, specification.environment, signed)
        self._content.put(evidence.to_bytes())
        self._publish(
            job, submission.units, self._seen.digest, is_final=True, result=submission.result, evidence=evidence.digest
        )
        return True

    def _publish(
        self,
        job: WatchedJob,
        units: int,
        meter_root: Bytes32,
        *,
        is_final: bool,
        result: Bytes32 = ZERO_BYTES32,
        evidence: Bytes32 = ZERO_BYTES32,
    ) -> None:
        attestation = Attestation(job.id, Verdict.PASS, result, units, is_final, FULL_BPS, meter_root, evidence)
        self._node.publish(self._account.sign(attestation))
        _log.info("signed for %d s of job %s", units, job.id)

    def _bring_final(self, job: WatchedJob, *, is_final: bool) -> Receipt | None:
        """A provider that does not bring the buyer's final word gets it brought; then it is paid after the dispute window."""
        if not is_final or job.chain.state is not JobState.OPEN or job.chain.outcome == Outcome.PASS:
            return None
        self._final_at = self._final_at or time.monotonic()
        if time.monotonic() < self._final_at + _GRACE_S:
            return None
        found = self._watch.aggregate(job)
        return self._account.attest(job.terms, *found) if found is not None and found[0].is_final else None
