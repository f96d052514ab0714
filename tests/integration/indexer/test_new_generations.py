"""Contracts of which a node learns only after their first events were mined: it reads those blocks again, and misses nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.indexer.conftest import OpenDatabase
from tests.integration.ledger_on_chain import deploy_ledger, index_all, rows_of
from typer.testing import CliRunner

from computility.chain.local_chain import LocalChain
from computility.cli.application import build_application
from computility.domain.errors import NodeBusy, StoreError
from computility.services.forget_ledger import forget_ledger
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow
from computility.store.blocks import CursorRow
from computility.store.engine import open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow, EmitterRow, EventAccountRow
from computility.store.statements import StatementRow
from computility.store.undo import UndoRow
from computility.store.writer_lock import writer_lock

TABLES = (JobRow, AccountRow, BlockLogsRow, EmitterRow, EventAccountRow, CursorRow)
STATEMENT: Final[dict[str, Any]] = {
    "chain_id": "eip155:31337", "kind": "ask", "id": "0x" + "12" * 32, "signer": "0x" + "34" * 20, "subject": "0x" + "56" * 32, "slot": "ask:1",
    "valid_until": 5, "message": {"resource": "urn:x"}, "signature": "0x", "received_at": 1,
}  # fmt: skip


def without_build(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in ("ledger", "undo_floor")} for row in rows]


def test_a_generation_that_began_before_the_node_knew_of_it__is_read_from_its_first_block(
    own_anvil: LocalChain, tmp_path: Path
) -> None:
    ledger = deploy_ledger(own_anvil, tmp_path / "deployments")
    ledger.open()
    late = open_database(f"sqlite:///{tmp_path}/late.sqlite")
    younger = deploy_ledger(own_anvil, tmp_path / "deployments")
    younger.open()
    younger.mine(8)
    index_all(Indexer(ledger.rpc, late, ledger.deployments))
    assert len(rows_of(late, JobRow)) == 1
    fresh = open_database(f"sqlite:///{tmp_path}/fresh.sqlite")
    for database in (late, fresh):
        indexer = Indexer(ledger.rpc, database, younger.deployments)
        index_all(indexer)
        while indexer.seal():
            pass
        assert indexer.metrics.unsealed._value.get() == 0
    assert len(rows_of(fresh, JobRow)) == 2
    for table in TABLES:
        left_out = {"ledger", "undo_floor"}
        assert [{k: v for k, v in row.items() if k not in left_out} for row in rows_of(late, table)] == [
            {k: v for k, v in row.items() if k not in left_out} for row in rows_of(fresh, table)
        ]
    late.close()
    fresh.close()


def test_a_generation_older_than_the_store__is_said_with_what_to_do_and_changes_nothing(
    own_anvil: LocalChain, tmp_path: Path
) -> None:
    deploy_ledger(own_anvil, tmp_path / "deployments")
    both = deploy_ledger(own_anvil, tmp_path / "deployments")
    both.open()
    older, newest = both.deployments.generations
    database = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    index_all(Indexer(both.rpc, database, replace(both.deployments, generations=(newest,))))
    before = [rows_of(database, table) for table in TABLES]
    assert len(before[0]) == 1
    with pytest.raises(StoreError, match=rf"from block {older.block} on.*node forget-ledger"):
        index_all(Indexer(both.rpc, database, both.deployments))
    assert [rows_of(database, table) for table in TABLES] == before
    database.close()


def test_a_ledger_that_is_forgotten__is_read_anew_with_the_older_contracts__and_statements_stay(
    own_anvil: LocalChain, tmp_path: Path, new_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy_ledger(own_anvil, tmp_path / "deployments").open()
    both = deploy_ledger(own_anvil, tmp_path / "deployments")
    both.open()
    newest = both.deployments.generations[-1]
    database, fresh = new_database(), new_database()
    index_all(Indexer(both.rpc, database, replace(both.deployments, generations=(newest,))))
    with database.unit_of_work() as session:
        session.add(StatementRow(**STATEMENT))
    kept = rows_of(database, StatementRow)
    monkeypatch.setenv("DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    told = CliRunner().invoke(build_application("node"), ["node", "forget-ledger", "--yes", "--json"])
    assert told.exit_code == 0, told.output
    assert rows_of(database, CursorRow) == rows_of(database, JobRow) == rows_of(database, UndoRow) == []
    for one in (database, fresh):
        index_all(Indexer(both.rpc, one, both.deployments))
    assert len(rows_of(fresh, JobRow)) == 2
    for table in TABLES:
        assert without_build(rows_of(database, table)) == without_build(rows_of(fresh, table))
    assert rows_of(database, StatementRow) == kept


def test_a_ledger_that_an_indexer_writes__is_not_forgotten(
    own_anvil: LocalChain, tmp_path: Path, new_database: OpenDatabase
) -> None:
    ledger, database = deploy_ledger(own_anvil, tmp_path / "deployments"), new_database()
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    before = rows_of(database, CursorRow)
    chain_id = ledger.deployments.chain_id
    with writer_lock(database, chain_id, threading.Event()), pytest.raises(NodeBusy, match="stop it first"):
        forget_ledger(database, chain_id, lock_within_s=0.2)
    assert rows_of(database, CursorRow) == before
    forget_ledger(database, chain_id)
    assert rows_of(database, CursorRow) == []
