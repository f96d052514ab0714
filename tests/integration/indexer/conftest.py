"""A chain of its own for each module, as forks would disturb others, and a database of each kind for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy
from tests.empty_database import open_empty
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger
from tests.own_postgresql import own_postgresql

from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.services.indexer import Indexer
from computility.store.engine import Database, open_database

NewUrl = Callable[[], str]
OpenDatabase = Callable[[], Database]


@pytest.fixture(scope="module")
def own_anvil() -> Iterator[LocalChain]:
    """An anvil that nobody else looks at."""
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield chain


@pytest.fixture(scope="module")
def deployments_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the generation of ``deployed`` is recorded."""
    return tmp_path_factory.mktemp("deployments")


@pytest.fixture(scope="module")
def deployed(own_anvil: LocalChain, deployments_dir: Path) -> LedgerOnChain:
    """Contracts with parties that can trade."""
    return deploy_ledger(own_anvil, deployments_dir)


@pytest.fixture
def ledger(deployed: LedgerOnChain) -> Iterator[LedgerOnChain]:
    """Those contracts as they were deployed, on a chain that is taken back to there after each test."""
    before = deployed.snapshot()
    yield deployed
    deployed.revert(before)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a real PostgreSQL server, one a test process."""
    with own_postgresql() as server:
        yield server.get_uri()


def _new_postgresql(admin_url: str) -> str:
    name = f"d{uuid.uuid4().hex}"
    engine = sqlalchemy.create_engine(
        admin_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return sqlalchemy.make_url(admin_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def postgresql_url(postgresql: str) -> NewUrl:
    """Makes empty databases on PostgreSQL, and names them."""
    return lambda: _new_postgresql(postgresql)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> NewUrl:
    """Makes empty databases of one kind, and names them."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path}/d{uuid.uuid4().hex}.sqlite"
    admin_url: str = request.getfixturevalue("postgresql")
    return lambda: _new_postgresql(admin_url)


@pytest.fixture
def new_database(new_url: NewUrl) -> Iterator[OpenDatabase]:
    """Opens empty databases."""
    opened: list[Database] = []

    def open_one() -> Database:
        url = new_url()
        file = url.removeprefix("sqlite:///")
        database = open_database(url) if file == url else open_empty(Path(file))
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


def indexer_of(ledger: LedgerOnChain, database: Database) -> Indexer:
    """An indexer at the head."""
    return Indexer(ledger.rpc, database, ledger.deployments)


@pytest.fixture
def chain_from_nothing(tmp_path: Path) -> Iterator[LedgerOnChain]:
    """Another chain of the same number, whose deployment is its own."""
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield deploy_ledger(chain, tmp_path / "elsewhere")
