"""What the trades add up to, by day: of the whole market, of each resource, of each provider.

A job adds to the day of its opening (``opened``), of each dispute, and of its close (everything else); the time that it was live to each day that it
was live on. All of it follows from the escrow's events, so sums that were kept are checked by adding up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome

DAY_S: Final = 86_400
# By names of the module's own: every close passes here, and to read a member of an enumeration takes as long as four additions.
_PASS, _FAIL, _CLAIM, _NO_FAULT = Outcome.PASS, Outcome.FAIL, Outcome.CLAIM, Outcome.NO_FAULT
_RULED, _AGREED, _RECLAIMED = ClosedBy.RULED, ClosedBy.AGREED, ClosedBy.RECLAIMED
_CLOSED = JobState.CLOSED
TOTAL: Final = -1
"""The day of the sum over all days."""
FULL_HHI: Final = 10_000


class Scope(IntEnum):
    """What a row is about. The subject of the market is nothing."""

    MARKET = 0
    RESOURCE = 1
    PROVIDER = 2


class Tally(NamedTuple):
    """Counts of jobs, units of the resource's metric, atoms of credit, and seconds.

    ``units`` are those that were paid for, so that ``volume / units`` is the mean price; ``price_low`` and ``price_high`` are the extremes of prices
    of jobs with any, else zero. ``block`` is the last block that added to it.
    """

    opened: int = 0
    closed: int = 0
    passed: int = 0
    failed: int = 0
    claimed: int = 0
    excused: int = 0
    disputed: int = 0
    ruled: int = 0
    agreed: int = 0
    reclaimed: int = 0
    units: int = 0
    ordered_units: int = 0
    volume: int = 0
    fees: int = 0
    refunds: int = 0
    slashed: int = 0
    live_s: int = 0
    price_low: int = 0
    price_high: int = 0
    block: int = -1

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        sums = [mine + theirs for mine, theirs in zip(self[:_SUMS], other[:_SUMS], strict=True)]
        lows = [low for low in (self.price_low, other.price_low) if low]
        high = max(self.price_high, other.price_high)
        return Tally._make((*sums, min(lows, default=0), high, max(self.block, other.block)))

    @classmethod
    def sum_of(cls, tallies: Sequence[Tally]) -> Tally:
        """All of some together, of one at least."""
        *sums, lows, highs, blocks = zip(*tallies, strict=True)
        low = min((low for low in lows if low), default=0)
        return cls._make((*map(sum, sums), low, max(highs), max(blocks)))

    @property
    def mean_price(self) -> int | None:
        """Atoms a unit, weighted by units, rounded down; None where nothing was paid for."""
        return self.volume // self.units if self.units else None

    @property
    def use_bps(self) -> int | None:
        """Of the units that closed jobs had ordered, the share that was paid for, in basis points; None without any."""
        return self.units * 10_000 // self.ordered_units if self.ordered_units else None


COUNTS: Final = frozenset({*Tally._fields[: Tally._fields.index("units")], "live_s", "block"})
"""The fields that any integer holds; the others are amounts."""
_SUMS: Final = Tally._fields.index("price_low")


def day_of(timestamp: int) -> int:
    """The day (UTC, days since 1970) of a time in seconds."""
    return timestamp // DAY_S


def opening(block: int, count: int = 1) -> Tally:
    """What the opening of a job, or of several, adds to its day."""
    return Tally(opened=count, block=block)


def dispute(block: int) -> Tally:
    """What a dispute adds to its day."""
    return Tally(disputed=1, block=block)


class Close(NamedTuple):
    """Of a job that closed after it had opened, what is counted. Times in seconds."""

    opened_at: int
    closed_at: int
    block: int
    outcome: Outcome | None
    closed_by: ClosedBy
    units: int
    ordered_units: int
    unit_price: int
    volume: int
    fee: int
    refund: int
    slashed: int


def close_of(job: JobRecord) -> Close | None:
    """What is counted of a job; None while it is live, and for one that was cancelled before it opened."""
    if job.state is not _CLOSED or job.terms is None or job.closed_at is None or job.opened_at is None:
        return None
    assert job.closed_by is not None
    return Close(
        opened_at=job.opened_at,
        closed_at=job.closed_at,
        block=job.closed_block or 0,
        outcome=job.outcome,
        closed_by=job.closed_by,
        units=job.units or 0,
        ordered_units=job.terms.max_units,
        unit_price=job.terms.unit_price,
        volume=(job.provider_paid or 0) + (job.fee or 0),
        fee=job.fee or 0,
        refund=job.refund or 0,
        slashed=(job.bond_to_buyer or 0) + (job.bond_to_treasury or 0),
    )


def tallies_of(close: Close) -> Iterator[tuple[int, Tally]]:
    """What a close adds, by day: the whole of it to the day of the close, and the time that the job was live to each day that it was."""
    last = day_of(close.closed_at)
    for day in range(day_of(close.opened_at), last):
        begin = max(close.opened_at, day * DAY_S)
        yield day, Tally(live_s=(day + 1) * DAY_S - begin, block=close.block)
    price = close.unit_price if close.units else 0
    yield (
        last,
        Tally(
            closed=1,
            passed=close.outcome is _PASS,
            failed=close.outcome is _FAIL,
            claimed=close.outcome is _CLAIM,
            excused=close.outcome is _NO_FAULT and close.closed_by is not _RECLAIMED,
            ruled=close.closed_by is _RULED,
            agreed=close.closed_by is _AGREED,
            reclaimed=close.closed_by is _RECLAIMED,
            units=close.units,
            ordered_units=close.ordered_units,
            volume=close.volume,
            fees=close.fee,
            refunds=close.refund,
            slashed=close.slashed,
            live_s=close.closed_at - max(close.opened_at, last * DAY_S),
            price_low=price,
            price_high=price,
            block=close.block,
        ),
    )


@dataclass(frozen=True)
class Concentration:
    """How much of a volume few have. ``hhi`` is the Herfindahl–Hirschman index, 0 to 10,000: shares in percent, squared and added, rounded down."""

    sellers: int
    volume: int
    hhi: int
    top_share_bps: int
    top_four_share_bps: int


def concentration(volumes: Iterable[int]) -> Concentration:
    """Of the volumes of all who sold something."""
    sold: Sequence[int] = sorted((volume for volume in volumes if volume > 0), reverse=True)
    whole = sum(sold)
    if not whole:
        return Concentration(0, 0, 0, 0, 0)
    return Concentration(
        sellers=len(sold),
        volume=whole,
        hhi=sum(volume * volume for volume in sold) * FULL_HHI // (whole * whole),
        top_share_bps=sold[0] * 10_000 // whole,
        top_four_share_bps=sum(sold[:4]) * 10_000 // whole,
    )
