"""Databases that run full or are restarted in a back-fill: the indexer goes on by itself, and no row is lost, doubled or half-applied."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from tests.chaos.waiting import wait_until
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger, index_all, rows_of
from tests.own_postgresql import own_postgresql, restart_by_force

from computility.chain.local_chain import LocalChain
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow
from computility.store.blocks import CursorRow
from computility.store.engine import Database, open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow, EventAccountRow, EventJobRow, EventNameRow
from computility.store.scores import ScoreRow

TABLES = (JobRow, AccountRow, ScoreRow, BlockLogsRow, EventAccountRow, EventJobRow, EventNameRow)
TRADES = 8


@pytest.fixture(scope="module")
def traded(own_anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with some trades, each in blocks of its own."""
    ledger = deploy_ledger(own_anvil, tmp_path_factory.mktemp("deployments"))
    for _ in range(TRADES):
        ledger.attest(ledger.open())
    return ledger


@pytest.fixture(scope="module")
def truth(traded: LedgerOnChain, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The rows of a store to which nothing happened."""
    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('truth')}/node.sqlite")
    index_all(Indexer(traded.rpc, database, traded.deployments))
    rows = [rows_of(database, table) for table in TABLES]
    database.close()
    return rows


@contextmanager
def following(traded: LedgerOnChain, database: Database) -> Iterator[Indexer]:
    """An indexer that follows in a thread, two blocks at a time."""
    indexer = Indexer(traded.rpc, database, traded.deployments, most_blocks=2, poll_interval_s=0.02)
    stop = threading.Event()
    thread = threading.Thread(target=indexer.run, args=(stop,))
    thread.start()
    try:
        yield indexer
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def number(database: Database) -> int:
    """The block up to which the store is folded."""
    cursors = rows_of(database, CursorRow)
    return cursors[0]["number"] if cursors else -1


def assert_caught_up(traded: LedgerOnChain, database: Database, truth: list[Any]) -> None:
    head = traded.rpc.block_number()
    wait_until(lambda: number(database) == head, 180)
    assert [rows_of(database, table) for table in TABLES] == truth


def test_a_full_disk_under_sqlite__is_waited_out(
    traded: LedgerOnChain, truth: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    full = threading.Event()
    with closing(database.engine.raw_connection()) as connection:
        # The migrations leave free pages, which would be room.
        driver: Any = connection.driver_connection
        driver.execute("VACUUM")
        most_pages = driver.execute("PRAGMA page_count").fetchone()[0]

    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count={most_pages if full.is_set() else 2**31}")

    event.listen(database.engine, "checkout", limit)
    full.set()
    with following(traded, database):
        wait_until(lambda: "the database fails" in caplog.text or "disk is full" in caplog.text, 180)
        stopped = number(database)
        assert stopped < traded.rpc.block_number()
        full.clear()
        assert_caught_up(traded, database, truth)
    database.close()


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL server of the test's own."""
    with own_postgresql() as running:
        yield running


@pytest.mark.postgresql
def test_a_postgresql_that_runs_full_and_is_restarted_by_force__loses_and_doubles_nothing(
    traded: LedgerOnChain, truth: list[Any], server: Any, caplog: pytest.LogCaptureFixture
) -> None:
    database = open_database(server.get_uri())
    with database.engine.begin() as connection:
        # There are no quotas: the server refuses as it does where it finds no room.
        connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.block_number >= "
                f"{traded.rpc.block_number() - TRADES} THEN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; "
                "END IF; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER full_disk BEFORE INSERT ON block_logs FOR EACH ROW EXECUTE FUNCTION refuse()")
        )
    with following(traded, database):
        wait_until(lambda: "No space left on device" in caplog.text, 180)
        assert number(database) < traded.rpc.block_number()
        # Mid-way.
        restart_by_force(server)
        wait_until(lambda: room_again(database), 180)
        assert_caught_up(traded, database, truth)
    database.close()


def room_again(database: Database) -> bool:
    """Whether the server took the trigger away; not while it comes up."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with database.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER IF EXISTS full_disk ON block_logs"))
    except SQLAlchemyError:
        return False
    return True
