"""The database: SQLite by default, PostgreSQL by URL. One unit of work is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any, Final

from sqlalchemy import Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session, create_engine

from computility.domain.errors import NodeBusy, StoreError
from computility.store.bulk_write import BulkWriter, LateWriter
from computility.store.schema import require_schema, upgrade_schema

_BUSY_TIMEOUT_MS: Final = 30_000
DEFAULT_CONNECTIONS: Final = 15
_CONNECTION_WITHIN_S: Final = 10.0
"""A request that gets none by then is turned away."""


# For each value that is neither a number nor a string the driver looks for a way to adapt it, and fails an attribute look-up on the way: two
# thirds of the time of a row. These answer at once with the value itself.
sqlite3.register_adapter(bytes, bytes)
sqlite3.register_adapter(NoneType, {None: None}.__getitem__)


class Database:
    """An engine whose schema is up to date."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """A session whose changes land together when the block ends, or not at all.

        Raises:
            NodeBusy: every connection is in use.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            try:
                session.connection()
            except PoolTimeout as error:
                raise NodeBusy(
                    "every connection to the database is in use: ask again, or allow more (COMPUTILITY_DATABASE_CONNECTIONS)"
                ) from error
            yield session

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @property
    def writes_elsewhere(self) -> bool:
        """Whether a server does the writing, so that a thread that waits for it leaves the interpreter to others. SQLite's driver asks for the
        interpreter at every row.
        """
        return self.engine.dialect.name != "sqlite"

    @contextmanager
    def late_work(self) -> Iterator[LateWriter]:
        """A writer that reads now, and whose writes are for a later ``bulk_work``.

        On SQLite each read stands by itself: one long transaction would keep what another thread commits meanwhile from being moved out of the log,
        which then never ends.
        """
        with self.engine.connect() as connection:
            yield LateWriter(connection)

    @contextmanager
    def bulk_work(self) -> Iterator[tuple[Session, BulkWriter]]:
        """As ``unit_of_work``, for the one that writes much: with a writer past the ORM, and no other writer between its reads and its writes.

        For what can be read again from the chain: a loss of power may take the last of these transactions back, each as a whole.
        """
        with (
            self.engine.connect().execution_options(writes=True) as connection,
            _without_waiting_for_the_disk(connection),
            connection.begin(),
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session, BulkWriter(connection)
            session.flush()


@contextmanager
def _without_waiting_for_the_disk(connection: Connection) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        # PostgreSQL says it inside the transaction, which ends with it.
        event.listen(connection, "begin", _commit_asynchronously, once=True)
        yield
        return
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA synchronous=NORMAL")
    try:
        yield
    finally:
        driver.execute("PRAGMA synchronous=FULL")


def _commit_asynchronously(connection: Connection) -> None:
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


def open_database(url: str, connections: int = DEFAULT_CONNECTIONS) -> Database:
    """Open a database and bring its schema up to date. ``connections`` is how many there may be to PostgreSQL at one time.

    Raises:
        StoreError: the URL is wrong, or the database does not answer.
    """
    engine = build_engine(url, connections)
    try:
        upgrade_schema(engine)
    except (OperationalError, OSError) as error:
        raise StoreError(
            f"the database {engine.url.render_as_string(hide_password=True)} cannot be opened: check the URL and that it is running"
        ) from error
    return Database(engine)


def open_to_read(url: str) -> Database:
    """Open a database that is there, to look at it: nothing is made, migrated or written.

    Raises:
        StoreError: there is none, it does not answer, or its schema is of another version.
    """
    engine = build_engine(url)
    path = engine.url.database
    if engine.dialect.name == "sqlite" and (path is None or not Path(path).is_file()):
        raise StoreError(f"there is no database at {path}: check the path")
    event.listen(engine, "begin", _read_only)
    try:
        require_schema(engine)
    except (OperationalError, OSError) as error:
        raise StoreError(
            f"the database {engine.url.render_as_string(hide_password=True)} cannot be opened: check the URL and that it is running"
        ) from error
    return Database(engine)


def open_replica(url: str, connections: int = DEFAULT_CONNECTIONS) -> Database:
    """Open a copy that follows a database: its schema comes from there, and nothing is written to it.

    Raises:
        StoreError: the URL is wrong, or no PostgreSQL's.
    """
    engine = build_engine(url, connections)
    if engine.dialect.name != "postgresql":
        raise StoreError(
            "a read replica is PostgreSQL's: give DATABASE_REPLICA_URL a postgresql:// URL, or leave it out"
        )
    event.listen(engine, "begin", _read_only)
    return Database(engine)


def _read_only(connection: Connection) -> None:
    # A replica refuses to be written to anyway; what is named as one by mistake does then too.
    connection.exec_driver_sql(
        "SET TRANSACTION READ ONLY" if connection.dialect.name == "postgresql" else "PRAGMA query_only=ON"
    )


def build_engine(url: str, connections: int = DEFAULT_CONNECTIONS) -> Engine:
    """An engine with this project's settings, and no look at the schema.

    Raises:
        StoreError: the URL is wrong.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.drivername.startswith("sqlite"):
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            # Each connection has a cache of its own: those that were used last are used again, and the others stay small.
            last = {"pool_use_lifo": True} if parsed.database and parsed.database != ":memory:" else {}
            engine = create_engine(parsed, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000}, **last)
            event.listen(engine, "connect", _set_up_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        return create_engine(
            parsed,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_CONNECTION_WITHIN_S,
        )
    except (ArgumentError, SQLAlchemyError, ImportError) as error:
        raise StoreError(
            "the database URL is not understood; use sqlite:///path or postgresql://user@host/name"
        ) from error


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling does not cover schema changes and reads; ``_begin_sqlite`` begins instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # Rows of events are a kilobyte and more: with pages of the default 4 KiB most of a page would be its end.
    cursor.execute("PRAGMA page_size=8192")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    # 64 MiB of log before it is folded in: a page that many transactions change is then written back once.
    cursor.execute("PRAGMA wal_autocheckpoint=8192")
    cursor.execute("PRAGMA foreign_keys=ON")
    # Each connection has its own, and a node has several; the kernel has the pages too.
    cursor.execute("PRAGMA cache_size=-8192")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer that began as a reader would fail when another has written since.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
