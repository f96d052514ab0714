"""A back-fill folds on while what was folded before is still being written: the store is the same, also when a write fails."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest
from sqlalchemy import Connection, event
from tests.integration.distorting_endpoint import distorted
from tests.integration.indexer.conftest import NewUrl
from tests.integration.indexer.test_fetch_process import TABLES, follow, number
from tests.integration.ledger_on_chain import LedgerOnChain, index_all, rows_of

from computility.chain.rpc import RpcClient
from computility.domain.events import JobOpened
from computility.domain.job import JobState
from computility.services import indexer as indexer_module
from computility.services.gathering import Gathering
from computility.services.indexer import Indexer
from computility.services.projection import Projection
from computility.services.write_behind import WriteBehind
from computility.store.engine import Database, open_database
from computility.store.jobs import JobRow

TRADES = 5


@pytest.fixture
def traded(ledger: LedgerOnChain, monkeypatch: pytest.MonkeyPatch) -> LedgerOnChain:
    """Trades that open in one range of blocks and are paid in the next, far below the head."""
    for _ in range(TRADES):
        terms = ledger.open()
        ledger.mine(8)
        ledger.attest(terms)
    ledger.mine(280)
    # Each range is a transaction of its own, as when there are more logs.
    monkeypatch.setattr(indexer_module, "Gathering", functools.partial(Gathering, logs_at_once=1))
    return ledger


@pytest.fixture
def truth(traded: LedgerOnChain, new_url: NewUrl) -> list[Any]:
    """The rows of a store that was written range by range."""
    database = open_database(new_url())
    index_all(Indexer(traded.rpc, database, traded.deployments))
    rows = [rows_of(database, table) for table in TABLES]
    database.close()
    return rows


def back_filled(traded: LedgerOnChain, database: Database) -> list[Any]:
    head = traded.rpc.block_number()
    indexer = Indexer(traded.rpc, database, traded.deployments, most_blocks=8, poll_interval_s=0.05)
    follow(indexer, lambda: number(database) == head)
    rows = [rows_of(database, table) for table in TABLES]
    database.close()
    return rows


def test_the_next_range_is_folded__while_one_is_being_written(
    traded: LedgerOnChain, truth: list[Any], new_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(new_url())
    overlapped: list[bool] = []
    folding_on = threading.Event()
    fold, hand_over = Projection.fold, WriteBehind.hand_over

    def folding(*arguments: Any, **named: Any) -> set[bytes]:
        folding_on.set()
        return fold(*arguments, **named)

    def handing_over(*arguments: Any) -> None:
        folding_on.clear()
        hand_over(*arguments)

    monkeypatch.setattr(Projection, "fold", folding)
    monkeypatch.setattr(WriteBehind, "hand_over", handing_over)

    @event.listens_for(database.engine, "commit")
    def slowly(connection: Connection) -> None:
        if threading.current_thread().name.startswith("write-behind") and len(overlapped) < 2:
            overlapped.append(folding_on.wait(20))

    assert back_filled(traded, database) == truth
    assert overlapped == [True, True]


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_write_that_fails_behind__is_begun_again_from_what_is_stored(
    traded: LedgerOnChain, truth: list[Any], new_url: NewUrl, caplog: pytest.LogCaptureFixture, fails: int
) -> None:
    database = open_database(new_url())
    commits = 0

    @event.listens_for(database.engine, "commit")
    def failing(connection: Connection) -> None:
        nonlocal commits
        if threading.current_thread().name.startswith("write-behind"):
            commits += 1
            if commits == fails:
                raise OSError("no room for this commit")

    assert back_filled(traded, database) == truth
    assert commits > fails
    assert "no room for this commit" in caplog.text


def test_a_job_that_begins_twice__is_noticed_by_the_store_and_read_again_by_its_receipts(
    traded: LedgerOnChain, truth: list[Any], new_url: NewUrl
) -> None:
    database = open_database(new_url())
    first = Indexer(traded.rpc, database, traded.deployments, most_blocks=8)
    while not any(row["state"] == JobState.CLOSED for row in rows_of(database, JobRow)):
        first.step()
    begun = traded.rpc.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "topics": [JobOpened.EVENT.topic]})
    later = traded.rpc.call("eth_getBlockByNumber", hex(number(database) + 100), False)
    again = {**begun[0], "blockNumber": later["number"], "blockHash": later["hash"]}

    def twice(call: dict[str, Any], result: Any) -> Any:
        if call["method"] != "eth_getLogs":
            return result
        asked = call["params"][0]
        here = int(asked["fromBlock"], 16) <= int(later["number"], 16) <= int(asked["toBlock"], 16)
        return [*result, again] if here else result

    head = traded.rpc.block_number()
    with distorted(traded.rpc.url, distort_call=twice) as url:
        # Its memory is empty: nothing but the store knows that the job began before.
        lied_to = Indexer(RpcClient(url), database, traded.deployments, most_blocks=8, poll_interval_s=0.05)
        follow(lied_to, lambda: number(database) == head)
    assert [rows_of(database, table) for table in TABLES] == truth
    database.close()


@pytest.mark.parametrize("written", [True, False])
def test_what_was_written_while_something_else_failed__is_told_of(written: bool) -> None:
    told: list[str] = []

    def write() -> None:
        if not written:
            raise OSError("no room")

    def hand_over_and_fail() -> None:
        with WriteBehind() as behind:
            behind.hand_over(write, lambda: told.append("landed"))
            raise ValueError("the next fold")

    with pytest.raises(ValueError, match="the next fold"):
        hand_over_and_fail()
    assert told == ["landed"] * written
