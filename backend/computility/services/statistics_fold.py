"""Adds jobs to the sums of the trades by day, and keeps the scores as each day left them.

What is added waits in memory by day, resource and provider, and goes into the rows when a block ends whose images are kept, or a chunk: a row of the
market is touched once a chunk, not once a job. A pass that pays on the day of the opening is added up without an object of its own.
"""

from __future__ import annotations

from typing import Final

from computility.domain.events import Event, EventOrigin, JobDisputed, JobOpened
from computility.domain.job import JobRecord, JobState
from computility.domain.standing import Standing
from computility.domain.statistics import (
    DAY_S,
    TOTAL,
    Scope,
    Tally,
    close_of,
    day_of,
    dispute,
    opening,
    tallies_of,
)
from computility.services.projected_rows import Rows
from computility.store.projections import DayStanding
from computility.store.statistics import MARKET_SUBJECT

_NOTHING: Final = Tally()
_SCOPES: Final = tuple(map(int, Scope))


class DayTrades:
    """Of a day, a resource and a provider: how many jobs opened, and of those of them that a pass paid on the same day what ``Tally`` says."""

    __slots__ = (
        "fees", "live_s", "opened", "opened_block", "ordered", "paid_block", "passed", "price_high", "price_low", "refunds", "units", "volume",
    )  # fmt: skip

    def __init__(self) -> None:
        self.opened = self.opened_block = 0
        self.passed = self.units = self.ordered = self.volume = self.fees = self.refunds = self.live_s = 0
        self.price_low = self.price_high = self.paid_block = 0

    def paid(
        self, price: int, units: int, ordered: int, volume: int, fee: int, refund: int, live_s: int, block: int
    ) -> None:
        """A pass paid. ``price`` is zero without units: such a close says nothing of prices."""
        self.passed += 1
        self.units += units
        self.ordered += ordered
        self.volume += volume
        self.fees += fee
        self.refunds += refund
        self.live_s += live_s
        if price and (price < self.price_low or not self.price_low):
            self.price_low = price
        if price > self.price_high:
            self.price_high = price
        self.paid_block = block

    def tally(self) -> Tally:
        """What the passes add."""
        return Tally(
            closed=self.passed, passed=self.passed, units=self.units, ordered_units=self.ordered, volume=self.volume, fees=self.fees,
            refunds=self.refunds, live_s=self.live_s, price_low=self.price_low, price_high=self.price_high, block=self.paid_block,
        )  # fmt: skip


class StatisticsFold:
    """Of one build. ``sums`` are rows of ``statistics``, ``history`` of ``score_history``."""

    def __init__(self, sums: Rows[Tally], history: Rows[DayStanding]) -> None:
        self._sums = sums
        self._history = history
        self._waiting: dict[tuple[int, bytes, bytes], Tally] = {}
        """By day, resource and provider."""
        self._trades: dict[tuple[int, bytes, bytes], DayTrades] = {}
        """The same of what is most of it."""
        self._standings: dict[tuple[bytes, int, bytes, int], DayStanding] = {}

    def trades(self, day: int, resource: bytes, provider: bytes) -> DayTrades:
        """What is added up of a day's trades, until ``put``."""
        key = day, resource, provider
        found = self._trades.get(key)
        if found is None:
            found = self._trades[key] = DayTrades()
        return found

    def job_changed(
        self, event: Event, job: JobRecord, resource: bytes | None, provider: bytes | None, origin: EventOrigin
    ) -> None:
        """A job after one of its events."""
        if resource is None or provider is None:
            return
        key = day_of(origin.timestamp), resource, provider
        if isinstance(event, JobOpened):
            self._add(key, opening(origin.block_number))
        elif isinstance(event, JobDisputed):
            self._add(key, dispute(origin.block_number))
        elif job.state is JobState.CLOSED:
            self.job_closed(resource, provider, job)

    def job_closed(self, resource: bytes, provider: bytes, job: JobRecord) -> None:
        """A job closed; one that had never opened does not count."""
        if (close := close_of(job)) is not None:
            for day, tally in tallies_of(close):
                self._add((day, resource, provider), tally)

    def scored(self, account: bytes, role: int, escrow: bytes, standing: Standing, block: int) -> None:
        """A close changed a standing."""
        self._standings[account, role, escrow, standing.at // DAY_S] = DayStanding(standing, block)

    def put(self) -> None:
        """What waits goes into the rows."""
        for key, trades in self._trades.items():
            if trades.opened:
                self._add(key, opening(trades.opened_block, trades.opened))
            if trades.passed:
                self._add(key, trades.tally())
        self._trades.clear()
        if self._waiting:
            adding: dict[tuple[int, int, bytes], Tally] = {}
            for (day, resource, provider), tally in self._waiting.items():
                subjects = MARKET_SUBJECT, resource, provider.rjust(32, b"\0")
                for scope, subject in zip(_SCOPES, subjects, strict=True):
                    for row in ((scope, day, subject), (scope, TOTAL, subject)):
                        before = adding.get(row)
                        adding[row] = tally if before is None else before.plus(tally)
            self._waiting.clear()
            self._sums.prefetch(adding)
            for row, tally in adding.items():
                self._sums.put(row, (self._sums.get(row) or _NOTHING).plus(tally))
        if self._standings:
            self._history.prefetch(self._standings)
            for place, standing in self._standings.items():
                self._history.put(place, standing)
            self._standings.clear()

    def discard(self) -> None:
        """Forget what waits."""
        self._trades.clear()
        self._waiting.clear()
        self._standings.clear()

    def _add(self, key: tuple[int, bytes, bytes], tally: Tally) -> None:
        before = self._waiting.get(key)
        self._waiting[key] = tally if before is None else before.plus(tally)
