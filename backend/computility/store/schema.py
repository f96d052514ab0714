"""Brings a schema up to date while others read and write: one revision a transaction, one process at a time, and never long in anybody's way.

What a revision may do is in ``docs/decisions/0063-migrations-while-it-runs.md``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from computility.domain.errors import StoreError
from computility.store.indexes_beside import IndexBeside, make_beside

_log = logging.getLogger(__name__)

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = (0x434F4D50, 2**31 - 1)
"""PostgreSQL's advisory lock of whoever migrates: the space of ours, and no chain's number."""
_LOCK_WITHIN_MS: Final = 2_000
"""A table that readers hold is waited for no longer, as everybody after them would wait too; the revision is tried again."""
_PAUSE_S: Final = 0.5
_PATIENCE_S: Final = 600.0
_TRY_AGAIN: Final = {"55P03": "a table is in use", "40001": "rows changed meanwhile", "40P01": "it waited in a circle"}
"""PostgreSQL's words for: lock not available, serialization failure, deadlock."""


def upgrade_schema(engine: Engine, *, lock_within_ms: int = _LOCK_WITHIN_MS, patience_s: float = _PATIENCE_S) -> None:
    """Run the revisions that are missing, each in a transaction of its own. Asks for no lock where none is missing.

    Raises:
        StoreError: tables were in use, or another process migrated, for as long as ``patience_s``; or the schema is of a later version.
    """
    with engine.connect() as connection, connection.begin():
        missing = _missing(connection)
    if not missing:
        return
    deadline = time.monotonic() + patience_s
    with _alone(engine, deadline):
        for revision in missing:
            if _postgresql(engine):
                make_beside(engine, _indexes_of(revision), lock_within_ms)
            _run(engine, revision, lock_within_ms, deadline)


def require_schema(engine: Engine) -> None:
    """See that no revision is missing, and run none.

    Raises:
        StoreError: there are none, or the schema is of another version.
    """
    with engine.connect() as connection, connection.begin():
        if missing := _missing(connection):
            raise StoreError(
                f"the database is no node's, or of an earlier version (revision {missing[0]} is missing): start its node with this version first"
            )


def migration_config(connection: Any) -> Config:
    """Alembic's configuration, on one connection."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _missing(connection: Connection) -> list[str]:
    current = MigrationContext.configure(connection).get_current_revision()
    revisions = [script.revision for script in _scripts().walk_revisions()]
    revisions.reverse()
    if current is None:
        return revisions
    if current not in revisions:
        raise StoreError(
            f"the database is of a later version than this program (revision {current}): use that version, or another database"
        )
    return revisions[revisions.index(current) + 1 :]


def _indexes_of(revision: str) -> Collection[IndexBeside]:
    script = _scripts().get_revision(revision)
    indexes: Collection[IndexBeside] = getattr(script.module, "INDEXES", ()) if script is not None else ()
    return indexes


def _run(engine: Engine, revision: str, lock_within_ms: int, deadline: float) -> None:
    while True:
        try:
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                if _postgresql(engine):
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {lock_within_ms}")
                # Another may have been quicker, before this one was alone.
                if revision in _missing(connection):
                    command.upgrade(migration_config(connection), revision)
            return
        except OperationalError as error:
            why = _TRY_AGAIN.get(getattr(error.orig, "sqlstate", None) or "")
            if why is None:
                raise
            if time.monotonic() > deadline:
                raise StoreError(
                    f"the schema could not be brought to revision {revision}: {why}. End what holds it (a long query, a dump), and start again"
                ) from error
            _log.info("revision %s waits: %s", revision, why)
            time.sleep(_PAUSE_S)


@cache
def _scripts() -> ScriptDirectory:
    """The revisions, loaded once."""
    return ScriptDirectory.from_config(migration_config(None))


@contextmanager
def _alone(engine: Engine, deadline: float) -> Iterator[None]:
    """One process a database. On SQLite the transactions themselves see to it."""
    if not _postgresql(engine):
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not _try_lock(connection):
            if time.monotonic() > deadline:
                raise StoreError("another process has been migrating the database for long: end it, or wait for it")
            _log.info("another process brings the schema up to date: waiting until it ends")
            time.sleep(_PAUSE_S)
        try:
            yield
        finally:
            # The connection itself: in the pool it would keep the lock.
            connection.invalidate()


def _try_lock(connection: Connection) -> bool:
    space, key = _LOCK
    found = connection.execute(text("SELECT pg_try_advisory_lock(:space, :key)"), {"space": space, "key": key})
    return bool(found.scalar())


def _postgresql(engine: Engine) -> bool:
    return engine.dialect.name == "postgresql"
