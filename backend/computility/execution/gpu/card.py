"""A GPU as the rest of the system sees it, whatever library was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Card:
    """One GPU. ``uuid`` names it for as long as it exists; ``minor`` is the number of its device node; power in milliwatts. None where the driver
    does not say. ``partitioned`` cards (MIG) are not offered: their slices have limits of their own."""

    uuid: str
    name: str
    minor: int
    bus: str
    memory_bytes: int
    compute_capability: str
    driver: str
    power_limit_mw: int | None = None
    highest_power_limit_mw: int | None = None
    partitioned: bool = False

    @property
    def model(self) -> str:
        """The name as part of an environment class: lower case, hyphens."""
        return "-".join(self.name.lower().replace("/", " ").split())


@dataclass(frozen=True)
class CardHealth:
    """Why a card should not get a job, in words; empty where nothing speaks against it. ``warnings`` cost speed, not results."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether it may be offered."""
        return not self.faults

    def __str__(self) -> str:
        return ", ".join((*self.faults, *(f"({warning})" for warning in self.warnings))) or "good"


@dataclass(frozen=True)
class ProcessUse:
    """What one process has of a card: bytes of its memory, and its share of the multiprocessors' time in percent over the last second or so."""

    pid: int
    memory_bytes: int | None = None
    sm_percent: int | None = None


@dataclass(frozen=True)
class CardReading:
    """A card now. ``energy_mj`` are millijoules since the driver was loaded; clocks in MHz, temperature in °C."""

    energy_mj: int | None = None
    power_mw: int | None = None
    sm_percent: int | None = None
    memory_used_bytes: int | None = None
    sm_clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    temperature_c: int | None = None
    processes: Sequence[ProcessUse] = ()


@dataclass(frozen=True)
class ProcessAccount:
    """What the driver has booked for a process, which may have ended: most bytes held at one time, milliseconds on the card, shares of
    time in percent."""

    pid: int
    most_memory_bytes: int | None
    time_ms: int
    sm_percent: int | None
    memory_percent: int | None
    running: bool


class Cards(Protocol):
    """The GPUs of a machine."""

    def found(self) -> tuple[Card, ...]:
        """All of them, by their order on the bus."""

    def health(self, uuid: str) -> CardHealth:
        """Whether one may be offered."""

    def read(self, uuid: str) -> CardReading:
        """What one does now."""

    def accounts(self, uuid: str) -> Mapping[int, ProcessAccount]:
        """What processes used of one, by process id; empty where the driver keeps no accounts."""


@dataclass(frozen=True)
class NoCards:
    """A machine without GPUs, and why there are none."""

    reason: str = field(default="no GPU is offered")

    def found(self) -> tuple[Card, ...]:
        """None."""
        return ()

    def health(self, uuid: str) -> CardHealth:
        """Not here."""
        return CardHealth((f"no card {uuid} is here: {self.reason}",))

    def read(self, uuid: str) -> CardReading:
        """Nothing."""
        return CardReading()

    def accounts(self, uuid: str) -> Mapping[int, ProcessAccount]:
        """Nothing."""
        return {}
