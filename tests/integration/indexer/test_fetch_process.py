"""Far behind, the chain is fetched by a process of its own: what is stored is the same, also when that process is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text
from tests.chaos.waiting import wait_until
from tests.integration.distorting_endpoint import distorted
from tests.integration.indexer.conftest import NewUrl
from tests.integration.ledger_on_chain import LedgerOnChain, index_all, rows_of

from computility.chain.rpc import RpcClient
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow
from computility.store.blocks import BlockRow, CursorRow
from computility.store.engine import Database, open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow, EventAccountRow, EventJobRow, EventNameRow
from computility.store.scores import ScoreRow

TABLES = (JobRow, AccountRow, ScoreRow, BlockLogsRow, EventAccountRow, EventJobRow, EventNameRow, BlockRow)
SOON_S = 240.0


def fetching() -> list[int]:
    """The processes of this test that fetch."""
    return [
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "computility.services.fetch_process" in child.cmdline()
    ]


def follow(indexer: Indexer, done: Callable[[], bool]) -> None:
    """Let an indexer run until something holds."""
    stop = threading.Event()
    thread = threading.Thread(target=indexer.run, args=(stop,))
    thread.start()
    try:
        wait_until(done, SOON_S)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def number(database: Database) -> int:
    """The block up to which the store is folded."""
    cursors = rows_of(database, CursorRow)
    return cursors[0]["number"] if cursors else -1


def test_a_long_back_fill__is_fetched_by_a_process_and_nothing_is_lost_when_it_is_killed(
    ledger: LedgerOnChain, tmp_path: Path
) -> None:
    ledger.attest(ledger.open())
    ledger.mine(280)
    ledger.attest(ledger.open())
    head = ledger.rpc.block_number()
    truth = open_database(f"sqlite:///{tmp_path}/truth.sqlite")
    index_all(Indexer(ledger.rpc, truth, ledger.deployments))
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    seen: set[int] = set()

    def caught_up() -> bool:
        for pid in fetching():
            if not seen:
                os.kill(pid, signal.SIGKILL)
            seen.add(pid)
        return number(database) == head

    follow(Indexer(ledger.rpc, database, ledger.deployments, most_blocks=8, poll_interval_s=0.05), caught_up)
    assert seen
    for table in TABLES:
        assert rows_of(database, table) == rows_of(truth, table)
    assert not fetching()
    truth.close()
    database.close()


@pytest.mark.postgresql
def test_the_thread_that_goes_on_at_the_head__writes_under_the_lock_that_the_back_fill_took(
    ledger: LedgerOnChain, postgresql_url: NewUrl, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.mine(280)
    ledger.open()
    database = open_database(postgresql_url())
    holders: set[int] = set()
    seen: set[int] = set()

    def goes_on_alone() -> bool:
        seen.update(fetching())
        with database.unit_of_work() as session:
            holders.update(
                session.execute(text("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")).scalars()
            )
        if number(database) == ledger.rpc.block_number() and seen and not fetching():
            # One that only the thread can have seen.
            ledger.mine(1)
            wait_until(lambda: number(database) == ledger.rpc.block_number(), SOON_S)
            return True
        return False

    follow(Indexer(ledger.rpc, database, ledger.deployments, most_blocks=8, poll_interval_s=0.05), goes_on_alone)
    assert len(holders) == 1
    assert "another indexer" not in caplog.text
    database.close()


def test_what_the_process_is_told_that_is_no_truth__is_said_here_and_nothing_taken_in(
    ledger: LedgerOnChain, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ledger.open()
    ledger.mine(260)
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    lie = {"address": "0x" + "11" * 20}
    with distorted(
        ledger.rpc.url, lambda method, found: [found[0] | lie] if method == "eth_getLogs" and found else found
    ) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments, poll_interval_s=0.05)
        follow(indexer, lambda: "which was not asked for" in caplog.text)
    assert rows_of(database, JobRow) == []
    database.close()


def test_a_process_that_cannot_start__is_tried_again_with_pauses_and_the_rest_is_fetched_once_it_can(
    ledger: LedgerOnChain, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.mine(280)
    head = ledger.rpc.block_number()
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    python = tmp_path / "python"
    # It ends as one that meets an error that nobody foresaw.
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)

    def caught_up() -> bool:
        if caplog.text.count("ended before it had come to the head") >= 2:
            monkeypatch.undo()
        return number(database) == head

    monkeypatch.setattr(sys, "executable", str(python))
    follow(Indexer(ledger.rpc, database, ledger.deployments, poll_interval_s=0.05), caught_up)
    pauses = [record.args[0] for record in caplog.records if record.args and "tries again in" in record.message]
    assert pauses[0] < pauses[1]
    database.close()


def test_a_process_for_which_the_machine_has_no_room__ends_neither_the_indexer_nor_its_proofs(
    ledger: LedgerOnChain, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.mine(280)
    head = ledger.rpc.block_number()
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")

    def sealed() -> bool:
        if "No such file or directory" in caplog.text:
            monkeypatch.undo()
        cursors = rows_of(database, CursorRow)
        return bool(cursors) and cursors[0]["number"] == head and cursors[0]["sealed"] == cursors[0]["final"]

    monkeypatch.setattr(sys, "executable", str(tmp_path / "not-there"))
    follow(Indexer(ledger.rpc, database, ledger.deployments, poll_interval_s=0.05), sealed)
    database.close()
