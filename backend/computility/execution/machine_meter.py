"""What this machine spends while a lease runs: energy, how busy it is, its clock. From NVML for the job's cards; else from RAPL and /proc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from computility.execution.executor import MeterSample
from computility.execution.gpu.card import Cards

_RAPL: Final = "sys/class/powercap"
_MICRO_PER_MILLI: Final = 1_000


@dataclass(frozen=True)
class MachineReading:
    """Millijoules since the meter was made and where they come from (``nvml``, ``rapl``, ``none``); time busy since the last reading in thousandths;
    megahertz. None where nothing tells."""

    energy_mj: int | None
    energy_source: str
    busy_permille: int | None
    clock_mhz: int | None


class MachineMeter:
    """Meters from now on: the cards ``uuids`` where a job holds any, else the processors. ``root`` is where /proc and /sys are."""

    def __init__(self, cards: Cards | None = None, uuids: Sequence[str] = (), root: Path = Path("/")) -> None:
        self._cards = cards
        self._uuids = tuple(uuids) if cards is not None else ()
        self._root = root
        self._energy_at = self._energy_mj()
        self._spent_mj = 0
        self._ticks = self._processor_ticks()

    def read(self) -> MachineReading:
        """What was spent until now."""
        return self._of_cards() if self._uuids else self._of_processors()

    def _of_cards(self) -> MachineReading:
        assert self._cards is not None
        readings = [self._cards.read(uuid) for uuid in self._uuids]
        energy = self._since_start()
        busy = [reading.sm_percent for reading in readings if reading.sm_percent is not None]
        clocks = [reading.sm_clock_mhz for reading in readings if reading.sm_clock_mhz is not None]
        return MachineReading(
            energy,
            "none" if energy is None else "nvml",
            10 * sum(busy) // len(busy) if busy else None,
            sum(clocks) // len(clocks) if clocks else None,
        )

    def _of_processors(self) -> MachineReading:
        energy = self._since_start()
        before, self._ticks = self._ticks, self._processor_ticks()
        busy = None
        if before is not None and self._ticks is not None and self._ticks[1] > before[1]:
            busy = 1000 * (self._ticks[0] - before[0]) // (self._ticks[1] - before[1])
        return MachineReading(energy, "none" if energy is None else "rapl", busy, self._processor_mhz())

    def _since_start(self) -> int | None:
        """Each counter may begin again at zero; what it counted before is kept."""
        now = self._energy_mj()
        if now is None or self._energy_at is None:
            return None
        for name, counted in now.items():
            step = counted - self._energy_at.get(name, counted)
            self._spent_mj += step if step >= 0 else counted
        self._energy_at = now
        return self._spent_mj

    def _energy_mj(self) -> dict[str, int] | None:
        if self._uuids and self._cards is not None:
            told = {uuid: self._cards.read(uuid).energy_mj for uuid in self._uuids}
            return {uuid: energy for uuid, energy in told.items() if energy is not None} or None
        counters = {}
        for package in sorted(self._root.joinpath(_RAPL).glob("intel-rapl:[0-9]*")):
            # intel-rapl:0 is a package, intel-rapl:0:1 a part of it.
            if package.name.count(":") == 1:
                counted = _number(package / "energy_uj")
                if counted is not None:
                    counters[package.name] = counted // _MICRO_PER_MILLI
        return counters or None

    def _processor_ticks(self) -> tuple[int, int] | None:
        """Busy and all, since the machine started."""
        try:
            fields = [int(text) for text in self._root.joinpath("proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            return None
        if len(fields) < 5:
            return None
        return sum(fields) - fields[3] - fields[4], sum(fields)

    def _processor_mhz(self) -> int | None:
        try:
            lines = self._root.joinpath("proc/cpuinfo").read_text().splitlines()
            clocks = [float(line.partition(":")[2]) for line in lines if line.startswith("cpu MHz")]
        except (OSError, ValueError):
            return None
        return round(sum(clocks) / len(clocks)) if clocks else None


class LeaseMachineMeter:
    """Meters what one job holds: its own cards from when they are known on, else the processors; never the cards of other jobs of the same offer."""

    def __init__(self, cards: Cards | None = None, root: Path = Path("/")) -> None:
        self._cards = cards
        self._root = root
        self._held: tuple[str, ...] = ()
        self._meter = MachineMeter(root=root)

    def read(self, used: MeterSample) -> MachineReading:
        """What was spent until ``used``, the newest sample of the job. Energy of its cards is as the sample says: it counts from the job's start."""
        if self._cards is not None and used.cards and used.cards != self._held:
            self._held = used.cards
            self._meter = MachineMeter(self._cards, used.cards, self._root)
        read = self._meter.read()
        if not self._held:
            return read
        energy = used.energy_mj or None
        return replace(read, energy_mj=energy, energy_source="none" if energy is None else "nvml")


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
