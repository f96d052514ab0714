"""A row becomes final only after its block's logs were held against the header, on chains with and without ``eth_getBlockReceipts``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.indexer.conftest import indexer_of
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger, index_all, rows_of

from computility.chain.local_chain import LocalChain
from computility.services.indexer import Indexer
from computility.services.stored_ledger import StoredLedger
from computility.store.blocks import CursorRow
from computility.store.engine import Database, open_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def test_blocks_of_every_chain__are_proven(chain: LocalChain, database: Database, tmp_path: Path) -> None:
    ledger = deploy_ledger(chain, tmp_path / "deployments")
    ledger.attest(ledger.open())
    for _ in range(6):
        ledger.control.call("evm_mine")
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    while indexer.seal():
        pass
    cursor = rows_of(database, CursorRow)[0]
    assert cursor["sealed"] == cursor["final"] == ledger.rpc.block_number() - 5
    assert indexer.metrics.unsealed._value.get() == 0


def test_a_job__is_final_once_its_blocks_are_proven(ledger: LedgerOnChain, database: Database) -> None:
    job = ledger.open().job_id(ledger.deployments.domain)
    indexer = indexer_of(ledger, database)
    stored = StoredLedger(database, ledger.deployments)

    def confirmation() -> str | None:
        index_all(indexer)
        found = stored.job(job)
        return found.confirmation if found else None

    assert confirmation() == "latest"
    ledger.mine(2)
    assert confirmation() == "safe"
    ledger.mine(3)
    assert confirmation() == "safe"
    while indexer.seal():
        pass
    assert confirmation() == "finalized"
    assert {event.confirmation for event in stored.job_events(job, limit=10, cursor=None).items} == {"finalized"}


def test_empty_blocks_between_two_that_are_stored__are_not_remembered(
    ledger: LedgerOnChain, database: Database
) -> None:
    ledger.mine(300)
    ledger.open()
    opened = ledger.rpc.block_number()
    ledger.mine(8)
    indexer = Indexer(ledger.rpc, database, ledger.deployments, keep_blocks=5)
    index_all(indexer)
    remembered = []
    while indexer.seal():
        remembered.append(len(indexer._sealing._proven))
    assert rows_of(database, CursorRow)[0]["sealed"] >= opened
    assert len(remembered) > 3
    assert max(remembered) < 64
