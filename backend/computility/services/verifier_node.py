"""A verifier node: checks jobs as their specifications say, signs and publishes what it found, and sees to it that a verdict reaches the chain.

It keeps nothing of its own: what it has signed is in the node's journal. It needs outbound connections only.

Long on purpose: turns, draws and words of one job hang on the same clocks and caches.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from computility.domain.attestation import Attestation, Verdict
from computility.domain.errors import ComputilityError, ContentNotFound, ExecutorBusy, HostMemoryExhausted
from computility.domain.identifiers import Address, Bytes32, JobId, parse_address
from computility.domain.job import JobState, Outcome
from computility.domain.specification import Specification
from computility.domain.statements import SignedStatement, Submission, read_statement
from computility.execution.executor import Execution, Executor
from computility.execution.executor_set import ExecutorSet
from computility.services.challenge_desk import ChallengeDesk
from computility.services.committee_fees import CommitteeFees
from computility.services.committee_seat import CommitteeSeat
from computility.services.job_alarm import JobAlarm
from computility.services.job_check import OUTPUTS_MISSING, JobCheck, Uploaded, draws
from computility.services.job_watch import JobWatch, WatchedJob
from computility.services.keyed_tasks import KeyedTasks
from computility.services.lease_meter import readings_of
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.rater import Rater
from computility.services.service_levels import opened_at, service_level_of
from computility.services.track_record import TrackRecord, TrackRecords
from computility.services.trading_account import TradingAccount
from computility.verification.challenge_seed import OpenedChallenge, Withheld, drawn_order, ranked
from computility.verification.credible_signing import AuditPolicy, Credibility, audit_policy_of
from computility.verification.freivalds import OUT_OF_MEMORY, UNREADABLE
from computility.verification.reexecution import Finding, audited, believed, unseen
from computility.verification.service_levels import under_service_level
from computility.verification.verifier import Verifier

_log = logging.getLogger(__name__)

_PANEL_FOR_S: Final = 15.0
"""A panel changes only when the block of its job was forgotten before anybody recorded it."""
_RECORD_AFTER_BLOCKS: Final = 128
_MAY_PASS_BY: Final = frozenset(
    {ContentNotFound.code, ExecutorBusy.code, HostMemoryExhausted.code, OUTPUTS_MISSING, OUT_OF_MEMORY, UNREADABLE}
)
"""Reasons of no fault that may be gone the next time."""


@dataclass(frozen=True)
class VerifierSettings:
    """Times in seconds, ``least_fee`` in atoms of credit.

    Of a committee the panel of a job alone is concerned: as many of it are on duty as have to sign; the others stand by, and check it only if no
    verdict is complete ``standby_s`` after they saw the submission. Who signed sends what is agreed one after the other: a pass after
    ``send_pass_after_s``, in case the provider does not, a fail at once; each further member ``send_step_s`` later. Fees are collected every
    ``collect_every_s``. What keeps the verifier from telling is looked at again for ``answer_within_s`` seconds before it says so: a provider has to
    upload what a challenge asks for, a machine to become free. Where ``rate_every_s`` is not zero, a provider whose rating by this account runs
    out is challenged about as often, at moments that nobody can foretell."""

    confirmations: int = 0
    parallel_jobs: int = 1
    least_fee: int = 0
    standby_s: float = 10.0
    send_pass_after_s: float = 6.0
    send_step_s: float = 3.0
    poll_interval_s: float = 0.5
    long_poll_s: int = 10
    collect_every_s: float = 600.0
    answer_within_s: float = 20.0
    rate_every_s: float = 0.0


class VerifierNode:
    """One verifier, for itself, and as a member of the committee if it has a ``seat``. ``methods`` are known beside those that need no setting."""

    def __init__(
        self,
        account: TradingAccount,
        node: NodeClient,
        executors: Executor | ExecutorSet,
        seat: CommitteeSeat | None = None,
        settings: VerifierSettings | None = None,
        methods: Mapping[str, Verifier] | None = None,
        rater: Rater | None = None,
    ) -> None:
        self._account = account
        self._node = node
        self._content = NodeContentStore(node)
        self._check_of = JobCheck(
            executors if isinstance(executors, ExecutorSet) else ExecutorSet([executors]),
            self._content,
            lambda job: readings_of(node, account, job),
            methods,
        )
        self._seat = seat
        self._serves = (account.address, *([seat.address] if seat else []))
        self._settings = settings or VerifierSettings()
        self._watch = JobWatch(account, node, self._settings.confirmations)
        self._alarm = JobAlarm(
            node,
            [{"verifier": verifier} for verifier in self._serves],
            self._settings.long_poll_s,
            self._settings.poll_interval_s,
        )
        self._desk = ChallengeDesk(account, node, self._settings.confirmations)
        self._records = TrackRecords(account, node, self._content)
        self._checks = KeyedTasks("check", self._settings.parallel_jobs)
        self._sends = KeyedTasks("send", 4)
        self._panels: dict[Bytes32, tuple[float, tuple[Address, ...]]] = {}
        self._rater = rater
        self._rounds = KeyedTasks("rating", 1)
        self._next_round = time.monotonic() + self._pause_s()
        self._collected_at = time.monotonic()
        self._submitted_since: dict[Bytes32, float] = {}
        self._agreed_since: dict[Bytes32, float] = {}
        self._asked_since: dict[Bytes32, float] = {}
        self._audited: dict[Bytes32, bool] = {}
        # What was closed before a job opened stays so: a look at it is enough.
        self._shown: dict[Bytes32, TrackRecord] = {}
        self._proven: dict[Bytes32, dict[Address, int]] = {}

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set."""
        self._alarm.listen(stop)
        while not stop.is_set():
            try:
                if self._alarm.is_due:
                    self.tick()
                else:
                    self._keep_seat()
                    self._keep_ratings()
            except ComputilityError as error:
                _log.warning("%s: %s", error.code, error)
                # What failed is tried again, and not at once.
                stop.wait(self._settings.poll_interval_s)
            self._alarm.wait(self._settings.poll_interval_s)
        self._checks.close()
        self._sends.close()
        self._rounds.close()

    def tick(self) -> None:
        """Look at every live job once, and start what is to be done."""
        jobs = [job for verifier in self._serves for job in self._watch.live(verifier=verifier)]
        self._alarm.looked(len(jobs))
        live = {job.id for job in jobs}
        for kept in (
            self._submitted_since,
            self._agreed_since,
            self._asked_since,
            self._panels,
            self._audited,
            self._shown,
            self._proven,
        ):
            for gone in kept.keys() - live:
                del kept[gone]
        self._desk.keep(live)
        for job in jobs:
            if self._still_open_to_verdicts(job) and job.terms.verifier_fee >= self._settings.least_fee:
                self._advance(job)
        self._keep_seat()
        self._keep_ratings()

    def _pause_s(self) -> float:
        return self._settings.rate_every_s * (0.5 + secrets.randbelow(1_000) / 1_000)

    def _keep_ratings(self) -> None:
        """Challenge a provider, when it is time: one without a rating by this account that holds for half of its life yet."""
        if self._rater is None or self._settings.rate_every_s <= 0 or time.monotonic() < self._next_round:
            return
        self._next_round = time.monotonic() + self._pause_s()
        rater, soon = self._rater, self._account.chain_time() + self._rater.valid_s // 2
        due = [
            parse_address(row["address"])
            for row in self._node.providers()
            if row["active"]
            and not any(
                parse_address(rating["verifier"]) == self._account.address and rating["valid_until"] > soon
                for rating in row["ratings"]
            )
        ]
        if due:
            self._rounds.offer("round", lambda: rater.rate(secrets.choice(due)))

    def _keep_seat(self) -> None:
        """Collect fees, and begin or end to serve, when it is time."""
        if self._seat is None or time.monotonic() < self._collected_at + self._settings.collect_every_s:
            return
        self._collected_at = time.monotonic()
        fees = CommitteeFees(self._account, self._node, self._seat)
        self._sends.offer("fees", fees.collect)
        self._sends.offer("seat", self._seat.rotate_if_due)

    def _still_open_to_verdicts(self, job: WatchedJob) -> bool:
        if job.chain.state is JobState.OPEN:
            return job.now <= job.terms.end
        waits = job.chain.state is JobState.PENDING and job.chain.outcome < Outcome.PASS
        return waits and job.now <= job.chain.deadline

    def _advance(self, job: WatchedJob) -> None:
        page = self._node.attestations(job.id)
        aggregate = page["aggregate"]
        if aggregate is None or not aggregate["complete"]:
            if not any(parse_address(row["signer"]) == self._account.address for row in page["items"]):
                self._check_in_turn(job)
            return
        since = self._agreed_since.setdefault(job.id, time.monotonic())
        signers = [parse_address(signer) for signer in aggregate["signers"]]
        if self._account.address not in signers:
            return
        passed = aggregate["attestation"]["verdict"] == int(Verdict.PASS)
        wait_s = signers.index(self._account.address) * self._settings.send_step_s
        wait_s += self._settings.send_pass_after_s if passed else 0.0
        if time.monotonic() >= since + wait_s:
            self._sends.offer(job.id, lambda: self._send(job))

    def _check_in_turn(self, job: WatchedJob) -> None:
        found = self._watch.submission(job)
        if found is None:
            return
        seen = self._submitted_since.setdefault(job.id, time.monotonic())
        place = self._place(job)
        if place is None:
            return
        on_duty = self._seat is None or place < self._seat.rules.threshold or self._is_drawn_from(job)
        if on_duty or time.monotonic() >= seen + self._settings.standby_s:
            self._checks.offer(job.id, lambda: self._check(job, *found))

    def _is_drawn_from(self, job: WatchedJob) -> bool:
        """Whether the seed, not the panel's order, says who runs the job: then everybody waits for it."""
        known = self._audited.get(job.id)
        if known is None:
            specification = self._check_of.specification(job.terms)
            known = specification is not None and audit_policy_of(specification.verification) is not None
            self._audited[job.id] = known
        return known

    def _place(self, job: WatchedJob) -> int | None:
        """This verifier's place among those who may check the job; None if it may not. All of a panel rank each other alike, by a hash."""
        if job.terms.verifier == self._account.address:
            return 0
        ranked = self._ranked(job)
        return ranked.index(self._account.address) if self._account.address in ranked else None

    def _ranked(self, job: WatchedJob) -> list[Address]:
        return ranked(job.id, self._panel(job))

    def _panel(self, job: WatchedJob) -> tuple[Address, ...]:
        read_at, panel = self._panels.get(job.id, (float("-inf"), ()))
        if self._seat is None or (panel and time.monotonic() < read_at + _PANEL_FOR_S):
            return panel
        seat, opened_in = self._seat, job.chain.opened_in
        panel = seat.panel(job.id)
        self._panels[job.id] = time.monotonic(), panel
        if self._account.address in panel:
            # A chain forgets the hash of the opening's block, by which the panel was drawn.
            self._sends.offer(f"block {opened_in}", lambda: seat.keep_panel(job.id, opened_in, _RECORD_AFTER_BLOCKS))
        return panel

    def _check(self, job: WatchedJob, signed: SignedStatement, submission: Submission) -> None:
        # The round that offered this may have read the journal before an earlier check of the same job was published.
        if self._word_of(job, self._account.address) is not None:
            return
        specification = self._check_of.specification(job.terms)
        level = service_level_of(job.terms.sla, self._content)
        finding = self._found(job, signed, submission, specification)
        if finding is None or self._may_tell_later(job, finding):
            return
        if finding.verdict is Verdict.PASS and finding.execution is not None:
            self._keep_available(finding.execution)
        evidence = finding.evidence(JobId(job.id), job.terms, self._check_of.environment(specification), signed)
        self._content.put(evidence.to_bytes())
        attestation = finding.attestation(JobId(job.id), evidence.digest)
        if level is not None:
            attestation = under_service_level(attestation, level, opened_at(self._account.rpc, job), submission)
        self._node.publish(self._account.sign(attestation))
        _log.info("attested job %s: %s (%s)", job.id, finding.verdict.name, finding.reason)

    def _found(
        self, job: WatchedJob, signed: SignedStatement, submission: Submission, specification: Specification | None
    ) -> Finding | None:
        """What is to be said; None while a challenge, or the member that audits, is waited for."""
        policy = {} if specification is None else specification.verification
        audits = audit_policy_of(policy)
        record = self._record(job, audits) if audits is not None else None
        drawn_from = draws(policy)
        # Once a challenge is open, everybody can tell what it draws: nobody may still choose then whether to show it.
        if specification is not None and (drawn_from or record is not None):
            uploaded = self._check_of.uploaded(specification, submission)
            missing = Finding(Verdict.NO_FAULT, OUTPUTS_MISSING, None)
            if uploaded is Uploaded.MISSING and (drawn_from or self._may_tell_later(job, missing)):
                return missing
            if uploaded is not Uploaded.ALL or self._came_late(job):
                # Who does not show its work is not believed: it is run again in full.
                record = None
        challenge, withheld = None, False
        if drawn_from or record is not None:
            challengers = self._challengers(job)
            # Whether a credible provider is audited is drawn by the first of the panel alone; its silence is no second draw, but a full check.
            found = self._desk.opened(job, submission, challengers if record is None else challengers[:1])
            withheld = isinstance(found, Withheld)
            challenge = found if isinstance(found, OpenedChallenge) else None
            if found is None and (record is None or self._desk.silent_s(job.id) < self._settings.standby_s):
                return None
        if specification is not None and audits is not None and record is not None and challenge is not None:
            seed = challenge.seed(signed, submission)
            if len(record.passed) < audits.checks_wanted:
                return self._in_quorum(job, signed, submission, specification, audits, len(record.passed), seed)
            credibility = Credibility(audits.audit_bps, audits.is_audited(seed, job.id), record.passed)
            return self._on_credit(job, signed, submission, specification, challenge, credibility)
        if audits is not None and self._waits_behind_those_on_duty(job):
            return None
        _log.info("checking job %s%s", job.id, ", all of it: its draw is withheld" if withheld else "")
        return self._check_of.check(job.terms, signed, submission, challenge, withheld=withheld)

    def _challengers(self, job: WatchedJob) -> list[Address]:
        """Who may challenge a job, in their order."""
        return [job.terms.verifier] if job.terms.verifier == self._account.address else self._ranked(job)

    def _waits_behind_those_on_duty(self, job: WatchedJob) -> bool:
        """Whether as many as have to sign stand before this member, and still have time to."""
        if self._seat is None or (self._place(job) or 0) < self._seat.rules.threshold:
            return False
        return self._waited_s(job) < self._settings.standby_s

    def _waited_s(self, job: WatchedJob) -> float:
        return time.monotonic() - self._submitted_since.get(job.id, time.monotonic())

    def _record(self, job: WatchedJob, audits: AuditPolicy) -> TrackRecord | None:
        """What a job's provider has to show; None where it is excluded or known to make results up, or risks too little on this job: then
        nobody's word counts but the own run."""
        if not audits.is_covered(job.terms):
            return None
        if job.id in self._shown:
            return None if self._shown[job.id].excluded else self._shown[job.id]
        members = (job.terms.verifier, *(self._seat.members() if self._seat is not None else ()))
        if self._records.gave_wrong_answers(job.terms.provider, members):
            return None
        record = self._shown[job.id] = self._records.of(job, audits.checks_wanted, audits.rule)
        return None if record.excluded else record

    def _in_quorum(
        self,
        job: WatchedJob,
        signed: SignedStatement,
        submission: Submission,
        specification: Specification,
        audits: AuditPolicy,
        passed: int,
        seed: bytes,
    ) -> Finding | None:
        """A provider that has not proved itself: members run its job, one after the other as the seed has them, until the posterior of its result is
        what the rule wants; the others sign then. Who comes to anything else than the first has everybody run it."""
        expected = unseen(submission)
        evidence = expected.evidence(JobId(job.id), job.terms, self._check_of.environment(specification), signed)
        order = drawn_order(seed, self._challengers(job))
        members = self._proven.get(job.id)
        if members is None:
            members = self._proven[job.id] = self._records.of_members(job, order, audits.checks_wanted)
        ran: list[int] = []
        for member in order:
            if audits.rule.enough(passed, ran):
                return expected
            if member == self._account.address:
                break
            word = self._word_of(job, member)
            if word is None and self._waited_s(job) < self._settings.standby_s:
                return None
            if word is not None and (word.verdict, word.evidence) != (Verdict.PASS, evidence.digest):
                break
            if word is not None:
                ran.append(members[member])
        if audits.rule.enough(passed, ran):
            return expected
        _log.info("checking job %s, as one of %d so far", job.id, len(ran) + 1)
        return self._check_of.check(job.terms, signed, submission, None)

    def _on_credit(
        self,
        job: WatchedJob,
        signed: SignedStatement,
        submission: Submission,
        specification: Specification,
        challenge: OpenedChallenge,
        credibility: Credibility,
    ) -> Finding | None:
        """A credible provider's result: believed, unless the draw has one member audit it, whose word the others then take for a pass."""
        expected = believed(submission, challenge, credibility)
        if not credibility.audited:
            return expected
        # Who audits is drawn with whether: a provider cannot know if it is a friend of its own.
        auditor = drawn_order(challenge.seed(signed, submission), self._challengers(job))[0]
        if auditor != self._account.address and self._waited_s(job) < self._settings.standby_s:
            word = self._word_of(job, auditor)
            if word is None:
                return None
            evidence = expected.evidence(JobId(job.id), job.terms, self._check_of.environment(specification), signed)
            if word.verdict is Verdict.PASS and word.evidence == evidence.digest:
                return expected
        _log.info("auditing job %s", job.id)
        return audited(self._check_of.check(job.terms, signed, submission, None), challenge, credibility)

    def _word_of(self, job: WatchedJob, member: Address) -> Attestation | None:
        for row in self._node.attestations(job.id)["items"]:
            statement = read_statement(row, self._account.ledger.domain)
            if statement.signer == member and isinstance(statement.message, Attestation):
                return statement.message
        return None

    def _may_tell_later(self, job: WatchedJob, finding: Finding) -> bool:
        since = self._asked_since.setdefault(job.id, time.monotonic())
        waits = time.monotonic() < since + self._settings.answer_within_s
        return waits and finding.verdict is Verdict.NO_FAULT and finding.reason in _MAY_PASS_BY

    def _came_late(self, job: WatchedJob) -> bool:
        """Whether outputs were missing for longer than they may be; by now another member may have uploaded what it found itself."""
        since = self._asked_since.get(job.id)
        return since is not None and time.monotonic() >= since + self._settings.answer_within_s

    def _keep_available(self, execution: Execution) -> None:
        """A pass means that the buyer can have the outputs; where the provider did not upload them, the verifier does: they are the same bytes."""
        for file in execution.manifest.files:
            if not self._content.has(file.cid):
                self._content.put(execution.outputs[file.path])
        if not self._content.has(execution.manifest.cid):
            self._content.put(execution.manifest.to_bytes())

    def _send(self, job: WatchedJob) -> None:
        found = self._watch.aggregate(job)
        if found is None:
            return
        attestation, signatures = found
        if attestation.verdict is Verdict.NO_FAULT and job.chain.state is not JobState.OPEN:
            return
        receipt = self._account.attest(job.terms, attestation, signatures)
        _log.info("brought the attestation of job %s: %s", job.id, receipt.tx_hash)
