"""Indexes of a revision, made on PostgreSQL beside whoever writes the table, before the revision runs.

``CREATE INDEX CONCURRENTLY`` stands outside transactions, keeps nobody waiting, and waits itself for every older transaction; killed, or out of
patience, it leaves an index that is not valid. So it is tried for as long as a lock may be waited for, and whatever it did not get done the
revision's own transaction does, under a lock that keeps writers of that table waiting for as long as it is read.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexBeside:
    """An index that a revision adds to a table that it does not make itself. A revision lists them as ``INDEXES``."""

    name: str
    table: str
    columns: tuple[str, ...]

    def statement(self, connection: Connection, *, concurrently: bool = False) -> str:
        """The SQL that makes it."""
        quote = connection.dialect.identifier_preparer.quote
        columns = ", ".join(map(quote, self.columns))
        how = "CONCURRENTLY " if concurrently else ""
        return f"CREATE INDEX {how}{quote(self.name)} ON {quote(self.table)} ({columns})"


def make_beside(engine: Engine, indexes: Collection[IndexBeside], within_ms: int) -> None:
    """Make them without a lock that anybody waits for, as far as no older transaction is in the way for ``within_ms``. PostgreSQL only."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"SET lock_timeout = {within_ms}")
        try:
            for index in indexes:
                if not _is_there(connection, index):
                    _drop_if_there(connection, index, concurrently=True)
                    connection.exec_driver_sql(index.statement(connection, concurrently=True))
        except OperationalError as error:
            _log.info("an older transaction holds up %s, which is made under a lock now: %s", index.name, error.orig)
        finally:
            # The connection itself: in the pool it would keep its limit.
            connection.invalidate()


def make_missing(connection: Connection, indexes: Collection[IndexBeside]) -> None:
    """Make those that are not there, in a revision's own transaction."""
    for index in indexes:
        if connection.dialect.name == "postgresql":
            if _is_there(connection, index):
                continue
            _drop_if_there(connection, index)
        connection.exec_driver_sql(index.statement(connection))


def _is_there(connection: Connection, index: IndexBeside) -> bool:
    """Whether the index is there and valid: of one that is not, nothing may be read."""
    query = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")
    return bool(connection.execute(query, {"name": index.name}).scalar())


def _drop_if_there(connection: Connection, index: IndexBeside, *, concurrently: bool = False) -> None:
    name = connection.dialect.identifier_preparer.quote(index.name)
    connection.exec_driver_sql(f"DROP INDEX {'CONCURRENTLY ' if concurrently else ''}IF EXISTS {name}")
