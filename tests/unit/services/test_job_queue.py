"""Whose job an agent turns to first.

the queue
├── a place for each: the oldest first, and nobody's tier is asked
├── more open jobs than places: higher tiers first, the oldest first among equals
└── jobs that run no more take no place
"""

from __future__ import annotations

from dataclasses import replace

from tests.unit.domain.test_split import TERMS

from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.services.job_queue import in_turn
from computility.services.job_watch import WatchedJob
from computility.services.trading_account import JobOnChain

NEWCOMER, REGULAR, BEST = (Address("0x" + f"{n:040x}") for n in (1, 2, 3))
TIERS = {NEWCOMER: 0, REGULAR: 1, BEST: 3}


def job(name: int, buyer: Address, state: JobState = JobState.OPEN) -> WatchedJob:
    slot = JobOnChain(state, 0, 0, 0, 0, 1, False)
    return WatchedJob(Bytes32("0x" + f"{name:064x}"), replace(TERMS, buyer=buyer), slot, 0)


def order(jobs: list[WatchedJob], places: int) -> list[int]:
    return [int(each.id, 16) for each in in_turn(jobs, places, TIERS.__getitem__)]


def test_while_there_is_a_place_for_each__the_oldest_comes_first_and_no_tier_is_asked() -> None:
    def nobody(buyer: Address) -> int:
        raise AssertionError(buyer)

    jobs = [job(1, NEWCOMER), job(2, BEST)]

    assert in_turn(jobs, 2, nobody) == jobs


def test_with_more_open_jobs_than_places__a_better_buyer_comes_first__then_the_oldest() -> None:
    jobs = [job(1, NEWCOMER), job(2, REGULAR), job(3, BEST), job(4, NEWCOMER), job(5, BEST)]

    assert order(jobs, 2) == [3, 5, 2, 1, 4]


def test_a_job_that_waits_for_its_window__takes_no_place() -> None:
    jobs = [job(1, NEWCOMER), job(2, BEST, JobState.PENDING), job(3, BEST, JobState.DISPUTED)]

    assert order(jobs, 1) == [1, 2, 3]
