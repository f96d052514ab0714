"""Rebuilds and roll-backs of much at once: no long transaction, no query a log, and nothing goes live that was read of two chains."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import update
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.indexer.test_indexer import assert_as_from_nothing
from tests.integration.ledger_on_chain import LedgerOnChain, index_all, rows_of

from computility.domain.errors import StoreMoved
from computility.services import builds
from computility.store.blocks import CursorRow
from computility.store.ledgers import LedgerRow


def test_a_rebuild__keeps_no_transaction_open_from_one_page_to_the_next(
    ledger: LedgerOnChain, new_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.trade_in_every_way()
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    monkeypatch.setattr(builds, "_AT_ONCE", 5)
    turns: list[int] = []
    for name, step in (("begin", 1), ("commit", -1), ("rollback", -1)):
        event.listen(database.engine, name, lambda _connection, step=step: turns.append(step))
    indexer.rebuild()
    assert max(itertools.accumulate(turns)) == 1
    assert turns.count(1) > 10
    assert_as_from_nothing(ledger, database, new_database)


def test_a_rebuild__whose_blocks_another_process_exchanged__does_not_go_live(
    ledger: LedgerOnChain, new_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.attest(ledger.open())
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    pages = builds.stored_blocks

    def exchanged(*given: Any) -> Iterator[Any]:
        yield from pages(*given)
        with database.bulk_work() as (session, _):
            session.exec(update(CursorRow).values(hash="0x" + "77" * 32))

    monkeypatch.setattr(builds, "stored_blocks", exchanged)
    with pytest.raises(StoreMoved):
        indexer.rebuild()
    assert "live" in [row["state"] for row in rows_of(database, LedgerRow)]


def test_a_reorganisation__reads_the_jobs_that_it_orphans_at_once(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    fork = ledger.snapshot()
    for _ in range(4):
        ledger.attest(ledger.open())
    index_all(indexer)
    ledger.revert(fork)
    ledger.mine(12)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    index_all(indexer)
    assert indexer.metrics.reorganisations._value.get() == 1
    assert len([statement for statement in asked if "FROM jobs" in statement and "SELECT" in statement]) == 1
    assert_as_from_nothing(ledger, database, new_database)
