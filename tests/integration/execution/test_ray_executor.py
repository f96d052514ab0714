"""A provider's cluster: Ray places, the sandbox runs, a lost machine loses no job.

One cluster for the module, as it takes seconds to start. It has a head without places and two machines with one each.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench, needs_bubblewrap
from tests.integration.waiting import wait

from computility.domain.errors import ExecutorCrashed, ExecutorUnfit, JobFailed, RunCancelled, WallClockExceeded
from computility.domain.identifiers import bytes32
from computility.execution import ray_executor
from computility.execution.command_executor import CommandBounds
from computility.execution.executor import AttemptId, RunState
from computility.execution.gpu.assigned_cards import assigned_pool
from computility.execution.gpu.nvml_cards import find_cards
from computility.execution.ray_executor import RayCluster, RayExecutor
from computility.execution.sandbox.process_executor import ProcessExecutor

# Not imported to find out: Ray reads its security settings when it is.
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: pip install 'computility[ray]'"
)
pytestmark = [needs_bubblewrap, needs_ray, pytest.mark.timeout(280)]

TOKEN = "a7" * 32


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines of one place each, as processes of this one."""
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN, RAY_USAGE_STATS_ENABLED="0")
    from ray.cluster_utils import Cluster

    quick = {"health_check_period_ms": 500, "health_check_failure_threshold": 3, "health_check_initial_delay_ms": 0}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "_system_config": quick})
    # With a card that is declared and not there.
    cluster.add_node(num_cpus=1, num_gpus=1)
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def executor(cluster: Any) -> Iterator[RayExecutor]:
    """Commands on the cluster."""
    executor = RayExecutor(ProcessExecutor, RayCluster(cluster.address, token=TOKEN))
    yield executor
    executor.close()


def attempt(number: int) -> AttemptId:
    """An attempt at a job of its own."""
    return AttemptId(bytes32(number.to_bytes(32, "big")), 1)


def test_job__on_the_cluster__comes_to_what_it_comes_to_alone(executor: RayExecutor, sandbox: SandboxBench) -> None:
    job = sandbox.specification("/bin/sh", "-c", "tr a-z A-Z < words > /out/loud", inputs={"words": b"hello"})
    executor.start(attempt(1), executor.prepare(job, sandbox.content))
    execution = executor.collect(attempt(1))
    assert execution.manifest == sandbox.executor.run(job, sandbox.content).manifest
    assert execution.samples
    assert executor.environment == sandbox.executor.environment


def test_job__its_own_fault__is_told_as_such(executor: RayExecutor, sandbox: SandboxBench) -> None:
    executor.start(attempt(2), executor.prepare(sandbox.specification("false"), sandbox.content))
    with pytest.raises(JobFailed, match="exit code 1"):
        executor.collect(attempt(2))


def test_job__cancelled__ends(executor: RayExecutor, sandbox: SandboxBench) -> None:
    executor.start(attempt(3), executor.prepare(sandbox.specification("sleep", "50"), sandbox.content))
    threading.Timer(1, executor.cancel, (attempt(3),)).start()
    with pytest.raises(RunCancelled):
        executor.collect(attempt(3))


def test_job__has_neither_the_token_nor_a_way_to_the_cluster(executor: RayExecutor, sandbox: SandboxBench) -> None:
    executor.start(
        attempt(4), executor.prepare(sandbox.specification("/bin/sh", "-c", "env; cat /proc/net/dev"), sandbox.content)
    )
    said = executor.collect(attempt(4)).outputs["stdout"].decode()
    assert TOKEN not in said
    assert "eth0" not in said


def test_cluster__offers_its_places_and_proves_its_walls(executor: RayExecutor) -> None:
    assert executor.capabilities().parallel == 2
    executor.self_test()


def test_gpus__that_are_declared_and_not_there__are_refused(
    cluster: Any, executor: RayExecutor, sandbox: SandboxBench
) -> None:
    cards = RayExecutor(
        partial(ProcessExecutor, CommandBounds(gpus=2), toolset={"gpu": "a-card", "nvidia-driver": "1"}),
        RayCluster(cluster.address, token=TOKEN),
        make_with_cards=lambda: ProcessExecutor(gpus=assigned_pool(find_cards())),
    )
    with pytest.raises(ExecutorUnfit, match="no GPU is on this machine of the cluster"):
        cards.self_test()
    placed = SandboxBench(sandbox.content, cards).within(gpus=1)
    cards.start(attempt(5), cards.prepare(placed.specification("true"), sandbox.content))
    with pytest.raises(ExecutorUnfit, match="no GPU is on this machine of the cluster"):
        cards.collect(attempt(5))
    with pytest.raises(ExecutorUnfit, match="wants 2 GPUs, and the Ray cluster has 1"):
        cards.check(placed.within(gpus=2).specification("true"))
    with pytest.raises(ExecutorUnfit, match="this offer has no GPU"):
        executor.check(replace(placed, executor=executor).specification("true"))


class HungWorkers:
    """Processes of Ray that are at a job, stopped as on a machine that hangs."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def stop(self) -> None:
        """Stop whichever is at a job, as soon as one is."""
        wait(lambda: bool(_at_a_job()), 60)
        self.pids = _at_a_job()
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """The machine answers again."""
        for pid in self.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def ended(self) -> bool:
        """Whether none is left."""
        return not any(Path("/proc", str(pid)).exists() for pid in self.pids)


def _at_a_job() -> list[int]:
    """Processes of this test's own cluster: others may run one on this machine, too."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.joinpath("cmdline").read_bytes().startswith(b"ray::_run_on_worker") and _is_ours(
                int(folder.name)
            ):
                found.append(int(folder.name))
    return found


def _is_ours(pid: int) -> bool:
    while pid not in (0, 1, os.getpid()):
        # What follows the name, which may have any character in it, is the state and the parent.
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()


@pytest.fixture
def workers() -> Iterator[HungWorkers]:
    """Those that a test stops."""
    workers = HungWorkers()
    yield workers
    workers.go_on()


def test_job__whose_machine_hangs__ends_in_time_here_and_there(
    cluster: Any, sandbox: SandboxBench, workers: HungWorkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 2 s for a place, and 2 s each time that it is placed; its own limit would come long after.
    monkeypatch.setattr(ray_executor, "SPARE_S", 2 - 30)
    executor = RayExecutor(ProcessExecutor, RayCluster(cluster.address, token=TOKEN, queue_s=2))
    job = sandbox.within(wall_s=30).specification("sleep", "50")
    executor.start(attempt(6), executor.prepare(job, sandbox.content))
    workers.stop()
    began = time.monotonic()
    with pytest.raises(WallClockExceeded, match="did not end the job within 10 s"):
        executor.collect(attempt(6))
    assert time.monotonic() - began < 20
    workers.go_on()
    wait(workers.ended, 20)


def test_job__cancelled_on_a_machine_that_hangs__ends(
    executor: RayExecutor, sandbox: SandboxBench, workers: HungWorkers
) -> None:
    executor.start(attempt(7), executor.prepare(sandbox.specification("sleep", "50"), sandbox.content))
    workers.stop()
    began = time.monotonic()
    executor.cancel(attempt(7))
    with pytest.raises(RunCancelled):
        executor.collect(attempt(7))
    assert time.monotonic() - began < 20
    workers.go_on()
    wait(workers.ended, 20)


def falling_over(times: int, folder: Path) -> ProcessExecutor:
    """Commands whose first so many sandboxes end before their jobs do, as on a machine that is being ended."""
    from computility.domain.errors import ExecutorCrashed

    class FallingOver(ProcessExecutor):
        def _execute(self, run: Any, prepared: Any) -> Any:
            if (fallen := len(list(folder.iterdir()))) < times:
                folder.joinpath(str(fallen)).touch()
                raise ExecutorCrashed("the sandbox ended")
            return super()._execute(run, prepared)

    return FallingOver()


@pytest.mark.usefixtures("executor")
@pytest.mark.parametrize(("times", "runs"), [(2, True), (10, False)])
def test_job__whose_sandbox_falls_over__is_placed_anew_a_few_times(
    cluster: Any, sandbox: SandboxBench, tmp_path: Path, times: int, runs: bool
) -> None:
    executor = RayExecutor(partial(falling_over, times, tmp_path), RayCluster(cluster.address, token=TOKEN))
    executor.start(attempt(20 + times), executor.prepare(sandbox.specification("echo", "done"), sandbox.content))
    if runs:
        assert executor.collect(attempt(20 + times)).outputs == {"stdout": b"done\n"}
    else:
        with pytest.raises(ExecutorCrashed, match="the sandbox ended"):
            executor.collect(attempt(20 + times))
    # Ray counts retries somewhat loosely.
    assert len(list(tmp_path.iterdir())) in ((2,) if runs else (4, 5))


def test_machines__one_is_killed__no_job_is_lost(cluster: Any, executor: RayExecutor, sandbox: SandboxBench) -> None:
    prepared = executor.prepare(sandbox.specification("/bin/sh", "-c", "sleep 3; echo done"), sandbox.content)
    jobs = [attempt(number) for number in range(10, 14)]
    for job in jobs:
        executor.start(job, prepared)
    time.sleep(1)
    cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
    assert [executor.collect(job).outputs for job in jobs] == [{"stdout": b"done\n"}] * 4
    assert {executor.status(job) for job in jobs} == {RunState.SUCCEEDED}
