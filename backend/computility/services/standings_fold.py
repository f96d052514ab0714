"""Keeps standings as the closes of jobs leave them, and puts each into its row once a chunk, or once a block whose images are kept."""

from __future__ import annotations

from typing import Final

from computility.domain.identifiers import Address, Bytes32
from computility.domain.score_slot import ScoreSlot
from computility.domain.scores import ClosedJob, Role, score_close, score_pass
from computility.domain.standing import Standing
from computility.domain.statistics import DAY_S
from computility.services.projected_rows import Rows
from computility.services.statistics_fold import StatisticsFold

_BUYER, _PROVIDER = int(Role.BUYER), int(Role.PROVIDER)
_NEWCOMER: Final = ScoreSlot()

Place = tuple[bytes, int, bytes]
"""Account, role and escrow."""
Parties = tuple[Address, Address, Address]
"""Buyer, payer and provider of a job."""


class Scored:
    """A standing while closes change it. ``job`` is the last that did, at the UTC second ``at`` in ``block``; None while none has."""

    __slots__ = ("at", "block", "job", "place", "slot")

    def __init__(self, place: Place, slot: ScoreSlot) -> None:
        self.place, self.slot = place, slot
        self.job: bytes | None = None
        self.at = self.block = 0


class StandingsFold:
    """Of one build."""

    def __init__(self, rows: Rows[Standing], statistics: StatisticsFold) -> None:
        self._rows = rows
        self._statistics = statistics
        self._scored: dict[Place, Scored] = {}

    def of(self, buyer: bytes, provider: bytes, escrow: bytes) -> tuple[Scored, Scored]:
        """The standings of the two sides of a job, until ``put``."""
        return self._at((buyer, _BUYER, escrow)), self._at((provider, _PROVIDER, escrow))

    def closed(self, sides: tuple[Scored, Scored], closed: ClosedJob, job: bytes, at: int, block: int) -> None:
        """A job closed at the UTC second ``at``."""
        buyer, provider = sides
        of_buyer, of_provider = score_close(buyer.slot, provider.slot, closed, at)
        if of_buyer is not None:
            self._became(buyer, of_buyer, job, at, block)
        if of_provider is not None:
            self._became(provider, of_provider, job, at, block)

    def passed(
        self, sides: tuple[Scored, Scored], parties: Parties, fee: int, epoch: int, job: bytes, at: int, block: int
    ) -> None:
        """A job closed by a pass by attestation of full quality, in an ``epoch``: as ``closed``, in half the time."""
        buyer, provider = sides
        of_buyer, of_provider = score_pass(buyer.slot, provider.slot, parties, fee, epoch)
        if of_buyer is not None:
            self._became(buyer, of_buyer, job, at, block)
        if of_provider is not None:
            self._became(provider, of_provider, job, at, block)

    def put(self) -> None:
        """What changed goes into the rows."""
        for scored in self._scored.values():
            if scored.job is not None:
                self._put(scored, scored.job)
        self._scored.clear()

    def discard(self) -> None:
        """Forget what waits."""
        self._scored.clear()

    def _at(self, place: Place) -> Scored:
        found = self._scored.get(place)
        if found is None:
            standing = self._rows.get(place)
            found = self._scored[place] = Scored(place, standing.slot if standing else _NEWCOMER)
        return found

    def _became(self, scored: Scored, slot: ScoreSlot, job: bytes, at: int, block: int) -> None:
        if scored.job is not None and scored.at // DAY_S != at // DAY_S:
            # The last of its day, which stays in the history.
            self._put(scored, scored.job)
        scored.slot, scored.job, scored.at, scored.block = slot, job, at, block

    def _put(self, scored: Scored, job: bytes) -> None:
        standing = Standing(scored.slot, Bytes32("0x" + job.hex()), scored.at)
        self._rows.put(scored.place, standing)
        self._statistics.scored(*scored.place, standing, scored.block)
