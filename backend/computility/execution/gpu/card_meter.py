"""What one job uses of the cards that it holds: energy since its start, and its processes' memory.

Energy is the card's own counter, so it counts only while nobody else holds the card: what a lease is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from computility.execution.gpu.card import Cards


@dataclass(frozen=True)
class CardUse:
    """Millijoules since the start, and bytes of the cards' memory that processes of the job hold; None where no card tells."""

    energy_mj: int | None
    memory_bytes: int | None


class CardMeter:
    """Meters cards from now on. ``belongs`` says of a process id whether it is of the job."""

    def __init__(self, cards: Cards, uuids: Sequence[str], belongs: Callable[[int], bool]) -> None:
        self._cards = cards
        self._belongs = belongs
        self._at_start = {uuid: cards.read(uuid).energy_mj for uuid in uuids}

    def use(self) -> CardUse:
        """What was used so far."""
        spent, held = [], []
        for uuid, start in self._at_start.items():
            reading = self._cards.read(uuid)
            if reading.energy_mj is not None and start is not None:
                spent.append(reading.energy_mj - start)
            held += [
                process.memory_bytes
                for process in reading.processes
                if process.memory_bytes is not None and self._belongs(process.pid)
            ]
        return CardUse(sum(spent) if spent else None, sum(held) if held else None)
