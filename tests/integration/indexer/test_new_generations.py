"""Contracts of which a node learns only after their first events were mined: it reads those blocks again, and misses nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.ledger_on_chain import deploy_ledger, index_all, rows_of

from computility.chain.local_chain import LocalChain
from computility.domain.errors import StoreError
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow
from computility.store.blocks import CursorRow
from computility.store.engine import open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow, EmitterRow, EventAccountRow

TABLES = (JobRow, AccountRow, BlockLogsRow, EmitterRow, EventAccountRow, CursorRow)


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
    with pytest.raises(StoreError, match=rf"from block {older.block} on.* empty one \(DATABASE_URL\)"):
        index_all(Indexer(both.rpc, database, both.deployments))
    assert [rows_of(database, table) for table in TABLES] == before
    database.close()
