"""A provider's agent: quotes, runs jobs, submits results, brings attestations to the chain, and claims when no verifier answers.

It keeps nothing of its own: what there is to do follows from the chain and the journal, so an agent that was killed goes on where it was.
It needs outbound connections only.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from computility.domain.attestation import Attestation, Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import (
    ComputilityError,
    ContentError,
    ExecutorFailed,
    InvalidMessage,
    JobFault,
    JobMemoryExceeded,
    JobTimeExceeded,
    LeaseEnded,
    NotAReader,
    SealedInputUnfit,
)
from computility.domain.evidence import parse_evidence
from computility.domain.excuse import MAX_DETAIL_CHARACTERS, Excuse
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, JobId, keccak_bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.quoting import ProviderPolicy
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import SignedStatement, Submission
from computility.execution.content_store import FileContentStore
from computility.execution.executor import AttemptId, Execution, Executor, run_to_end
from computility.execution.executor_set import ExecutorSet
from computility.services.ask_keeper import AskKeeper
from computility.services.attestation_desk import AttestationDesk
from computility.services.fail_contester import FailContester
from computility.services.held_outputs import HeldOutputs
from computility.services.job_alarm import JobAlarm
from computility.services.job_queue import in_turn
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.keyed_tasks import KeyedTasks
from computility.services.lease_meter import LeaseMeter
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.own_check import RESULT_WOULD_FAIL, own_fault
from computility.services.payout_keeper import PayoutKeeper
from computility.services.provider_metrics import ProviderMetrics
from computility.services.quote_desk import QuoteDesk
from computility.services.rated_provider import RatedProvider
from computility.services.trading_account import TradingAccount
from computility.verification.lease_heartbeat import lease_policy_of

_log = logging.getLogger(__name__)

_HOPELESS = (JobFault, JobTimeExceeded, JobMemoryExceeded, LeaseEnded, NotAReader, SealedInputUnfit)
_FIRST_ATTEMPT = 1
_ATTEMPTS = 4
_AFTER_OUR_ERROR_S = 5.0


@dataclass(frozen=True)
class ProviderSettings:
    """Times in seconds. ``patience_s``: how long verifiers may take before the agent claims by itself, unless ``patience_for_s`` says otherwise of
    the job's verifier; in any case it claims ``propose_before_end_s`` before the job's end. A job that is not done ``excuse_before_end_s`` before
    its end is handed back: an excuse costs nobody anything, and silence the bond. ``parallel_jobs``: how many run at one time.
    ``contest_fails``: whether a fail that the agent's own check contradicts is disputed."""

    confirmations: int = 0
    parallel_jobs: int = 2
    patience_s: int = 60
    patience_for_s: Mapping[Address, int] = field(default_factory=dict)
    propose_before_end_s: int = 10
    excuse_before_end_s: int = 4
    poll_interval_s: float = 0.5
    long_poll_s: int = 10
    tend_every_s: float = 15.0
    contest_fails: bool = True


class ProviderAgent:
    """One provider. ``executors`` is what runs its jobs: one, or one for each environment class. ``asks`` are kept on the market and
    ``payouts`` are made between rounds, where they are given. ``held`` keeps outputs that wait for a verifier's challenge; ``rated``
    answers the hardware challenges."""

    def __init__(
        self,
        account: TradingAccount,
        node: NodeClient,
        executors: Executor | ExecutorSet,
        policy: ProviderPolicy,
        settings: ProviderSettings | None = None,
        *,
        asks: AskKeeper | None = None,
        payouts: PayoutKeeper | None = None,
        metrics: ProviderMetrics | None = None,
        held: FileContentStore | None = None,
        rated: RatedProvider | None = None,
    ) -> None:
        self._account = account
        self._node = node
        self._executors = executors if isinstance(executors, ExecutorSet) else ExecutorSet([executors])
        self._asks = asks
        self._payouts = payouts
        self.metrics = metrics or ProviderMetrics()
        self._tended_at = float("-inf")
        self._content = NodeContentStore(node)
        self._outputs = HeldOutputs(account, node, self._content, held)
        self._meters = LeaseMeter(account, node, self._content)
        self._settings = settings or ProviderSettings()
        self._desk = QuoteDesk(account, node, self._executors, policy)
        self._attestations = AttestationDesk(account)
        self._watch = JobWatch(account, node, self._settings.confirmations)
        self._alarm = JobAlarm(
            node, [{"provider": account.address}], self._settings.long_poll_s, self._settings.poll_interval_s
        )
        # Sending and waiting for a block must not keep a job from running, so runs and moves have workers of their own.
        self._runs = KeyedTasks("run", self._settings.parallel_jobs)
        self._moves = KeyedTasks("move", 4 * self._settings.parallel_jobs)
        self._own_fault = own_fault
        self._contester = FailContester(account, self._executors, self._content)
        self._rated = rated
        self._rounds = KeyedTasks("rating", 1)
        self._excuses: dict[Bytes32, Excuse] = {}
        self._failures: dict[Bytes32, int] = {}
        self._told: set[Bytes32] = set()
        self._running: dict[Bytes32, tuple[Executor, AttemptId]] = {}

    @property
    def runs_jobs(self) -> bool:
        """Whether jobs run on this machine just now."""
        return self._runs.busy

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set."""
        desk = threading.Thread(target=self._serve_desk, args=(stop,), name="quotes", daemon=True)
        desk.start()
        self._alarm.listen(stop)
        while not stop.is_set():
            try:
                if self._alarm.is_due:
                    self.tick()
                self._keep_rating()
                self._tend()
            except ComputilityError as error:
                self.metrics.errors.labels(error.code).inc()
                _log.warning("%s: %s", error.code, error)
                # What failed is tried again, and not at once.
                stop.wait(self._settings.poll_interval_s)
            self._alarm.wait(self._settings.poll_interval_s)
        self._meters.stop()
        self._runs.close()
        self._moves.close()
        if self._rated is not None:
            self._rated.close()
        self._rounds.close()

    def tick(self) -> None:
        """Look at every live job once, and start what is to be done."""
        jobs = self._watch.live(provider=self._account.address)
        self._alarm.looked(len(jobs))
        live = {job.id for job in jobs}
        self.metrics.live.set(len(live))
        self._excuses = {job: excuse for job, excuse in self._excuses.items() if job in live}
        self._failures = {job: count for job, count in self._failures.items() if job in live}
        self._told &= live
        self._end_runs_of_what_is_over(jobs)
        for job in in_turn(jobs, self._settings.parallel_jobs, self._account.buyer_tier):
            self._advance(job)

    def _end_runs_of_what_is_over(self, jobs: list[WatchedJob]) -> None:
        """End runs that nobody can pay for any more. A job that is only out of sight may come back with the block that had it."""
        known = {job.id: job for job in jobs}
        for job_id, (executor, attempt) in list(self._running.items()):
            job = known.get(job_id) or self._watch.one(job_id)
            if job.chain.state is JobState.CLOSED or job.now > job.terms.end:
                _log.warning("job %s is over: its run is ended", job_id)
                executor.cancel(attempt)

    def _keep_rating(self) -> None:
        if self._rated is not None:
            self._rounds.offer("round", self._rated.tick)

    def _tend(self) -> None:
        """Now and then: the market and the money."""
        if time.monotonic() < self._tended_at + self._settings.tend_every_s:
            return
        self._tended_at = time.monotonic()
        if self._asks is not None:
            self._asks.tend()
        self._outputs.sweep()
        self.metrics.free.set(self._account.balance().free / 10**18)
        if self._payouts is not None and self._payouts.tend(self._desk.promised_bonds()) is not None:
            self.metrics.sent.labels("withdraw").inc()

    def _serve_desk(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self.metrics.quotes.inc(self._desk.answer_waiting(self._settings.long_poll_s))
            except ComputilityError as error:
                _log.warning("%s: %s", error.code, error)
                stop.wait(self._settings.poll_interval_s)
            except Exception:  # noqa: BLE001 - below
                # A desk that ended would leave a provider that looks alive and answers nobody.
                _log.exception("an error of our own at the quote desk")
                stop.wait(_AFTER_OUR_ERROR_S)

    def _advance(self, job: WatchedJob) -> None:
        match job.chain.state:
            case JobState.OPEN:
                self._advance_open(job)
            case JobState.PENDING | JobState.DISPUTED:
                self._moves.offer(job.id, lambda: self._advance_pending(job))

    def _advance_open(self, job: WatchedJob) -> None:
        if job.now > job.terms.end:
            return
        submitted = self._watch.submission(job)
        if submitted is None and (
            job.id in self._excuses or job.now >= job.terms.end - self._settings.excuse_before_end_s
        ):
            self._moves.offer(job.id, lambda: self._claim(job))
        elif submitted is None:
            self._runs.offer(job.id, lambda: self._run(job))
        else:
            self._moves.offer(job.id, lambda: self._bring_or_claim(job, *submitted))

    def _advance_pending(self, job: WatchedJob) -> None:
        over = job.now > job.chain.deadline
        against_us = job.chain.outcome == Outcome.FAIL and job.chain.state is JobState.PENDING
        if over and not against_us:
            self._account.finalize(job.terms)
            _log.info("finalized job %s", job.id)
        elif not over and against_us:
            submitted = self._watch.submission(job) if self._settings.contest_fails else None
            if submitted is not None and self._contester.contest(job, *submitted) is not None:
                self.metrics.sent.labels("dispute").inc()
        elif not over and job.chain.state is JobState.PENDING and job.chain.outcome < Outcome.PASS:
            if self._bring(job):
                return
            if job.chain.outcome == Outcome.NO_FAULT:
                self._claim(job)

    def _run(self, job: WatchedJob) -> None:
        """Run a job to its end, and commit to what came out."""
        if self._watch.submission(job) is not None:
            return
        _log.info("running job %s", job.id)
        try:
            specification = parse_specification(self._content.get(content_id_of_digest(job.terms.spec)))
            executor = self._executors.of(specification.environment)
            with self.metrics.timed_run(executor.environment):
                execution, units = self._execute(job, specification, executor)
        except (JobFault, ContentError, ExecutorFailed) as error:
            self._could_not_run(job, error)
            return
        self._outputs.store(specification, execution)
        submission = Submission(
            job=job.id,
            attempt=_FIRST_ATTEMPT,
            result=execution.manifest.digest,
            units=units,
            environment=keccak_bytes32(executor.environment.encode()),
            submitted_at=self._account.chain_time(),
        )
        if fault := self._own_fault(specification, submission, execution.manifest, self._content):
            detail = f"the program ran to its end, and the job's own policy fails what it wrote: {fault}"
            _log.warning("job %s: %s", job.id, detail)
            self._excuses[job.id] = Excuse(JobId(job.id), RESULT_WOULD_FAIL, detail)
            return
        self._node.publish(self._account.sign(submission))
        self.metrics.runs.labels(executor.environment, "submitted").inc()
        self.metrics.units.labels(executor.environment).inc(units)
        cards = execution.samples[-1].cards if execution.samples else ()
        held = f" on {', '.join(cards)}" if cards else ""
        _log.info("submitted job %s: %d units, result %s%s", job.id, units, execution.manifest.digest, held)

    def _execute(self, job: WatchedJob, specification: Specification, executor: Executor) -> tuple[Execution, int]:
        """What came out, and its units: of a lease that its buyer verifies, the seconds on the meter."""
        attempt = AttemptId(job.id, _FIRST_ATTEMPT)
        lease = lease_policy_of(specification.verification)
        if lease is not None and job.terms.verifier in (job.terms.buyer, job.terms.payer):
            return self._meters.run(job, specification, lease, executor, attempt)
        self._running[job.id] = executor, attempt
        try:
            execution = run_to_end(executor, attempt, specification, self._content)
        finally:
            del self._running[job.id]
        return execution, execution.units

    def _could_not_run(self, job: WatchedJob, error: ComputilityError) -> None:
        """Hand the job back: at once where the program is at fault, on every machine, or reached a limit of its own specification, which would cost
        as much again; after some attempts where this machine or the node is."""
        _log.warning("job %s: %s: %s", job.id, error.code, error)
        self.metrics.runs.labels("", error.code).inc()
        self._failures[job.id] = self._failures.get(job.id, 0) + 1
        if isinstance(error, _HOPELESS) or self._failures[job.id] >= _ATTEMPTS:
            reason = error.reason if isinstance(error, LeaseEnded) else error.code
            self._excuses[job.id] = Excuse(JobId(job.id), reason, str(error)[:MAX_DETAIL_CHARACTERS])

    def _bring_or_claim(self, job: WatchedJob, signed: SignedStatement, submission: Submission) -> None:
        self._outputs.answer(job, signed, submission)
        patience_s = self._settings.patience_for_s.get(job.terms.verifier, self._settings.patience_s)
        claim_from = min(submission.submitted_at + patience_s, job.terms.end - self._settings.propose_before_end_s)
        if not self._bring(job) and job.now >= claim_from:
            self._claim(job)

    def _bring(self, job: WatchedJob) -> bool:
        """Send the verifiers' pass, if there is one."""
        found = self._watch.aggregate(job)
        if found is None or found[0].verdict is not Verdict.PASS:
            if found is not None and job.id not in self._told:
                self._told.add(job.id)
                self._tell_why(job, found[0])
            return False
        attestation, signatures = found
        if not attestation.is_final and (attestation.units <= job.chain.accepted or not self._is_over(job)):
            # Only the last reading of a lease has to reach the chain.
            return False
        receipt = self._attestations.bring(job.terms, attestation, signatures)
        self.metrics.sent.labels("attest").inc()
        _log.info("brought the attestation of job %s: %s", job.id, receipt.tx_hash)
        return True

    def _is_over(self, job: WatchedJob) -> bool:
        """Whether nothing more will be signed of a lease that this agent metered."""
        return job.id in self._excuses or job.now >= job.terms.end - self._settings.excuse_before_end_s

    def _tell_why(self, job: WatchedJob, attestation: Attestation) -> None:
        """Say what verifiers found instead of a pass, and why: the reason stands in their evidence."""
        try:
            reason = parse_evidence(self._content.get(content_id_of_digest(attestation.evidence))).reason
        except (ContentError, InvalidMessage) as error:
            reason = error.code
        self.metrics.errors.labels(reason).inc()
        _log.warning("verifiers say %s of job %s: %s", attestation.verdict.name, job.id, reason)

    def _claim(self, job: WatchedJob) -> None:
        """Claim what was submitted; without a submission only what is accepted, which is an excuse and costs nobody anything. What the buyer of a
        lease has signed for is brought first: the next round sees it accepted, and then claims."""
        submitted = self._watch.submission(job)
        if submitted is None and self._bring(job):
            return
        units, result = job.chain.accepted, ZERO_BYTES32
        if submitted is not None:
            units, result = max(units, submitted[1].units), submitted[1].result
        elif excuse := self._excuses.get(job.id):
            self._content.put(excuse.to_bytes())
            result = excuse.digest
        self._account.propose(job.terms, units, result)
        self.metrics.sent.labels("propose").inc()
        _log.info("proposed %d units for job %s", units, job.id)
