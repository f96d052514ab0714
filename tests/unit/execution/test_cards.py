"""GPUs as NVML tells of them (recorded; where a real driver is, scripts/gpu/executors.py asks it).

cards
├── what the driver says of a card, and None for what it does not say
├── health: what keeps a card from being offered, and what only slows it
├── one offer: good cards of one model, by UUID
├── device nodes of the cards that are held and no other
└── no driver: no card, and why
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.execution.recorded_nvml import RecordedNvml

from computility.domain.errors import ExecutorUnfit
from computility.execution.gpu.card import Cards, NoCards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.card_meter import CardMeter
from computility.execution.gpu.card_pool import CardPool
from computility.execution.gpu.driver_files import DriverFiles, driver_files
from computility.execution.gpu.nvml_cards import NvmlCards, find_cards
from computility.services.card_report import card_rows

NODES = DriverFiles(("/dev/nvidia0",))


@pytest.fixture
def nvml() -> RecordedNvml:
    """Two cards."""
    return RecordedNvml()


def pool(cards: Cards, folder: Path, *uuids: str) -> CardPool:
    """An offer of cards whose files are there."""
    found = [card.uuid for card in cards.found()]
    return CardPool(cards, uuids, leases=CardLeases(found, folder), files_of=lambda _: NODES)


def test_card__is_what_the_driver_says(nvml: RecordedNvml) -> None:
    first, second = NvmlCards(nvml).found()
    assert (first.uuid, second.minor, first.model) == (nvml.uuids[0], 1, "nvidia-h100-80gb-hbm3")
    assert (first.power_limit_mw, first.highest_power_limit_mw, first.compute_capability) == (650_000, 700_000, "9.0")


def test_card__what_the_driver_does_not_say__is_none_and_not_zero(nvml: RecordedNvml) -> None:
    nvml.refused |= {"nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetEnforcedPowerLimit"}
    cards = NvmlCards(nvml)
    assert cards.found()[0].power_limit_mw is None
    reading = cards.read(nvml.uuids[0])
    assert (reading.energy_mj, reading.sm_percent, reading.temperature_c) == (None, 97, None)
    assert CardMeter(cards, nvml.uuids, lambda _: True).use().energy_mj is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"errors": [3, 0]}, "3 uncorrected memory errors"),
        ({"rows": [(0, 1, 0, 1), (0, 0, 0, 0)]}, "could not be repaired"),
        ({"rows": [(0, 1, 1, 0), (0, 0, 0, 0)]}, "waits for a reset"),
        ({"mig": [(1, 1), (0, 0)]}, "partitioned"),
    ],
)
def test_health__a_fault__keeps_a_card_off_the_market(
    nvml: RecordedNvml, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    vars(nvml).update(change)
    cards = NvmlCards(nvml)
    assert said in str(cards.health(nvml.uuids[0]))
    offered = pool(cards, tmp_path)
    assert offered.uuids == (nvml.uuids[1],)
    assert said in offered.left_out[nvml.uuids[0]]
    with pytest.raises(ExecutorUnfit, match=said):
        pool(cards, tmp_path, nvml.uuids[0])


def test_health__heat__is_a_warning(nvml: RecordedNvml) -> None:
    nvml.held_back[0] = 0x40
    health = NvmlCards(nvml).health(nvml.uuids[0])
    assert health.good
    assert str(health) == "(slowed down by heat)"


def test_offer__of_two_models__is_refused(nvml: RecordedNvml, tmp_path: Path) -> None:
    nvml.names[1] = "NVIDIA A100-SXM4-80GB"
    with pytest.raises(ExecutorUnfit, match="offer them apart"):
        pool(NvmlCards(nvml), tmp_path)
    assert pool(NvmlCards(nvml), tmp_path, nvml.uuids[1]).toolset["gpu"] == "nvidia-a100-sxm4-80gb"


def test_meter__counts_from_its_start_and_only_the_jobs_processes(nvml: RecordedNvml) -> None:
    nvml.processes[0] = [SimpleNamespace(pid=10, usedGpuMemory=2**30), SimpleNamespace(pid=11, usedGpuMemory=2**20)]
    meter = CardMeter(NvmlCards(nvml), nvml.uuids, lambda pid: pid == 10)
    nvml.energy = [5_000_700, 9_000_020]
    use = meter.use()
    assert (use.energy_mj, use.memory_bytes) == (720, 2**30)


def test_processes__of_a_card__with_memory_and_share(nvml: RecordedNvml) -> None:
    nvml.processes[0] = [SimpleNamespace(pid=10, usedGpuMemory=2**64 - 1)]
    cards = NvmlCards(nvml)
    (process,) = cards.read(nvml.uuids[0]).processes
    assert (process.pid, process.memory_bytes, process.sm_percent) == (10, None, 88)
    account = cards.accounts(nvml.uuids[0])[4242]
    assert (account.most_memory_bytes, account.sm_percent, account.memory_percent) == (3 * 2**30, 91, None)


def test_report__has_a_row_for_each_card_with_who_holds_it(nvml: RecordedNvml, tmp_path: Path) -> None:
    leases = CardLeases(nvml.uuids, tmp_path)
    with leases.some(1, "job abc"):
        rows = card_rows(NvmlCards(nvml), leases)
    assert [row["held_by"] for row in rows] == ["job abc", ""]
    assert [(row["power_limit_w"], row["health"]) for row in rows] == [(650, "good")] * 2


def test_no_driver__no_card__and_it_says_why() -> None:
    cards = find_cards()
    if not isinstance(cards, NoCards):
        pytest.skip("this machine has a GPU")
    (row,) = card_rows(cards)
    assert row["uuid"] == "none"
    assert "NVIDIA driver" in row["health"]
    with pytest.raises(ExecutorUnfit, match="no GPU can be offered: the NVIDIA driver"):
        CardPool(cards)


def test_device_nodes__of_the_cards_alone__and_libraries_outside_usr_one_by_one(
    nvml: RecordedNvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev, driver = tmp_path / "dev", tmp_path / "driver"
    dev.mkdir()
    driver.mkdir()
    card = NvmlCards(nvml).found()[1]
    monkeypatch.setenv("LD_LIBRARY_PATH", str(driver))
    for name in ("nvidiactl", "nvidia-uvm", "nvidia0"):
        (dev / name).touch()
    with pytest.raises(ExecutorUnfit, match="nvidia1"):
        driver_files([card], dev)
    (dev / "nvidia1").touch()
    for name in ("libcuda.so.1", "libnvidia-ptxjitcompiler.so.580.159.04", "libother.so", "secret"):
        (driver / name).touch()
    files = driver_files([card], dev)
    assert [Path(node).name for node in files.nodes] == ["nvidiactl", "nvidia-uvm", "nvidia1"]
    bound = {place: Path(path).name for place, path in files.bound.items() if path.startswith(str(tmp_path))}
    assert sorted(bound) == [f"/opt/nvidia/lib/{name}" for name in sorted(bound.values())]
    assert "libcuda.so.1" in bound.values()
    assert not {"libother.so", "secret"} & {*bound.values()}
    assert files.environment(["GPU-b"])["CUDA_VISIBLE_DEVICES"] == "GPU-b"
