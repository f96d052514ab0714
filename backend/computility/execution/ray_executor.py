"""``RayExecutor``: a provider's own machines as one. Ray places each job; the machine that it lands on runs it in the sandbox, as it would alone.

One cluster belongs to one provider, and its token to nobody else: whoever may submit to a Ray cluster may run anything on it, so only this executor
does. Strangers' jobs never speak to Ray; they are data to a task that starts a sandbox. Ray listens on every interface: the token is what keeps
others out, and a firewall should (decision 0072).

Ray reads its security settings when it is imported, so it is imported here late, after they are set.
"""

from __future__ import annotations

import importlib
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from computility.domain.errors import (
    ComputilityError,
    ExecutionError,
    ExecutorCrashed,
    ExecutorUnfit,
    RunCancelled,
    WallClockExceeded,
)
from computility.domain.specification import Specification
from computility.domain.task_specification import CommandLimits
from computility.execution.blocking_executor import BlockingExecutor, Run
from computility.execution.executor import AttemptId, Capabilities, Execution, Executor, Prepared, run_prepared
from computility.execution.sandbox.self_test import prove_walls

_TOKEN_BYTES: Final = 32
_RETRIES: Final = 3
"""How often a job that lost its machine is placed anew. One that is being ended may lose the sandbox before its worker, which tells of that still."""
_SELF_TEST_S: Final = 300
SPARE_S: Final = 300
"""How long a job may take beside its own time, each time that it is placed: the sandbox's limit has to come before this one."""
_LOOK_S: Final = 5
"""How soon a cancelled job ends here whose machine does not say that it ended."""
_HEALTH: Final = {
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 500,
    "health_check_failure_threshold": 3,
}
"""A machine that is silent for so long is gone."""

Outcome = tuple[Execution | None, ComputilityError | None]
"""What a task returns. Errors of ours travel as values: Ray would wrap them, and take a job's fault for its own. But a sandbox that fell over is
raised, so that the job is placed anew."""


@dataclass(frozen=True)
class RayCluster:
    """Where the cluster is. Without an ``address`` one is started on this machine alone, with ``cpus`` places and ``gpus`` cards (those that Ray
    finds for None), and ended with this process. ``token`` is the cluster's; a random one where none is given. ``queue_s``: the longest wait for a
    machine."""

    address: str | None = None
    cpus: int | None = None
    token: str | None = None
    gpus: int | None = None
    queue_s: float = 3600.0

    def __repr__(self) -> str:
        return f"RayCluster({self.address or 'own'})"


class RayExecutor(BlockingExecutor):
    """Runs what ``make`` makes on the machines of a cluster. ``make`` is called once on each worker; all machines have to be of its class.

    ``make_with_cards`` makes it for a job with GPUs, of the cards that Ray gave to it: Ray counts cards, and the machine's own leases hold them.
    """

    def __init__(
        self,
        make: Callable[[], Executor],
        cluster: RayCluster | None = None,
        max_running: int = 1024,
        *,
        make_with_cards: Callable[[], Executor] | None = None,
    ) -> None:
        super().__init__(max_running)
        self._cluster = cluster or RayCluster()
        self._make = make
        self._ray = _connected(self._cluster)
        self._local = make()
        self._task = self._ray.remote(max_retries=_RETRIES, retry_exceptions=[ExecutorCrashed], num_cpus=1)(
            _run_on_worker
        )
        # Small, so it travels in the task itself: an object of the store would be fetched anew for each job.
        self._maker: bytes = importlib.import_module("ray.cloudpickle").dumps(make)
        self._maker_with_cards: bytes | None = None
        if make_with_cards is not None:
            self._maker_with_cards = importlib.import_module("ray.cloudpickle").dumps(make_with_cards)

    def capabilities(self) -> Capabilities:
        """Those of one machine, as often as the cluster has places."""
        has = self._local.capabilities()
        places = int(self._ray.cluster_resources().get("CPU", 1))
        held = {**has.safeguards, "ray": "token; listens on every interface, so put a firewall before it"}
        # Samples come with the result.
        return replace(has, parallel=places, safeguards=held, tells_processes=False)

    @property
    def environment(self) -> str:
        """The environment class of every machine of the cluster."""
        return self._local.environment

    def check(self, specification: Specification) -> None:
        """Refuse what a machine of the cluster cannot run, and more cards than all of them have."""
        self._local.check(specification)
        wanted = _gpus_of(specification)
        if wanted and wanted > (has := int(self._ray.cluster_resources().get("GPU", 0))):
            raise ExecutorUnfit(f"the job wants {wanted} GPUs, and the Ray cluster has {has or 'none'}")

    def self_test(self) -> None:
        """Prove the walls on this machine and on one that Ray chooses.

        Raises:
            ExecutorUnfit: something is not refused.
        """
        test = getattr(self._local, "self_test", None)
        if test is not None:
            test()
            proof = self._ray.remote(num_cpus=1)(_test_on_worker).remote(self._maker)
            try:
                refusal = self._ray.get(proof, timeout=_SELF_TEST_S)
            except self._ray.exceptions.RayError as error:
                refusal = f"no proof came within {_SELF_TEST_S} s ({type(error).__name__})"
            if refusal:
                raise ExecutorUnfit(f"on a machine of the cluster: {refusal}")
        if self._maker_with_cards is not None:
            self._test_a_card(self._maker_with_cards)

    def _test_a_card(self, maker: bytes) -> None:
        """Have one job hold a card, on whichever machine Ray gives it one."""
        if int(self._ray.cluster_resources().get("GPU", 0)) < 1:
            raise ExecutorUnfit("the Ray cluster has no GPU: its machines join with `ray start --num-gpus`")
        test = self._ray.remote(num_cpus=1, num_gpus=1, max_calls=1)(_test_card_on_worker)
        try:
            refusal = self._ray.get(test.remote(maker, self.environment), timeout=_SELF_TEST_S)
        except self._ray.exceptions.RayError as error:
            refusal = f"no card came within {_SELF_TEST_S} s ({type(error).__name__})"
        if refusal:
            raise ExecutorUnfit(f"on a machine of the cluster: {refusal}")

    def warm_up(self) -> None:
        """Start a worker for each place, so that the first jobs need not wait for one.

        Raises:
            ExecutorUnfit: the cluster starts none.
        """
        places = int(self._ray.cluster_resources().get("CPU", 1))
        hold = self._ray.remote(num_cpus=1)(_hold)
        workers = [hold.remote(self._maker) for _ in range(places)]
        try:
            self._ray.get(workers, timeout=_SELF_TEST_S)
        except self._ray.exceptions.RayError as error:
            raise ExecutorUnfit(f"no worker started within {_SELF_TEST_S} s ({type(error).__name__})") from error

    def close(self) -> None:
        """Leave the cluster; ends one that this executor started."""
        self._ray.shutdown()

    def _submitted(self, run: Run, prepared: Prepared) -> Any:
        gpus = _gpus_of(prepared.specification)
        if not gpus:
            return self._task.remote(self._maker, run.attempt, prepared)
        if self._maker_with_cards is None:
            raise ExecutorUnfit(f"the job wants {gpus} GPUs, and this offer has none: choose an ask with GPUs")
        # A worker of its own, which ends with it: the cards that Ray gave to a process are in its environment for good.
        task = self._ray.remote(
            max_retries=_RETRIES, retry_exceptions=[ExecutorCrashed], num_cpus=1, num_gpus=gpus, max_calls=1
        )(_run_with_cards)
        return task.remote(self._maker_with_cards, run.attempt, prepared)

    def _execute(self, run: Run, prepared: Prepared) -> Execution:
        reference = self._submitted(run, prepared)
        try:
            with run.stopped_by(lambda: self._ray.cancel(reference, force=True)):
                execution, error = self._outcome(run, reference, self._longest_s(prepared.specification))
        except self._ray.exceptions.TaskCancelledError as cancelled:
            raise ExecutorCrashed("the cluster cancelled the job") from cancelled
        except self._ray.exceptions.RayError as lost:
            if isinstance(crash := getattr(lost, "cause", None), ExecutorCrashed):
                raise crash from lost
            raise ExecutorCrashed(f"the cluster lost the job {_RETRIES + 1} times: {type(lost).__name__}") from lost
        if error is not None:
            raise error
        assert execution is not None
        for sample in execution.samples:
            run.sample(sample)
        return execution

    def _longest_s(self, specification: Specification) -> float:
        """Seconds after which a job has ended on any cluster that works: it waits for a machine, and may lose it as often as it is placed anew."""
        limits = specification.limits
        wall_s = limits.wall_s if isinstance(limits, CommandLimits) else self._local.capabilities().wall_s
        return self._cluster.queue_s + (_RETRIES + 1) * (wall_s + SPARE_S)

    def _outcome(self, run: Run, reference: Any, longest_s: float) -> Outcome:
        """What the task returned.

        Raises:
            WallClockExceeded: nothing, in all that time.
            RunCancelled: it was cancelled, and its machine does not say that it ended.
        """
        give_up = time.monotonic() + longest_s
        while True:
            try:
                left_s = give_up - time.monotonic()
                outcome: Outcome = self._ray.get(reference, timeout=max(0.0, min(_LOOK_S, left_s)))
                return outcome
            except self._ray.exceptions.GetTimeoutError as silent:
                over = time.monotonic() >= give_up
                if not over and not run.cancelled.is_set():
                    continue
                self._ray.cancel(reference, force=True)
                if run.cancelled.is_set():
                    raise RunCancelled(f"attempt {run.attempt} was cancelled") from silent
                raise WallClockExceeded(
                    f"the cluster did not end the job within {longest_s:g} s: do its machines answer, and has one a place for it?"
                ) from silent


_made: dict[bytes, Executor] = {}
"""The executor of this worker, by how it is made."""


def _executor_of(maker: bytes) -> Executor:
    if maker not in _made:
        make: Callable[[], Executor] = importlib.import_module("ray.cloudpickle").loads(maker)
        _made[maker] = make()
    return _made[maker]


def _run_on_worker(maker: bytes, attempt: AttemptId, prepared: Prepared) -> Outcome:
    try:
        return run_prepared(_executor_of(maker), attempt, prepared), None
    except ExecutorCrashed:
        # It remembers how the attempt ended, which may be placed here again.
        _made.pop(maker)
        raise
    except ExecutionError as error:
        return None, error


def _run_with_cards(maker: bytes, attempt: AttemptId, prepared: Prepared) -> Outcome:
    try:
        executor: Executor = importlib.import_module("ray.cloudpickle").loads(maker)()
        # The cards are told apart only here: a machine with others is of another class.
        executor.check(prepared.specification)
        return run_prepared(executor, attempt, prepared), None
    except ExecutorCrashed:
        raise
    except ExecutionError as error:
        return None, error


def _test_card_on_worker(maker: bytes, environment: str) -> str:
    try:
        executor: Executor = importlib.import_module("ray.cloudpickle").loads(maker)()
        prove_walls(executor, gpus=1)
    except ComputilityError as error:
        return str(error)
    if executor.environment != environment:
        return f"its cards make it of the class {executor.environment}, and the offer is of {environment}: correct its toolset"
    return ""


def _gpus_of(specification: Specification) -> int:
    limits = specification.limits
    return limits.gpus if isinstance(limits, CommandLimits) else 0


def _test_on_worker(maker: bytes) -> str:
    try:
        _executor_of(maker).self_test()  # type: ignore[attr-defined]  # asked for only where the local one has it
    except ComputilityError as error:
        return str(error)
    return ""


def _hold(maker: bytes) -> None:
    import time

    _executor_of(maker)
    time.sleep(0.2)


def _connected(cluster: RayCluster) -> Any:
    os.environ["RAY_AUTH_MODE"] = "token"
    if cluster.token is not None or "RAY_AUTH_TOKEN" not in os.environ:
        os.environ["RAY_AUTH_TOKEN"] = cluster.token or secrets.token_hex(_TOKEN_BYTES)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise ExecutorUnfit("Ray is not installed: pip install 'computility[ray]'") from error
    settings: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    if ray.is_initialized():
        # One cluster a provider: its other executors share it.
        return ray
    if cluster.address is not None:
        ray.init(address=cluster.address, **settings)
    else:
        ray.init(
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            _system_config=_HEALTH,
            **settings,
        )
    return ray
