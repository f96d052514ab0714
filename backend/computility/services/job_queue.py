"""Whose job an agent turns to first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from computility.domain.identifiers import Address
from computility.domain.job import JobState
from computility.services.job_watch import WatchedJob


def in_turn(jobs: Sequence[WatchedJob], places: int, tier_of: Callable[[Address], int]) -> list[WatchedJob]:
    """Live jobs in the order in which an agent turns to them: as given, the oldest first, while there is a place for each.

    Where more are open than can run at one time, buyers of a higher tier come before others: a good score buys priority. ``tier_of`` is asked
    once for each buyer, and only then.
    """
    if sum(job.chain.state is JobState.OPEN for job in jobs) <= places:
        return list(jobs)
    tiers = {buyer: tier_of(buyer) for buyer in {job.terms.buyer for job in jobs}}
    return sorted(jobs, key=lambda job: -tiers[job.terms.buyer])
