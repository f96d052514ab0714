"""Slurm: the command line that submits a job; and, where Slurm is installed and this is root, a real cluster of one machine.

a batch job
├── carries no environment, no requeue, and limits above the sandbox's (recorded)
├── comes to what the sandbox comes to alone, is metered, and leaves nothing behind
├── at fault says so; too long ends
├── cancelled is gone from the queue
├── proves the walls on a machine of the cluster
├── with GPUs names them as Slurm does; is refused where the cluster has none, and where a declared card is not there
├── that no machine is large enough for is refused, not left in the queue
├── that an agent before this one submitted is found again, running or ended
└── whose machine was lost is submitted again
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench, needs_bubblewrap
from tests.integration.execution.slurm_bench import missing, slurm_cluster

from computility.domain.errors import ExecutorUnfit, JobFailed, RunCancelled, WallClockExceeded
from computility.domain.identifiers import bytes32
from computility.execution.command_executor import CommandBounds
from computility.execution.executor import AttemptId, RunState
from computility.execution.slurm.cluster import BatchRequest, SlurmCluster, SlurmQueue, script, submission
from computility.execution.slurm.node_settings import NodeSettings
from computility.execution.slurm.slurm_executor import SlurmExecutor

SETTINGS = NodeSettings("process", CommandBounds(wall_s=600, parallel=4))


class Absent(SlurmQueue):
    """A queue of which nothing is learned."""

    def state(self, number: str) -> str:
        """As if it had just begun."""
        return "RUNNING"


def attempt(number: int) -> AttemptId:
    """An attempt at a job of its own."""
    return AttemptId(bytes32(bytes([number]) * 32), 1)


def test_submission__carries_no_environment_and_every_limit() -> None:
    cluster = SlurmCluster(
        Path("/shared"), partition="low", account="lab", options=("--qos=idle",), python="/opt/python"
    )
    request = BatchRequest("computility-x-1", Path("/shared/x-1"), "0x00-1", wall_s=100, memory_bytes=2**30, cpus=3)
    line = " ".join(submission(cluster, request))
    assert "--export=NONE --no-requeue --propagate=NONE --input=none" in line
    assert "--nodes=1 --ntasks=1 --cpus-per-task=3 --mem=1280M --time=4" in line
    assert line.endswith("--partition=low --account=lab --qos=idle")
    assert "--gres" not in line
    cards = BatchRequest("computility-x-1", Path("/shared/x-1"), "0x00-1", 100, 2**30, 3, gpus=2)
    assert "--gres=gpu:2" in submission(cluster, cards)
    assert "--gres=gpu:h100:2" in submission(replace(cluster, gpu_type="h100"), cards)
    assert script(cluster, request).splitlines()[1] == (
        "exec '/opt/python' -I -m computility.execution.slurm.node '/shared/x-1' '0x00-1'"
    )


def test_a_machine__without_slurm__is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ExecutorUnfit, match="sbatch is not installed"):
        SlurmQueue(SlurmCluster(Path("/shared")))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster, and the folder that it shares."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    with slurm_cluster(folder):
        yield folder / "shared"


@pytest.fixture
def executor(shared: Path) -> SlurmExecutor:
    """An agent's executor, without memory of any before."""
    return SlurmExecutor(SETTINGS, SlurmCluster(shared, poll_s=0.2))


def wait(executor: SlurmExecutor, name: str) -> str:
    """The number of a job, once the queue has it."""
    give_up = time.monotonic() + 60
    while (number := executor._queue.find(name)) is None:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return number


@needs_bubblewrap
def test_job__on_the_cluster__comes_to_what_it_comes_to_alone(executor: SlurmExecutor, sandbox: SandboxBench) -> None:
    job = sandbox.specification("/bin/sh", "-c", "tr a-z A-Z < words > /out/a; env", inputs={"words": b"hello"})
    executor.start(attempt(1), executor.prepare(job, sandbox.content))
    execution = executor.collect(attempt(1))
    assert execution.outputs["a"] == b"HELLO"
    assert b"SLURM" not in execution.outputs["stdout"]
    assert execution.units == 1
    assert execution.samples
    assert list(executor._cluster.shared.iterdir()) == []
    same = sandbox.specification("/bin/sh", "-c", "tr a-z A-Z < words > /out/a", inputs={"words": b"hello"})
    executor.start(attempt(2), executor.prepare(same, sandbox.content))
    assert executor.collect(attempt(2)).manifest == sandbox.executor.run(same, sandbox.content).manifest


@needs_bubblewrap
def test_job__its_own_fault_and_its_time__are_told_as_such(executor: SlurmExecutor, sandbox: SandboxBench) -> None:
    executor.start(attempt(3), executor.prepare(sandbox.specification("false"), sandbox.content))
    slow = sandbox.within(wall_s=1).specification("sleep", "60")
    executor.start(attempt(4), executor.prepare(slow, sandbox.content))
    with pytest.raises(JobFailed, match="exit code 1"):
        executor.collect(attempt(3))
    with pytest.raises(WallClockExceeded):
        executor.collect(attempt(4))


@needs_bubblewrap
def test_job__cancelled__is_gone_from_the_queue(executor: SlurmExecutor, sandbox: SandboxBench) -> None:
    executor.start(attempt(5), executor.prepare(sandbox.specification("sleep", "50"), sandbox.content))
    wait(executor, f"computility-{attempt(5)}")
    executor.cancel(attempt(5))
    with pytest.raises(RunCancelled):
        executor.collect(attempt(5))
    assert executor.status(attempt(5)) is RunState.CANCELLED
    assert executor._queue.find(f"computility-{attempt(5)}") is None


@needs_bubblewrap
def test_gpus__that_the_cluster_has_not__or_only_declares__are_refused(shared: Path, sandbox: SandboxBench) -> None:
    cards = NodeSettings("process", CommandBounds(wall_s=600, gpus=4), toolset={"gpu": "a-card", "nvidia-driver": "1"})
    other = SlurmExecutor(cards, SlurmCluster(shared, poll_s=0.2, gpu_type="h100"))
    with pytest.raises(ExecutorUnfit, match="has no 1 GPUs of type h100"):
        other.self_test()
    declared = SlurmExecutor(cards, SlurmCluster(shared, poll_s=0.2, gpu_type="declared"))
    with pytest.raises(ExecutorUnfit, match="no GPU is on this machine of the cluster"):
        declared.self_test()
    wanted = SandboxBench(sandbox.content, declared).within(gpus=2).specification("true")
    declared.start(attempt(19), declared.prepare(wanted, sandbox.content))
    with pytest.raises(ExecutorUnfit):
        declared.collect(attempt(19))
    assert not list(shared.iterdir()), "nothing is left in the shared folder"


@needs_bubblewrap
def test_job__that_no_machine_is_large_enough_for__is_refused(shared: Path, sandbox: SandboxBench) -> None:
    many = SlurmExecutor(SETTINGS, SlurmCluster(shared, poll_s=0.2, cpus=64))
    job = sandbox.within(cpu_s=600, wall_s=10).specification("true")
    many.start(attempt(8), many.prepare(job, sandbox.content))
    with pytest.raises(ExecutorUnfit, match="no machine"):
        many.collect(attempt(8))


@needs_bubblewrap
def test_walls__stand_on_a_machine_of_the_cluster(executor: SlurmExecutor) -> None:
    executor.self_test()
    assert executor.capabilities().parallel == 4
    assert "slurm" in executor.capabilities().safeguards["slurm"]


@needs_bubblewrap
def test_agent__killed_while_a_job_runs__finds_it_again(
    executor: SlurmExecutor, shared: Path, sandbox: SandboxBench
) -> None:
    prepared = executor.prepare(sandbox.specification("/bin/sh", "-c", "sleep 2; echo done"), sandbox.content)
    # An agent that is killed looks no more: to this one, the job runs for ever.
    executor._queue = Absent(executor._cluster)
    executor.start(attempt(6), prepared)
    number = wait(executor, f"computility-{attempt(6)}")
    after = SlurmExecutor(SETTINGS, SlurmCluster(shared, poll_s=0.2))
    after.start(attempt(6), prepared)
    assert after.collect(attempt(6)).outputs == {"stdout": b"done\n"}
    assert after._queue.state(number) == "COMPLETED"
    executor.cancel(attempt(6))


@needs_bubblewrap
def test_job__whose_machine_is_lost__is_submitted_again(
    executor: SlurmExecutor, sandbox: SandboxBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(["NODE_FAIL"])
    ask = executor._queue.state
    monkeypatch.setattr(SlurmQueue, "state", lambda _, number: next(said, None) or ask(number))
    prepared = executor.prepare(sandbox.specification("/bin/sh", "-c", "sleep 1; echo done"), sandbox.content)
    executor.start(attempt(7), prepared)
    assert executor.collect(attempt(7)).outputs == {"stdout": b"done\n"}
