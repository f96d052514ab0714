"""The cards of one offer: those of this machine that are good, of one model, each held by one job or challenge at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from computility.domain.errors import ExecutorUnfit
from computility.execution.gpu.card import Card, Cards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.card_meter import CardMeter
from computility.execution.gpu.driver_files import DriverFiles, driver_files


@dataclass(frozen=True)
class HeldCards:
    """Cards that one job holds: what its sandbox needs of the host, and a meter that starts when it is made."""

    uuids: tuple[str, ...]
    files: DriverFiles
    meter: Callable[[Callable[[int], bool]], CardMeter]


class CardPool:
    """``uuids`` are the cards to offer, all where there are none. ``left_out`` says why a card is not offered.

    Raises:
        ExecutorUnfit: none of them can be offered, or they are not of one model.
    """

    def __init__(
        self,
        cards: Cards,
        uuids: Sequence[str] = (),
        *,
        leases: CardLeases | None = None,
        files_of: Callable[[Sequence[Card]], DriverFiles] = driver_files,
    ) -> None:
        self._cards = cards
        self._files_of = files_of
        found = {card.uuid: card for card in cards.found()}
        wanted = tuple(uuids) or tuple(found)
        health = {uuid: cards.health(uuid) for uuid in wanted}
        self.left_out = {uuid: str(state) for uuid, state in health.items() if not state.good}
        self.offered = tuple(found[uuid] for uuid in wanted if uuid not in self.left_out)
        if not self.offered:
            reasons = "; ".join(f"{uuid}: {why}" for uuid, why in self.left_out.items())
            raise ExecutorUnfit(f"no GPU can be offered: {reasons or getattr(cards, 'reason', 'none is here')}")
        if len(models := {card.model for card in self.offered}) > 1:
            raise ExecutorUnfit(
                f"the cards of one offer are of one model, not {', '.join(sorted(models))}: offer them apart, by their UUIDs"
            )
        files_of(self.offered)
        self.leases = leases or CardLeases([card.uuid for card in self.offered])

    @property
    def uuids(self) -> tuple[str, ...]:
        """The cards that are offered."""
        return tuple(card.uuid for card in self.offered)

    @property
    def toolset(self) -> dict[str, str]:
        """What the cards add to an environment class: their model, and the branch of their driver."""
        first = self.offered[0]
        return {"gpu": first.model, "nvidia-driver": first.driver.partition(".")[0]}

    @contextlib.contextmanager
    def held(self, count: int, holder: str, wait_s: float, given_up: Callable[[], bool]) -> Iterator[HeldCards]:
        """Hold ``count`` cards while the block lasts.

        Raises:
            ExecutorBusy: fewer are free, for all of ``wait_s`` seconds.
            ExecutorUnfit: a card's device nodes are gone.
        """
        by_uuid = {card.uuid: card for card in self.offered}
        with self.leases.some(count, holder, wait_s, given_up) as lease:
            files = self._files_of([by_uuid[uuid] for uuid in lease.uuids])
            yield HeldCards(lease.uuids, files, partial(CardMeter, self._cards, lease.uuids))
