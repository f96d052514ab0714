"""``SlurmExecutor``: a provider's Slurm cluster. Each attempt is a batch job of the provider's own user, which runs it in the machine's sandbox.

An attempt is known by its name in the queue and by its folder: an agent that was killed finds the job that it had submitted, or the result.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from computility.domain.errors import (
    ExecutorBusy,
    ExecutorCrashed,
    ExecutorFailed,
    ExecutorUnfit,
    JobMemoryExceeded,
    JobTimeExceeded,
    RunCancelled,
)
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import BlockingExecutor, Run
from computility.execution.executor import Capabilities, Execution, Prepared
from computility.execution.sandbox.sandboxed_run import all_memory
from computility.execution.sandbox.self_test import prove_walls
from computility.execution.slurm.cluster import BatchRequest, SlurmCluster, SlurmQueue
from computility.execution.slurm.node_settings import NodeSettings
from computility.execution.spool import Spool, SpooledAttempt

_PLACED: Final = 4
"""How often a job is submitted whose machine was lost."""
_LOST: Final = ("NODE_FAIL", "BOOT_FAIL", "PREEMPTED", "REQUEUED")
_LIVES: Final = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT", "SIGNALING", "STOPPED")
_SHOWS_S: Final = 30.0
"""How long a shared folder may take to show what another machine wrote."""
_SILENT_S: Final = 300.0
"""How long Slurm may not answer before a job that runs is given up."""
_SAID: Final = 400


class SlurmExecutor(BlockingExecutor):
    """Runs ``process`` or ``wasm`` jobs, as ``settings`` say, on a cluster."""

    def __init__(self, settings: NodeSettings, cluster: SlurmCluster) -> None:
        super().__init__(max_running=1024)
        self._settings = settings
        self._cluster = cluster
        self._queue = SlurmQueue(cluster)
        self._spool = Spool(cluster.shared)
        self._local = settings.make()

    def capabilities(self) -> Capabilities:
        """Those of one machine; as many jobs at one time as the settings say."""
        has = self._local.capabilities()
        held = {**has.safeguards, "slurm": f"{self._queue.version()}, no environment of the agent's"}
        # What this machine says of its control groups is nothing about the others.
        held.pop("cgroup", None)
        return replace(has, parallel=self._settings.bounds.parallel, safeguards=held)

    @property
    def environment(self) -> str:
        """The environment class, which every machine of the cluster has to be of: one that is not refuses the job."""
        return self._local.environment

    def check(self, specification: Specification) -> None:
        """Refuse what a machine of the cluster cannot run."""
        self._local.check(specification)

    def self_test(self) -> None:
        """Prove the walls on a machine that Slurm chooses.

        Raises:
            ExecutorUnfit: something is not refused, or no machine runs anything.
        """
        if self._settings.kind == "process":
            prove_walls(self, gpus=min(1, self._settings.bounds.gpus))

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        spooled = self._spool.of(run.attempt)
        for placed in range(1, _PLACED + 1):
            state = self._placed(run, prepared, spooled)
            if spooled.ended or _appears(lambda: spooled.ended, 0 if state in _LOST else _SHOWS_S):
                try:
                    _hand_on(run, spooled)
                    return spooled.execution(prepared.specification, self.environment)
                finally:
                    spooled.remove()
            if state not in _LOST or placed == _PLACED:
                raise _failed(state, spooled)
        raise AssertionError

    def _placed(self, run: Run, prepared: Prepared, spooled: SpooledAttempt) -> str:
        """One batch job from submission to its end; the state that it ended in."""
        if spooled.ended:
            return "COMPLETED"
        name = f"computility-{run.attempt}"
        number = self._queue.find(name)
        if number is None:
            spooled.write(prepared, self._settings.to_document())
            try:
                number = self._queue.submit(self._request(name, run, prepared, spooled))
            except ExecutorUnfit:
                spooled.remove()
                raise
        waits_until = time.monotonic() + self._cluster.queue_s
        heard_at = time.monotonic()
        try:
            while not run.cancelled.wait(self._cluster.poll_s):
                try:
                    state = self._queue.state(number)
                    heard_at = time.monotonic()
                except ExecutorFailed:
                    # A controller may be restarted while jobs run on.
                    if time.monotonic() - heard_at > _SILENT_S:
                        raise
                    continue
                _hand_on(run, spooled)
                if state == "NEVER":
                    raise ExecutorUnfit("no machine of the cluster is as large as the job asks for")
                if state not in _LIVES:
                    return state
                if state == "PENDING" and time.monotonic() > waits_until:
                    raise ExecutorBusy(f"no machine of the cluster was free for {self._cluster.queue_s:g} s")
            raise RunCancelled(f"attempt {run.attempt} was cancelled")
        except (RunCancelled, ExecutorBusy, ExecutorUnfit):
            with contextlib.suppress(ExecutorCrashed):
                self._queue.cancel(number)
            spooled.remove()
            raise

    def _request(self, name: str, run: Run, prepared: Prepared, spooled: SpooledAttempt) -> BatchRequest:
        limits = prepared.specification.limits
        if isinstance(limits, CommandLimits):
            # A job that may use more processor than it has time uses several, as far as there are any for it.
            cpus = min(self._cluster.cpus, max(1, -(-limits.cpu_s // limits.wall_s)))
            wall_s, memory, gpus = limits.wall_s, all_memory(limits), limits.gpus
        else:
            cpus, wall_s, memory, gpus = 1, self._settings.bounds.wall_s, limits.memory_bytes + limits.output_bytes, 0
        argument = f"{run.attempt.job}-{run.attempt.attempt}"
        inputs = sum(file.size for file in prepared.specification.files)
        return BatchRequest(name, spooled.folder, argument, wall_s, memory + 2 * inputs, cpus, gpus)


def _hand_on(run: Run, spooled: SpooledAttempt) -> None:
    for sample in spooled.samples(len(run.samples)):
        run.sample(sample)


def _appears(condition: Callable[[], bool], within_s: float) -> bool:
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.2)
    return True


def _failed(state: str, spooled: SpooledAttempt) -> Exception:
    try:
        said = (spooled.folder / "said").read_text(errors="replace").strip()[-_SAID:]
    except OSError:
        said = ""
    spooled.remove()
    if state == "TIMEOUT" or state == "DEADLINE":
        return JobTimeExceeded("Slurm ended the job: it took longer than it may")
    if state == "OUT_OF_MEMORY":
        return JobMemoryExceeded("Slurm ended the job: it used more memory than it may")
    return ExecutorCrashed(f"the batch job ended as {state} without a result" + (f" and said: {said}" if said else ""))
