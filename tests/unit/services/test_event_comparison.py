"""Sums of a store's rows of events differ where any of its rows does, also where rows were only exchanged."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from computility.services.event_comparison import EventSums
from computility.store.raw_logs import PARTITIONED

LOGS, ACCOUNTS, JOBS, NAMES = (table.name for table in PARTITIONED)


def sums(table: str, *rows: tuple[Any, ...]) -> EventSums:
    return EventSums((table, row) for row in rows)


@pytest.mark.parametrize("table", [ACCOUNTS, JOBS])
def test_rows_of_a_block_that_exchanged_their_logs__are_found_every_time(table: str) -> None:
    some = random.Random(1)
    for _ in range(200):
        one, other = some.randbytes(20), some.randbytes(20)
        mine, theirs = some.randbytes(4), some.randbytes(8)
        kept = sums(table, (7, one, theirs), (7, other, mine))
        true = sums(table, (7, one, mine), (7, other, theirs))
        assert [(found.table, found.key, found.field) for found in kept.differences(true)] == [
            (table, "block 7", "content")
        ]


def test_a_block_whose_time_and_count_make_up_for_each_other__is_found() -> None:
    row = (7, b"h" * 32, 1_700_000_000, 12, b"", b"\1")
    for moved, counted in itertools.product((-1, 0, 1), repeat=2):
        changed = (*row[:2], row[2] + moved, row[3] + counted, *row[4:])
        assert bool(list(sums(LOGS, changed).differences(sums(LOGS, row)))) is (changed != row)


def test_a_name_and_its_logs__are_not_read_into_each_other() -> None:
    kept, true = sums(NAMES, (7, "JobPai", b"d\0\0\0\1")), sums(NAMES, (7, "JobPaid", b"\0\0\0\1"))
    assert list(kept.differences(true))


def test_the_same_rows_in_another_order__are_the_same() -> None:
    rows = [(7, bytes([at]) * 20, bytes(4)) for at in range(9)]
    assert not list(sums(ACCOUNTS, *rows).differences(sums(ACCOUNTS, *reversed(rows))))
