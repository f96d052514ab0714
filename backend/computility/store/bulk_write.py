"""Many rows in few words: ``COPY`` as text on PostgreSQL, ``executemany`` on SQLite, in the caller's transaction and past the ORM.

Rows are tuples in the order of the table's columns, of what the columns hold at rest: ``int``, ``str``, ``bytes`` (hashes and addresses too), None,
and lists for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson
from sqlalchemy import JSON, Connection, LargeBinary, String, Table, text

from computility.store.amount import Amount

Row = tuple[Any, ...]

_PARTITION_BLOCKS: Final = 1 << 20
"""Blocks of one partition of events: about four months of a chain with a block each ten seconds."""
_LINES_AT_ONCE: Final = 1_000


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
            self._driver.executemany(plan.insert, map(plan.for_sqlite, rows) if plan.for_sqlite else rows)

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
            self._driver.executemany(plan.upsert, map(plan.for_sqlite, rows) if plan.for_sqlite else rows)

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
            for start in range(0, len(rows), _LINES_AT_ONCE):
                lines = [plan.copy_line(row) for row in rows[start : start + _LINES_AT_ONCE]]
                copy.write("\n".join(lines) + "\n")


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
    for_sqlite: Callable[[Row], Row] | None
    """A row as SQLite holds it; None where that is how it comes."""
    copy_line: Callable[[Row], str]
    """A row as ``COPY`` reads it."""


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
        for_sqlite=_sqlite_row(table),
        copy_line=_copy_row(table),
    )


def _generate(expressions: Sequence[str], template: str = "({},)") -> Any:
    """One function for a whole row, from our own column types: a call a value takes several times as long."""
    source = f"lambda r: {template.format(', '.join(expressions))}"
    return eval(compile(source, "<row>", "eval"), {"escaped": _escaped, "json": _json, "amount": Amount.as_text})  # noqa: S307  # our own text


def _sqlite_row(table: Table) -> Callable[[Row], Row] | None:
    forms = [{Amount: "amount({})", JSON: "json({})"}.get(type(column.type)) for column in table.columns]
    if not any(forms):
        return None
    made: Callable[[Row], Row] = _generate(
        [
            f"None if r[{at}] is None else {form.format(f'r[{at}]')}" if form else f"r[{at}]"
            for at, form in enumerate(forms)
        ]
    )
    return made


def _copy_row(table: Table) -> Callable[[Row], str]:
    expressions = []
    for at, column in enumerate(table.columns):
        kind = getattr(column.type, "impl", column.type)
        value = f"r[{at}]"
        if isinstance(column.type, JSON):
            value = f"escaped(json({value}))"
        elif isinstance(kind, LargeBinary):
            value = f"'\\\\\\\\x' + {value}.hex()"
        elif isinstance(kind, String) and not isinstance(column.type, Amount):
            value = f"escaped({value})"
        expressions.append(f"'\\\\N' if r[{at}] is None else {value}" if column.nullable else value)
    line = "\\t".join(["%s"] * len(expressions))
    made: Callable[[Row], str] = _generate(expressions, f"'{line}' % ({{}},)")
    return made


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
