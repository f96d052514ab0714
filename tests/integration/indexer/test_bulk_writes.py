"""Rows that are put in place, few by one statement or many through a table of their own, are the rows that are read back: on both databases."""

from __future__ import annotations

import pytest
from tests.integration.indexer.conftest import OpenDatabase

from computility.domain.errors import StoreFailed
from computility.store import bulk_write
from computility.store.bulk_write import Row
from computility.store.projected import ACCOUNTS, PROVIDERS, SCORES

LARGEST = 2**127 - 1
FEW, MANY = bulk_write._FEW_ROWS, bulk_write._FEW_ROWS + 1


def account(number: int, free: int, locked: int) -> Row:
    return 1, number.to_bytes(20, "big"), b"\x05" * 20, free, locked


def provider(number: int, *, stake: int, exited_at: int | None, resources: list[str]) -> Row:
    key = 1, b"\x06" * 20, number.to_bytes(20, "big")
    return *key, stake, 1_700_000_000, None, exited_at, resources, 0, exited_at is None


@pytest.mark.parametrize("count", [1, FEW, MANY])
def test_rows_that_are_put_in_place__are_there_as_they_came(new_database: OpenDatabase, count: int) -> None:
    database = new_database()
    balances = [account(number, LARGEST - number, -number) for number in range(count)]
    providers = [
        provider(number, stake=2**64 + number, exited_at=None if number % 2 else number, resources=["0x\\\t'é"] * (number % 3))
        for number in range(count)
    ]  # fmt: skip
    with database.bulk_work() as (_, writer):
        writer.upsert(ACCOUNTS.table, [account(number, 0, 7) for number in range(0, count, 2)])
        writer.upsert(ACCOUNTS.table, balances)
        writer.upsert(PROVIDERS.table, providers)
        # Twice in a transaction, and a column that stays.
        writer.upsert(PROVIDERS.table, [(*row[:3], 5, *row[4:]) for row in providers], fixed=("stake",))
    with database.bulk_work() as (_, writer):
        assert sorted(writer.every_row(ACCOUNTS.table, 1)) == balances
        assert sorted(writer.every_row(PROVIDERS.table, 1)) == providers


@pytest.mark.parametrize("count", [1, MANY])
def test_what_does_not_fit_its_column__is_refused_and_not_cut_off(new_database: OpenDatabase, count: int) -> None:
    database = new_database()
    with pytest.raises((StoreFailed, OverflowError)), database.bulk_work() as (_, writer):
        writer.upsert(ACCOUNTS.table, [account(number, 10**39, 0) for number in range(count)])
    with database.bulk_work() as (_, writer):
        assert list(writer.every_row(ACCOUNTS.table, 1)) == []
        assert list(writer.every_row(SCORES.table, 1)) == []
