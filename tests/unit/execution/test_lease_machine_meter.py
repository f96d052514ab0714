"""A lease is metered by what it holds itself (NVML recorded)."""

from __future__ import annotations

from pathlib import Path

from tests.unit.execution.recorded_nvml import RecordedNvml

from computility.execution.executor import MeterSample
from computility.execution.gpu.nvml_cards import NvmlCards
from computility.execution.machine_meter import LeaseMachineMeter


class CountedCards(NvmlCards):
    """Remembers which cards were looked at."""

    def __init__(self, nvml: RecordedNvml) -> None:
        super().__init__(nvml)
        self.looked_at: set[str] = set()

    def read(self, uuid: str):  # type: ignore[no-untyped-def]  # as the parent's
        self.looked_at.add(uuid)
        return super().read(uuid)


def test_lease__of_one_card_of_several__is_metered_by_that_card_and_its_own_energy(tmp_path: Path) -> None:
    nvml = RecordedNvml()
    cards = CountedCards(nvml)
    meter = LeaseMachineMeter(cards, tmp_path)
    before = meter.read(MeterSample(0))
    assert (before.energy_source, cards.looked_at) == ("none", set())
    read = meter.read(MeterSample(1_000, energy_mj=4_321, cards=(nvml.uuids[1],)))
    assert (read.energy_mj, read.energy_source, read.busy_permille) == (4_321, "nvml", 970)
    assert cards.looked_at == {nvml.uuids[1]}


def test_lease__without_cards_on_an_offer_that_has_some__looks_at_none(tmp_path: Path) -> None:
    cards = CountedCards(RecordedNvml())
    read = LeaseMachineMeter(cards, tmp_path).read(MeterSample(1_000, cpu_ms=5))
    assert (read.energy_mj, read.clock_mhz, cards.looked_at) == (None, None, set())
