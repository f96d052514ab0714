"""Adds jobs to the sums of the trades by day, and keeps the scores as each day left them.

What is added waits in memory by day, resource and provider, and goes into the rows when a block ends whose images are kept, or a chunk: a row of the
market is touched once a chunk, not once a job. A pass that pays on the day of the opening is added up without an object of its own.
"""

from __future__ import annotations

from typing import Final

from computility.domain.events import Event, EventOrigin, JobDisputed
from computility.domain.job import JobRecord, JobState
from computility.domain.standing import Standing
from computility.domain.statistics import (
    DAY_S,
    TOTAL,
    Close,
    Scope,
    Tally,
    close_of,
    day_of,
    dispute,
    opening,
    tallies_of,
)
from computility.services.projected_rows import Rows
from computility.store.job_at_rest import JOB_FIELDS, PROVIDER, RESOURCE, TERMS, JobsRow, job_record
from computility.store.projections import DayStanding
from computility.store.statistics import MARKET_SUBJECT

_NOTHING: Final = Tally()
_UNITS, _PROVIDER_PAID, _FEE, _REFUND, _OPENED_AT, _CLOSED_AT, _CLOSED_BLOCK = map(
    JOB_FIELDS.index, ("units", "provider_paid", "fee", "refund", "opened_at", "closed_at", "closed_block")
)
_PRICE_WORD, _MAX_UNITS_WORD = slice(320, 352), slice(384, 416)
"""Where the terms of a row have them."""
_SCOPES: Final = tuple(map(int, Scope))


class StatisticsFold:
    """Of one build. ``sums`` are rows of ``statistics``, ``history`` of ``score_history``."""

    def __init__(self, sums: Rows[Tally], history: Rows[DayStanding]) -> None:
        self._sums = sums
        self._history = history
        self._waiting: dict[tuple[int, bytes, bytes], Tally] = {}
        """By day, resource and provider."""
        self._opened: dict[tuple[int, bytes, bytes], list[int]] = {}
        """Of openings, which are many: their number and their last block."""
        self._paid: dict[tuple[int, bytes, bytes], list[int]] = {}
        """Of passes that paid on the day of the opening: number, units, ordered, volume, fees, refunds, seconds, lowest and highest price, block."""
        self._standings: dict[tuple[bytes, int, bytes, int], DayStanding] = {}

    def opened(self, resource: bytes, provider: bytes, timestamp: int, block: int) -> None:
        """A job opened."""
        key = timestamp // DAY_S, resource, provider
        found = self._opened.get(key)
        if found is None:
            self._opened[key] = [1, block]
        else:
            found[0] += 1
            found[1] = block

    def paid(self, row: JobsRow) -> None:
        """A job closed by the pass that paid it."""
        opened_at, closed_at = row[_OPENED_AT], row[_CLOSED_AT]
        day = closed_at // DAY_S
        if opened_at // DAY_S != day:
            self.closed(row[RESOURCE], row[PROVIDER], close_of(job_record(row)))
            return
        terms, units, fee = row[TERMS], row[_UNITS], row[_FEE]
        # A close without units says nothing of prices.
        price = int.from_bytes(terms[_PRICE_WORD], "big") if units else 0
        sums = self._paid.get(key := (day, row[RESOURCE], row[PROVIDER]))
        if sums is None:
            sums = self._paid[key] = [0, 0, 0, 0, 0, 0, 0, price, price, 0]
        sums[0] += 1
        sums[1] += units
        sums[2] += int.from_bytes(terms[_MAX_UNITS_WORD], "big")
        sums[3] += row[_PROVIDER_PAID] + fee
        sums[4] += fee
        sums[5] += row[_REFUND]
        sums[6] += closed_at - opened_at
        if price and (price < sums[7] or not sums[7]):
            sums[7] = price
        if price > sums[8]:
            sums[8] = price
        sums[9] = row[_CLOSED_BLOCK]

    def job_changed(
        self, event: Event, job: JobRecord, resource: bytes | None, provider: bytes | None, origin: EventOrigin
    ) -> None:
        """A job after one of its events."""
        if resource is None or provider is None:
            return
        if isinstance(event, JobDisputed):
            self._add((day_of(origin.timestamp), resource, provider), dispute(origin.block_number))
        elif job.state is JobState.CLOSED:
            self.closed(resource, provider, close_of(job))

    def closed(self, resource: bytes, provider: bytes, close: Close | None) -> None:
        """A job closed; None for one that had never opened."""
        if close is not None:
            for day, tally in tallies_of(close):
                self._add((day, resource, provider), tally)

    def scored(self, account: bytes, role: int, escrow: bytes, standing: Standing, block: int) -> None:
        """A close changed a standing."""
        self._standings[account, role, escrow, standing.at // DAY_S] = DayStanding(standing, block)

    def put(self) -> None:
        """What waits goes into the rows."""
        for key, (count, block) in self._opened.items():
            self._add(key, opening(block, count))
        self._opened.clear()
        for key, (count, units, ordered, volume, fees, refunds, live_s, low, high, block) in self._paid.items():
            self._add(
                key,
                Tally(
                    closed=count, passed=count, units=units, ordered_units=ordered, volume=volume, fees=fees, refunds=refunds, live_s=live_s,
                    price_low=low, price_high=high, block=block,
                ),
            )  # fmt: skip
        self._paid.clear()
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
        self._opened.clear()
        self._paid.clear()
        self._waiting.clear()
        self._standings.clear()

    def _add(self, key: tuple[int, bytes, bytes], tally: Tally) -> None:
        before = self._waiting.get(key)
        self._waiting[key] = tally if before is None else before.plus(tally)
