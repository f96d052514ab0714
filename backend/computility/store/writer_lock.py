"""One writer a chain: whoever indexes into a database holds its lock, and a second one waits.

On PostgreSQL an advisory lock of a session, which ends with its process; on SQLite a lock on a file beside the database, which does too.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import filelock
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from computility.domain.identifiers import ChainId
from computility.store.compact_types import chain_number
from computility.store.engine import Database

_log = logging.getLogger(__name__)

_ASK_EACH_S: Final = 0.5
_LOCK_SPACE: Final = 0x434F4D50
"""Keeps our advisory locks apart from other applications' in the same database."""


@contextmanager
def writer_lock(database: Database, chain_id: ChainId, stop: threading.Event) -> Iterator[bool]:
    """Hold the lock; False when ``stop`` was set before it was free."""
    if database.engine.dialect.name == "postgresql":
        with _postgresql_lock(database, chain_id, stop) as held:
            yield held
    else:
        with _file_lock(database, stop) as held:
            yield held


@contextmanager
def _postgresql_lock(database: Database, chain_id: ChainId, stop: threading.Event) -> Iterator[bool]:
    key = chain_number(chain_id) % 2**31
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        taken = False
        for _ in _until_set(stop):
            taken = bool(
                connection.execute(
                    text("SELECT pg_try_advisory_lock(:space, :key)"), {"space": _LOCK_SPACE, "key": key}
                ).scalar()
            )
            if taken:
                break
        try:
            yield taken
        finally:
            # Let go in so many words: the server notices a closed connection only a moment later, and whoever asks next would wait.
            with suppress(SQLAlchemyError):
                connection.execute(text("SELECT pg_advisory_unlock(:space, :key)"), {"space": _LOCK_SPACE, "key": key})
            # The connection itself: had that failed, it would keep the lock in the pool.
            connection.invalidate()


@contextmanager
def _file_lock(database: Database, stop: threading.Event) -> Iterator[bool]:
    name = database.engine.url.database
    if not name or name == ":memory:":
        yield True
        return
    lock = filelock.FileLock(f"{name}.indexer-lock")
    taken = False
    for _ in _until_set(stop):
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            continue
        taken = True
        break
    try:
        yield taken
    finally:
        if taken:
            lock.release()


def _until_set(stop: threading.Event) -> Iterator[int]:
    attempt = 0
    while not stop.is_set():
        yield attempt
        if attempt == 0:
            _log.warning("another indexer writes to this database: waiting until it ends")
        attempt += 1
        stop.wait(_ASK_EACH_S)
