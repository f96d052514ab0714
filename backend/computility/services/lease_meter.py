"""A provider's side of a metered lease: runs the job, reads its meter, and stops when the buyer no longer signs."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from computility.domain.attestation import Attestation, Verdict
from computility.domain.errors import LeaseEnded
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.meter_sample import MAX_PROCESSES, MeterSampleDocument
from computility.domain.metered_lease import MeterReading
from computility.domain.signature import recover_signer
from computility.domain.specification import Specification
from computility.domain.statements import SignedStatement, StatementKind, read_statement
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Execution, Executor, MeterSample, RunState
from computility.execution.gpu.nvml_cards import find_cards
from computility.execution.machine_meter import LeaseMachineMeter
from computility.services.job_watch import WatchedJob
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.lease_heartbeat import LeasePolicy

_log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2
_ASK_S: Final = 0.5
CONTESTED: Final = "contested"
NOT_CO_SIGNED: Final = "not-co-signed"
ENDED_BY_BUYER: Final = "ended-by-buyer"
BEGUN_BEFORE: Final = "begun-before"
PROVIDER_STOPS: Final = "provider-stops"


def readings_of(node: NodeClient, account: TradingAccount, job: Bytes32, after: int = 0) -> list[SignedStatement]:
    """The meter of a lease, each signature proved, in its order; what follows reading ``after``."""
    return [read_statement(row, account.ledger.domain) for row in node.meter_readings(job, after)]


def co_signed(node: NodeClient, account: TradingAccount, job: WatchedJob) -> tuple[int, bool]:
    """The most units that the job's verifier has signed for, and whether that word is final."""
    aggregate = node.attestations(job.id, limit=1)["aggregate"]
    if aggregate is None:
        return 0, False
    attestation = Attestation.from_json(aggregate["attestation"])
    signer = recover_signer(attestation.digest(account.ledger.domain), str(aggregate["signatures"]))
    if (attestation.job, signer, attestation.verdict) != (job.id, job.terms.verifier, Verdict.PASS):
        return 0, False
    return attestation.units, attestation.is_final


class LeaseMeter:
    """One provider's meters. A lease that was begun by an agent before this one is not begun again: it is handed back at what is signed."""

    def __init__(self, account: TradingAccount, node: NodeClient, content: ContentStore) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End every lease that runs: the agent ends, and nobody would meter them."""
        self._stopping.set()

    def run(
        self, job: WatchedJob, specification: Specification, policy: LeasePolicy, executor: Executor, attempt: AttemptId
    ) -> tuple[Execution, int]:
        """Run the job until it ends by itself. What came out, and the units of the last reading.

        Raises:
            LeaseEnded: the buyer stopped signing, contested a reading, or ended the lease, or this side stops; ``reason`` says which. The job was
            cancelled.
            JobFault, ExecutorFailed, ContentError: as the executor says.
        """
        if readings_of(self._node, self._account, job.id):
            raise LeaseEnded("an agent before this one metered this lease, and its job is gone", BEGUN_BEFORE)
        prepared = executor.prepare(specification, self._content)
        machine = LeaseMachineMeter(find_cards() if executor.capabilities().gpus else None)
        executor.start(attempt, prepared)
        run = _Run(job, policy, executor, attempt, machine)
        try:
            self._meter(run)
        except BaseException:
            executor.cancel(attempt)
            raise
        execution = executor.collect(attempt)
        self._read(run, is_last=True)
        return execution, run.units

    def _meter(self, run: _Run) -> None:
        next_reading = run.policy.reading_every_s
        asked = 0.0
        while run.executor.status(run.attempt) is RunState.RUNNING:
            if self._stopping.is_set():
                raise LeaseEnded("the agent was told to stop", PROVIDER_STOPS)
            if run.elapsed_s() >= next_reading:
                self._read(run, is_last=False)
                next_reading = run.elapsed_s() + run.policy.reading_every_s
            if run.elapsed_s() >= asked + _ASK_S:
                asked = run.elapsed_s()
                self._ask(run)
            time.sleep(_LOOK_S)

    def _ask(self, run: _Run) -> None:
        """Whether the buyer still wants it."""
        run.signed, is_final = co_signed(self._node, self._account, run.job)
        if is_final:
            raise LeaseEnded("the buyer signed a final reading", ENDED_BY_BUYER)
        if self._node.meter_contests(run.job.id):
            raise LeaseEnded("the buyer contests a reading", CONTESTED)
        if run.elapsed_s() - run.signed >= run.policy.interval_s:
            raise LeaseEnded(
                f"the buyer has signed for {run.signed} s of {run.elapsed_s():.0f} s, and an interval is {run.policy.interval_s} s",
                NOT_CO_SIGNED,
            )

    def _read(self, run: _Run, *, is_last: bool) -> None:
        most = run.job.terms.max_units
        units = min(int(run.elapsed_s()), most)
        if is_last:
            units = max(1, units, run.units)
        elif units <= run.units:
            return
        used = run.follower.newest
        machine = run.machine.read(used)
        sample = MeterSampleDocument(
            cpu_ms=used.cpu_ms,
            memory_bytes=used.memory_bytes,
            processes=used.processes[:MAX_PROCESSES],
            energy_mj=machine.energy_mj,
            energy_source=machine.energy_source,
            busy_permille=machine.busy_permille,
            clock_mhz=machine.clock_mhz,
        )
        self._content.put(sample.to_bytes())
        reading = MeterReading(
            run.job.id, run.attempt.attempt, run.sequence + 1, run.previous, units, _now_ms(), sample.digest, is_last
        )
        statement = self._account.sign(reading)
        assert statement.kind is StatementKind.METER_READING
        self._node.publish(statement)
        run.sequence, run.previous, run.units = reading.sequence, statement.id, units
        _log.info("metered job %s: %d s", run.job.id, units)


class _Run:
    """A lease that runs."""

    def __init__(
        self, job: WatchedJob, policy: LeasePolicy, executor: Executor, attempt: AttemptId, machine: LeaseMachineMeter
    ) -> None:
        self.job, self.policy, self.executor, self.attempt, self.machine = job, policy, executor, attempt, machine
        self.follower = _Follower(executor, attempt)
        self.started = time.monotonic()
        self.signed = self.units = self.sequence = 0
        self.previous = ZERO_BYTES32

    def elapsed_s(self) -> float:
        return time.monotonic() - self.started


class _Follower:
    """The newest sample of an attempt."""

    def __init__(self, executor: Executor, attempt: AttemptId) -> None:
        self.newest = MeterSample(0)
        threading.Thread(target=self._follow, args=(executor, attempt), name=f"meter-{attempt}", daemon=True).start()

    def _follow(self, executor: Executor, attempt: AttemptId) -> None:
        for sample in executor.meter(attempt):
            # What a back end adds at the end has no processes any more; the counters rise.
            self.newest = sample


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
