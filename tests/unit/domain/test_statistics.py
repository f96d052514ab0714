"""Sums by day: what a job adds to which day, and how few have how much."""

from __future__ import annotations

from computility.domain.job import ClosedBy, Outcome
from computility.domain.statistics import DAY_S, Close, Tally, concentration, opening, tallies_of

CLOSE = Close(
    opened_at=10 * DAY_S + 80_000,
    closed_at=12 * DAY_S + 100,
    block=7,
    outcome=Outcome.PASS,
    closed_by=ClosedBy.ATTESTED,
    units=60,
    ordered_units=100,
    unit_price=5,
    volume=300,
    fee=3,
    refund=200,
    slashed=0,
)


def test_a_close__counts_on_its_day_and_the_time_on_each_day_that_the_job_was_live() -> None:
    by_day = dict(tallies_of(CLOSE))
    assert {day: tally.live_s for day, tally in by_day.items()} == {10: 6_400, 11: DAY_S, 12: 100}
    assert [tally.closed for tally in by_day.values()] == [0, 0, 1]
    assert sum(tally.live_s for tally in by_day.values()) == CLOSE.closed_at - CLOSE.opened_at
    last = by_day[12]
    assert (last.passed, last.volume, last.mean_price, last.use_bps) == (1, 300, 5, 6_000)


def test_a_close_without_units__says_nothing_of_prices() -> None:
    paid = dict(tallies_of(CLOSE))[12]
    nothing = dict(tallies_of(CLOSE._replace(units=0, volume=0, outcome=Outcome.FAIL)))[12]
    both = paid.plus(nothing)
    assert (both.price_low, both.price_high, both.mean_price) == (5, 5, 5)
    assert nothing.mean_price is None
    assert (both.passed, both.failed, both.closed) == (1, 1, 2)


def test_sums__do_not_depend_on_their_order() -> None:
    parts = [opening(3), *(tally for _, tally in tallies_of(CLOSE)), Tally(disputed=1, block=9)]
    forward, backward = Tally(), Tally()
    for part in parts:
        forward = forward.plus(part)
    for part in reversed(parts):
        backward = backward.plus(part)
    assert forward == backward
    assert forward.block == 9


def test_concentration__of_equals_and_of_a_monopoly() -> None:
    assert concentration([7, 7, 7, 7]).hhi == 2_500
    assert concentration([5]).hhi == 10_000
    assert concentration([]).sellers == 0
    spread = concentration([60, 20, 10, 5, 5, 0])
    assert (spread.sellers, spread.hhi, spread.top_share_bps, spread.top_four_share_bps) == (5, 4_150, 6_000, 9_500)
