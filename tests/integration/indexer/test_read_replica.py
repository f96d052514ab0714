"""What a node shows may be read from a PostgreSQL that follows its own; what it decides by is not, and nothing is written there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import update
from tests.integration.indexer.conftest import indexer_of
from tests.integration.ledger_on_chain import LedgerOnChain, index_all

from computility.domain.errors import NodeBusy, StoreError
from computility.domain.identifiers import Bytes32
from computility.services.node import Node
from computility.settings import NodeSettings
from computility.store.engine import open_database, open_replica
from computility.store.jobs import JobRow


def url_of(server: str, name: str) -> str:
    return sqlalchemy.make_url(server).set(database=name).render_as_string(hide_password=False)


def command(server: str, statement: str) -> None:
    """Outside of every transaction."""
    engine = sqlalchemy.create_engine(
        server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement))
    engine.dispose()


def traded(ledger: LedgerOnChain) -> Bytes32:
    terms = ledger.open()
    ledger.attest(terms)
    return terms.job_id(ledger.deployments.domain)


@pytest.mark.postgresql
def test_what_is_shown__comes_from_the_replica_and_what_is_decided_by_does_not(
    ledger: LedgerOnChain, deployments_dir: Path, postgresql: str, tmp_path: Path
) -> None:
    command(postgresql, "CREATE DATABASE node_first")
    old = traded(ledger)
    leading = open_database(url_of(postgresql, "node_first"))
    index_all(indexer_of(ledger, leading))
    leading.close()
    # A copy that has fallen behind.
    command(postgresql, "CREATE DATABASE node_copy TEMPLATE node_first")
    leading = open_database(url_of(postgresql, "node_first"))
    new = traded(ledger)
    index_all(indexer_of(ledger, leading))
    following = open_replica(url_of(postgresql, "node_copy"))
    settings: Any = NodeSettings(
        rpc_url=ledger.rpc.url,
        deployments_dir=deployments_dir,
        content_url=str(tmp_path / "content"),
        examples_dir=None,
    )
    node = Node(settings, leading, ledger.rpc, following)
    assert node.ledger.job(new) is not None
    shown = node.trades.jobs(buyer=None, provider=None, verifier=None, states=(), limit=10, cursor=None)
    assert [trade.job.record.id for trade in shown.items] == [old]
    assert [found.tally.opened for found in node.statistics.total().items] == [1]
    assert node.suspicions.alerts()["trades"] == 1
    with pytest.raises(SQLAlchemyError, match="read-only"), following.unit_of_work() as session:
        session.exec(update(JobRow).values(state=0))
    leading.close()
    following.close()


def test_a_replica_that_is_no_postgresql__is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="PostgreSQL"):
        open_replica(f"sqlite:///{tmp_path}/copy.sqlite")


@pytest.mark.postgresql
def test_more_requests_than_connections__are_turned_away(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("computility.store.engine._CONNECTION_WITHIN_S", 0.1)
    command(postgresql, "CREATE DATABASE crowded")
    database = open_database(url_of(postgresql, "crowded"), connections=2)
    with (
        database.unit_of_work(),
        database.unit_of_work(),
        pytest.raises(NodeBusy, match="COMPUTILITY_DATABASE_CONNECTIONS"),
        database.unit_of_work(),
    ):
        pass
    database.close()
