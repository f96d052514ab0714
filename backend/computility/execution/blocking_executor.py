"""What back ends on this machine have in common: each attempt is a thread that runs to its end.

Attempts live in this process and die with it; what outlasts an agent is its ``RunJournal``.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from computility.domain.errors import (
    ComputilityError,
    EnvironmentMismatch,
    ExecutorBusy,
    ExecutorCrashed,
    ExecutorFailed,
    HostMemoryExhausted,
    JobFault,
    RunCancelled,
)
from computility.domain.identifiers import bytes32
from computility.domain.specification import Specification
from computility.execution.content_store import ContentStore
from computility.execution.executor import (
    AttemptId,
    Capabilities,
    Execution,
    MeterSample,
    Prepared,
    RunState,
    fetch_all,
    run_to_end,
)

_REMEMBERED = 8
"""Attempts that ended and can still be collected; each holds its outputs."""
_MAX_SAMPLES = 100_000


@dataclass
class Run:
    """A running attempt, as the thread that runs it sees it."""

    attempt: AttemptId
    started: float = field(default_factory=time.monotonic)
    samples: list[MeterSample] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    cancelled: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    execution: Execution | None = None
    error: ComputilityError | None = None
    _on_cancel: list[Callable[[], None]] = field(default_factory=list)
    _afterwards: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def sample(self, sample: MeterSample) -> None:
        """Add a meter sample; above a bound the newest replaces the one before."""
        with self.changed:
            if len(self.samples) >= _MAX_SAMPLES:
                self.samples.pop()
            self.samples.append(sample)
            self.changed.notify_all()

    def samples_after(self, told: int) -> tuple[list[MeterSample], bool]:
        """Waits for samples beyond the first ``told``, or the end. The samples, and whether it has ended."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.samples) > told or self.ended.is_set())
            return self.samples[told:], self.ended.is_set()

    def elapsed_ms(self) -> int:
        """Milliseconds since the start."""
        return int((time.monotonic() - self.started) * 1000)

    @contextlib.contextmanager
    def stopped_by(self, stop: Callable[[], None]) -> Iterator[None]:
        """While this lasts, a cancellation calls ``stop``.

        Raises:
            RunCancelled: it was cancelled before or meanwhile.
        """
        with self.changed:
            self._on_cancel.append(stop)
        try:
            if not self.cancelled.is_set():
                yield
        finally:
            with self.changed:
                self._on_cancel.remove(stop)
            if self.cancelled.is_set():
                raise RunCancelled(f"attempt {self.attempt} was cancelled")

    def afterwards(self, tidy: Callable[[], None]) -> None:
        """Call ``tidy`` when it has ended and whoever waits for it was told."""
        self._afterwards.callback(tidy)

    def tidy(self) -> None:
        """Call what was left for afterwards."""
        self._afterwards.close()

    def cancel(self) -> None:
        """End it."""
        self.cancelled.set()
        with self.changed:
            stops = list(self._on_cancel)
        for stop in stops:
            stop()

    def end(self, execution: Execution | None, error: ComputilityError | None) -> None:
        """Say how it ended."""
        with self.changed:
            self.execution, self.error = execution, error
            self.ended.set()
            self.changed.notify_all()

    @property
    def state(self) -> RunState:
        """Where it stands."""
        if not self.ended.is_set():
            return RunState.RUNNING
        match self.error:
            case None:
                return RunState.SUCCEEDED
            case RunCancelled():
                return RunState.CANCELLED
            case JobFault():
                return RunState.FAULTED
            case _:
                return RunState.FAILED


class BlockingExecutor(ABC):
    """An executor whose back end runs a job in one blocking call."""

    def __init__(self, max_running: int = 64) -> None:
        self._max_running = max_running
        self._runs: dict[AttemptId, Run] = {}
        self._lock = threading.Lock()

    @property
    def environment(self) -> str:
        """The environment class."""
        return self.capabilities().environment

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""

    @abstractmethod
    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        """Run a job to its end, adding samples to ``run`` and stopping when it is cancelled. Raises as ``collect``."""

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run.

        Raises:
            EnvironmentMismatch: a job of another class or kind.
            HostMemoryExhausted: the job wants more memory or input than this machine gives.
        """
        has = self.capabilities()
        if (specification.environment, specification.kind) != (has.environment, has.kind):
            raise EnvironmentMismatch(
                f"the job asks for {specification.environment} and this machine is {has.environment}: choose a provider of its class"
            )
        if (wanted := specification.limits.memory_bytes) > has.memory_bytes:
            raise HostMemoryExhausted(
                f"the job may use {wanted} bytes of memory, and this machine gives it {has.memory_bytes}"
            )
        if (size := sum(file.size for file in specification.inputs)) > has.input_bytes:
            raise HostMemoryExhausted(f"the job has {size} bytes of inputs, and this machine holds {has.input_bytes}")

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, fetch and check what was fetched. Raises as the protocol says."""
        self.check(specification)
        return Prepared(specification, fetch_all(specification, content))

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Start an attempt. One that runs, or is remembered as ended, is not started again.

        Raises:
            ExecutorBusy: too many run already.
        """
        with self._lock:
            if attempt in self._runs:
                return
            ended = [known for known, run in self._runs.items() if run.ended.is_set()]
            if len(self._runs) - len(ended) >= self._max_running:
                raise ExecutorBusy(f"{self._max_running} jobs run here already: try again later")
            for forgotten in ended[: max(0, len(ended) + 1 - _REMEMBERED)]:
                del self._runs[forgotten]
            run = self._runs[attempt] = Run(attempt)
        threading.Thread(target=self._to_its_end, args=(run, prepared), name=f"job-{attempt}", daemon=True).start()

    def status(self, attempt: AttemptId) -> RunState:
        """Where it stands."""
        run = self._runs.get(attempt)
        return run.state if run else RunState.UNKNOWN

    def meter(self, attempt: AttemptId) -> Iterator[MeterSample]:
        """Its samples from the first on, as they come, until it ends."""
        run = self._known(attempt)
        told = 0
        while True:
            fresh, over = run.samples_after(told)
            yield from fresh
            told += len(fresh)
            if over:
                return

    def collect(self, attempt: AttemptId) -> Execution:
        """Wait for its end, and take what came out. Raises as the protocol says."""
        run = self._known(attempt)
        run.ended.wait()
        if run.error is not None:
            raise run.error
        assert run.execution is not None
        return run.execution

    def wait(self, attempt: AttemptId, timeout_s: float | None = None) -> RunState:
        """Wait for its end, or for so long. The state then."""
        if run := self._runs.get(attempt):
            run.ended.wait(timeout_s)
        return self.status(attempt)

    def cancel(self, attempt: AttemptId) -> None:
        """End it now."""
        if run := self._runs.get(attempt):
            run.cancel()

    def run(self, specification: Specification, content: ContentStore) -> Execution:
        """One run outside any trade, to its end. Raises what ``prepare`` and ``collect`` do."""
        return run_to_end(self, AttemptId(bytes32(secrets.token_bytes(32)), 0), specification, content)

    def _known(self, attempt: AttemptId) -> Run:
        run = self._runs.get(attempt)
        if run is None:
            raise ExecutorFailed(f"attempt {attempt} was not started here, or is forgotten: start it")
        return run

    def _to_its_end(self, run: Run, prepared: Prepared) -> None:
        try:
            execution = self._execute(run, prepared)
            run.end(replace(execution, samples=tuple(run.samples)), None)
        except ComputilityError as error:
            run.end(None, error)
        except Exception as error:  # noqa: BLE001 - whoever collects is told; a dead thread would leave it waiting for ever
            run.end(None, ExecutorCrashed(f"an error of our own: {type(error).__name__}: {error}"))
        finally:
            run.tidy()
