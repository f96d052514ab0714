"""Ranges that are ready come as one, and nothing that came before a failure is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from computility.domain.errors import ChainUnavailable
from computility.services.fetch_ahead import Next, Reorganised
from computility.services.gathering import Gathering
from computility.services.incoming import Head, Incoming, IncomingBlock


class Ready:
    """What has been fetched, in order; None where there is nothing yet."""

    def __init__(self, *items: Next | Exception | None) -> None:
        self._items: Sequence[Any] = list(items)

    def next(self, timeout_s: float) -> Next | None:
        """The next, or the error."""
        if not self._items:
            return None
        item, *self._items = self._items
        if isinstance(item, Exception):
            raise item
        return cast("Next | None", item)


def range_of(number: int, received: int = 10) -> Incoming:
    return Incoming([IncomingBlock(number, bytes(32), bytes(32), 0)], Head(number, 0, 0), received)


def gathering(*items: Next | Exception | None) -> Gathering:
    return Gathering(cast("Any", Ready(*items)), logs_at_once=25)


def numbers(found: Next | None) -> list[int]:
    assert isinstance(found, Incoming)
    return [block.number for block in found.blocks]


def test_ranges_that_are_ready__come_as_one_up_to_the_limit() -> None:
    ranges = gathering(range_of(1), range_of(2), range_of(3), range_of(4))
    found = ranges.next(0)
    assert numbers(found) == [1, 2, 3]
    assert isinstance(found, Incoming)
    assert (found.head.number, found.received) == (3, 30)
    assert numbers(ranges.next(0)) == [4]
    assert ranges.next(0) is None


def test_one_range__does_not_wait_for_another() -> None:
    ranges = gathering(range_of(1), None, range_of(2))
    assert numbers(ranges.next(0)) == [1]
    assert numbers(ranges.next(0)) == [2]


def test_a_reorganisation__comes_after_what_was_before_it() -> None:
    ranges = gathering(range_of(1), range_of(2), Reorganised(2))
    assert numbers(ranges.next(0)) == [1, 2]
    assert ranges.next(0) == Reorganised(2)


def test_a_failure__is_raised_after_what_was_before_it() -> None:
    ranges = gathering(range_of(1), ChainUnavailable("gone"))
    assert numbers(ranges.next(0)) == [1]
    with pytest.raises(ChainUnavailable):
        ranges.next(0)
