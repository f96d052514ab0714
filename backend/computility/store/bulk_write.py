"""Many rows in few words: ``COPY`` as text on PostgreSQL, ``executemany`` on SQLite, in the caller's transaction and past the ORM.

Rows are tuples in the order of the table's columns, of what the columns hold at rest: ``int``, ``str``, ``bytes`` (hashes and addresses too), None,
and lists for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Final

import orjson
from sqlalchemy import JSON, Connection, Table, text

from computility.store.amount import Amount

Row = tuple[Any, ...]

_PARTITION_BLOCKS: Final = 1 << 20
"""Blocks of one partition of events: about four months of a chain with a block each ten seconds."""


class BulkWriter:
    """Writes inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._driver: Any = connection.connection.driver_connection

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows that are not there yet."""
        if not rows:
            return
        plan = _plan(table, frozenset())
        if self._postgresql:
            self._copy(plan.copy, plan, rows)
        else:
            self._driver.executemany(plan.insert, plan.for_sqlite(rows))

    def upsert(self, table: Table, rows: Sequence[Row], *, fixed: Collection[str] = ()) -> None:
        """Add rows, or put them in place of those with the same key. ``fixed`` columns never change once they are there."""
        if not rows:
            return
        plan = _plan(table, frozenset(fixed))
        if self._postgresql:
            # COPY knows no conflicts: the rows come into a table of this transaction first.
            self._driver.execute(plan.stage)
            self._copy(plan.copy_to_stage, plan, rows)
            self._driver.execute(plan.merge)
        else:
            self._driver.executemany(plan.upsert, plan.for_sqlite(rows))

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        """Remove rows by their keys."""
        if keys:
            plan = _plan(table, frozenset())
            if self._postgresql:
                with self._driver.cursor() as cursor:
                    cursor.executemany(plan.delete.replace("?", "%s"), keys)
            else:
                self._driver.executemany(plan.delete, keys)

    def make_room(self, tables: Iterable[Table], first: int, last: int) -> None:
        """Make the partitions that blocks ``first`` to ``last`` go into."""
        if not self._postgresql:
            return
        for table in tables:
            for part in range(first // _PARTITION_BLOCKS, last // _PARTITION_BLOCKS + 1):
                name = f"{table.name}_{part}"
                known = self._connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar()
                if known is None:
                    self._connection.execute(
                        text(
                            f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table.name} "
                            f"FOR VALUES FROM ({part * _PARTITION_BLOCKS}) TO ({(part + 1) * _PARTITION_BLOCKS})"
                        )
                    )

    def _copy(self, statement: str, plan: _Plan, rows: Sequence[Row]) -> None:
        with self._driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(plan.as_copy_text(rows))


@dataclass(frozen=True)
class _Plan:
    """The statements for one table."""

    insert: str
    upsert: str
    delete: str
    copy: str
    stage: str
    copy_to_stage: str
    merge: str
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Columns that SQLite holds as something else, and as what."""

    def for_sqlite(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows as SQLite holds them."""
        if not self.converted:
            return rows
        made = []
        for row in rows:
            values = list(row)
            for index, convert in self.converted:
                if values[index] is not None:
                    values[index] = convert(values[index])
            made.append(tuple(values))
        return made

    def as_copy_text(self, rows: Sequence[Row]) -> str:
        """The rows as ``COPY`` reads them."""
        return "\n".join(["\t".join([_COPY_TEXT[value.__class__](value) for value in row]) for row in rows]) + "\n"


@cache
def _plan(table: Table, fixed: frozenset[str]) -> _Plan:
    names = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key]
    listed, keyed = ", ".join(names), ", ".join(key)
    changing = [name for name in names if name not in key and name not in fixed]
    on_conflict = f"ON CONFLICT ({keyed}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changing)}"
    # Names come from our own tables, values are bound.
    insert = f"INSERT INTO {table.name} ({listed}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608  # see above
    stage = f"staged_{table.name}"
    return _Plan(
        insert=insert,
        upsert=f"{insert} {on_conflict}",
        delete=f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in key)}",  # noqa: S608  # see above
        copy=f"COPY {table.name} ({listed}) FROM STDIN",
        stage=f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {table.name}) ON COMMIT DELETE ROWS; TRUNCATE {stage}",
        copy_to_stage=f"COPY {stage} ({listed}) FROM STDIN",
        merge=f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {stage} {on_conflict}",  # noqa: S608  # see above
        converted=tuple(
            (index, _SQLITE[type(column.type)])
            for index, column in enumerate(table.columns)
            if type(column.type) in _SQLITE
        ),
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _hex(value: bytes) -> str:
    return "\\\\x" + value.hex()


_COPY_TEXT: Final[dict[type, Callable[[Any], str]]] = {
    int: str,
    bool: lambda value: "t" if value else "f",
    bytes: _hex,
    str: _escaped,
    type(None): lambda _: "\\N",
    Decimal: str,
    list: lambda value: _escaped(_json(value)),
}
_SQLITE: Final[dict[type, Callable[[Any], Any]]] = {Amount: Amount.as_text, JSON: _json}
