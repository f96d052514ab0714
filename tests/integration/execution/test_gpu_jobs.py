"""Jobs with GPUs in the sandbox, on cards that are recorded: everything is real but the cards, whose device nodes are harmless ones of this machine.

On a machine with a GPU scripts/gpu/executors.py does the same with the card itself.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import SandboxBench, needs_bubblewrap
from tests.unit.execution.recorded_nvml import RecordedNvml

from computility.domain.errors import ExecutorUnfit
from computility.domain.identifiers import bytes32
from computility.execution.command_executor import CommandBounds
from computility.execution.executor import AttemptId, RunState
from computility.execution.gpu.assigned_cards import assigned_pool
from computility.execution.gpu.card import Card
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.card_pool import CardPool
from computility.execution.gpu.driver_files import DriverFiles
from computility.execution.gpu.nvml_cards import NvmlCards
from computility.execution.sandbox.process_executor import ProcessExecutor

pytestmark = needs_bubblewrap

NODES = ("/dev/full", "/dev/null")
"""What stands for the nodes of the first and second card."""


@pytest.fixture
def nvml() -> RecordedNvml:
    """Two cards."""
    return RecordedNvml()


@pytest.fixture
def pool(nvml: RecordedNvml, tmp_path: Path) -> Iterator[CardPool]:
    """Both cards, with a library that the host keeps outside /usr and that everybody can read."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    library = folder / "libcuda.so.1"
    library.write_bytes(b"driver")

    def files(cards: Sequence[Card]) -> DriverFiles:
        nodes = tuple(NODES[card.minor] for card in cards)
        return DriverFiles(nodes, {"/opt/nvidia/lib/libcuda.so.1": str(library)}, ("/opt/nvidia/lib",))

    yield CardPool(NvmlCards(nvml), leases=CardLeases(nvml.uuids, tmp_path / "cards"), files_of=files)
    shutil.rmtree(folder)


@pytest.fixture
def assigned(nvml: RecordedNvml, pool: CardPool, tmp_path: Path) -> CardPool:
    """The second card, as a cluster's scheduler gives it to a job."""
    variables = {"CUDA_VISIBLE_DEVICES": "1"}
    return assigned_pool(NvmlCards(nvml), variables, tmp_path / "cards", pool._files_of)


@pytest.fixture
def gpus(sandbox: SandboxBench, pool: CardPool) -> SandboxBench:
    """A sandbox with both cards, whose jobs want one."""
    return replace(sandbox, executor=ProcessExecutor(gpus=pool)).within(gpus=1)


def test_job__with_a_gpu__sees_its_card_its_driver_and_no_other_card(gpus: SandboxBench, nvml: RecordedNvml) -> None:
    said = gpus.shell("echo $CUDA_VISIBLE_DEVICES; cat /opt/nvidia/lib/*; ls /dev/full; echo $LD_LIBRARY_PATH; id -u")
    assert said.splitlines()[:2] == [nvml.uuids[0], "driver/dev/full"]
    assert "/opt/nvidia/lib\n" in said
    assert "read-only" in gpus.shell("echo > /opt/nvidia/lib/libcuda.so.1; true").lower()


def test_job__without_a_gpu__sees_none(gpus: SandboxBench) -> None:
    said = gpus.within(gpus=0).shell("echo x$CUDA_VISIBLE_DEVICES; ls /opt/nvidia; true")
    assert said.startswith("x\n")
    assert "No such file" in said


def test_units__are_gpu_seconds__and_energy_is_metered_from_the_start_of_the_job(
    gpus: SandboxBench, nvml: RecordedNvml
) -> None:
    attempt = AttemptId(bytes32(b"\x61" * 32), 1)
    specification = gpus.within(gpus=2).specification("/bin/sh", "-c", "sleep 2.2")
    gpus.executor.start(attempt, gpus.executor.prepare(specification, gpus.content))
    for count, _ in enumerate(gpus.executor.meter(attempt)):
        if count == 0:
            nvml.energy = [energy + 1_000 for energy in nvml.energy]
    execution = gpus.executor.collect(attempt)
    assert execution.samples[-1].energy_mj == 2_000
    assert execution.units == -(-2 * execution.samples[-1].at_ms // 1000) >= 5
    assert execution.units <= specification.max_units


def test_jobs__that_want_the_same_cards__run_one_after_the_other(gpus: SandboxBench, pool: CardPool) -> None:
    both = gpus.within(gpus=2)
    jobs = [AttemptId(bytes32(bytes([number]) * 32), 1) for number in (1, 2)]
    prepared = gpus.executor.prepare(both.specification("sleep", "3"), gpus.content)
    for job in jobs:
        gpus.executor.start(job, prepared)
    samples = [gpus.executor.collect(job).samples for job in jobs]
    assert all(gpus.executor.status(job) is RunState.SUCCEEDED for job in jobs)
    # Waiting is neither metered nor paid.
    assert all(taken[0].at_ms < 3_000 for taken in samples)
    assert pool.leases.holders() == {}


def test_more_gpus_than_the_offer_has__are_refused(gpus: SandboxBench) -> None:
    with pytest.raises(ExecutorUnfit, match="wants 3 GPUs, and this offer has 2"):
        gpus.executor.check(gpus.within(gpus=3).specification("true"))


def test_environment_class__names_card_and_driver(gpus: SandboxBench, sandbox: SandboxBench) -> None:
    assert gpus.executor.environment != sandbox.executor.environment
    assert gpus.executor.capabilities().gpus == gpus.executor._gpus.uuids  # type: ignore[union-attr]  # made with a pool


def test_a_card_that_a_cluster_gave__is_held_seen_and_reported_alone(
    sandbox: SandboxBench, assigned: CardPool, nvml: RecordedNvml
) -> None:
    placed = replace(sandbox, executor=ProcessExecutor(gpus=assigned)).within(gpus=1)
    execution = placed.run("/bin/sh", "-c", "echo $CUDA_VISIBLE_DEVICES")
    assert execution.outputs["stdout"].decode().strip() == nvml.uuids[1]
    assert {sample.cards for sample in execution.samples} == {(nvml.uuids[1],)}


def test_an_offer_on_a_cluster__takes_jobs_with_gpus_that_only_the_cluster_may_run(sandbox: SandboxBench) -> None:
    agent = ProcessExecutor(CommandBounds(gpus=2), toolset={"gpu": "a-card", "nvidia-driver": "1"})
    wanted = replace(sandbox, executor=agent).within(gpus=2)
    agent.check(wanted.specification("true"))
    with pytest.raises(ExecutorUnfit, match="wants 3 GPUs, and this offer has 2"):
        agent.check(wanted.within(gpus=3).specification("true"))
    with pytest.raises(ExecutorUnfit, match="no card is held for it here"):
        wanted.run("true")
