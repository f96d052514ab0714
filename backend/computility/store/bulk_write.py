"""Many rows in few words: ``COPY`` on PostgreSQL (binary where a table has only numbers, bytes and names, else text), ``executemany`` on SQLite, in
the caller's transaction and past the ORM.

Rows are tuples in the order of the table's columns, of what the columns hold at rest: ``int``, ``str``, ``bytes`` (hashes and addresses too), None,
and lists for JSON.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import orjson
from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Integer, LargeBinary, String, Table, text
from sqlalchemy.dialects import postgresql

from computility.domain.errors import RowsExist, StoreFailed
from computility.store.amount import OFFSET, Amount

Row = tuple[Any, ...]

_PARTITION_BLOCKS: Final = 1 << 20
"""Blocks of one partition of events: about four months of a chain with a block each ten seconds."""
_LINES_AT_ONCE: Final = 1_000
_BINARY_ROWS_AT_ONCE: Final = 1_024
"""Less than a megabyte for most tables. The thread waits for its turn after each."""
_KEYS_AT_ONCE: Final = 400
_FEW_ROWS: Final = 64
"""So few are put in place by one statement: a table for them to be copied into costs PostgreSQL two milliseconds."""
_BINARY_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
"""Its signature, no flags, and no extension."""
_BINARY_END: Final = b"\xff\xff"
_POSTGRESQL: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no types


class BulkWriter:
    """Writes inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._postgresql = connection.dialect.name == "postgresql"
        self._driver: Any = connection.connection.driver_connection
        errors = connection.dialect.loaded_dbapi
        self._errors: tuple[type[Exception], type[Exception]] = errors.IntegrityError, errors.Error

    def rows(self, table: Table, ledger: int, keys: Sequence[Row]) -> list[Row]:
        """The rows of a build with some keys (the ledger's id left out), as far as there are any, as they are at rest."""
        plan = _plan(table, frozenset())
        from_rest = plan.from_postgresql if self._postgresql else plan.from_sqlite
        found: list[Row] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            among = ", ".join([plan.key_places] * len(some))
            statement = plan.select.format(among if self._postgresql else plan.sqlite_among.format(among))
            values = [ledger, *(part for key in some for part in key)]
            with self._told():
                read = self._driver.execute(statement.replace("?", "%s") if self._postgresql else statement, values)
                found += map(from_rest, read.fetchall())
        return found

    def every_row(self, table: Table, ledger: int) -> Iterator[Row]:
        """All rows of a build, as they are at rest."""
        plan = _plan(table, frozenset())
        from_rest = plan.from_postgresql if self._postgresql else plan.from_sqlite
        statement = plan.select_all.replace("?", "%s") if self._postgresql else plan.select_all
        # On PostgreSQL a cursor of the server's: any other is handed all rows before the first.
        with (
            self._told(),
            closing(self._driver.cursor("every_row") if self._postgresql else self._driver.cursor()) as read,
        ):
            read.execute(statement, (ledger,))
            while some := read.fetchmany(_LINES_AT_ONCE):
                yield from map(from_rest, some)

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Add rows that are not there yet.

        Raises:
            RowsExist: one is.
        """
        if not rows:
            return
        plan = _plan(table, frozenset())
        with self._told():
            if self._postgresql:
                self._copy(plan.copy, plan, rows)
            else:
                self._driver.executemany(plan.insert, map(plan.for_sqlite, rows) if plan.for_sqlite else rows)

    def upsert(self, table: Table, rows: Sequence[Row], *, fixed: Collection[str] = ()) -> None:
        """Add rows, or put them in place of those with the same key. ``fixed`` columns never change once they are there."""
        if not rows:
            return
        plan = _plan(table, frozenset(fixed))
        with self._told():
            if self._postgresql and len(rows) <= _FEW_ROWS:
                values = ", ".join([plan.postgresql_places] * len(rows))
                self._driver.execute(
                    f"{plan.into} {values} {plan.on_conflict}",
                    list(
                        itertools.chain.from_iterable(map(plan.for_postgresql, rows) if plan.for_postgresql else rows)
                    ),
                )
            elif self._postgresql:
                # COPY knows no conflicts: the rows come into a table of this transaction first.
                self._driver.execute(plan.stage)
                self._copy(plan.copy_to_stage, plan, rows)
                self._driver.execute(plan.merge)
            else:
                self._driver.executemany(plan.upsert, map(plan.for_sqlite, rows) if plan.for_sqlite else rows)

    def delete(self, table: Table, keys: Sequence[Row]) -> None:
        """Remove rows by their keys."""
        if not keys:
            return
        plan = _plan(table, frozenset())
        with self._told():
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
                    # Made beside it and put in: CREATE … PARTITION OF would wait for every reader of the table, and keep new ones out.
                    self._connection.execute(text(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL)"))
                    self._connection.execute(
                        text(
                            f"ALTER TABLE {table.name} ATTACH PARTITION {name} "
                            f"FOR VALUES FROM ({part * _PARTITION_BLOCKS}) TO ({(part + 1) * _PARTITION_BLOCKS})"
                        )
                    )

    @contextmanager
    def _told(self) -> Iterator[None]:
        # What goes past SQLAlchemy raises the driver's own errors.
        exists, failed = self._errors
        try:
            yield
        except exists as error:
            raise RowsExist(f"the store holds such a row already: {_first_line(error)}") from error
        except failed as error:
            raise StoreFailed(
                f"the database fails: {_first_line(error)}. Is its disk full, or is it being restarted?"
            ) from error

    def _copy(self, statement: str, plan: _Plan, rows: Sequence[Row]) -> None:
        binary = plan.copy_binary
        with self._driver.cursor() as cursor:
            if binary is None:
                with cursor.copy(statement) as copy:
                    for start in range(0, len(rows), _LINES_AT_ONCE):
                        lines = [plan.copy_line(row) for row in rows[start : start + _LINES_AT_ONCE]]
                        copy.write("\n".join(lines) + "\n")
                return
            with cursor.copy(f"{statement} (FORMAT BINARY)") as copy:
                copy.write(_BINARY_HEADER)
                for start in range(0, len(rows), _BINARY_ROWS_AT_ONCE):
                    copy.write(b"".join(map(binary, rows[start : start + _BINARY_ROWS_AT_ONCE])))
                copy.write(_BINARY_END)


class LateWriter(BulkWriter):
    """Reads at once through one connection, and keeps what is to be written until it is written through another."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._kept: list[Callable[[BulkWriter], None]] = []

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Keep rows to be added."""
        if rows:
            self._kept.append(lambda writer: writer.insert(table, rows))

    def upsert(self, table: Table, rows: Sequence[Row], *, fixed: Collection[str] = ()) -> None:
        """Keep rows to be put in place."""
        if rows:
            self._kept.append(lambda writer: writer.upsert(table, rows, fixed=fixed))

    def write(self, writer: BulkWriter) -> None:
        """Write what was kept, in its order.

        Raises:
            RowsExist: as ``BulkWriter.insert``.
        """
        for each in self._kept:
            each(writer)


@dataclass(frozen=True)
class _Plan:
    """The statements for one table."""

    insert: str
    upsert: str
    delete: str
    copy: str
    into: str
    postgresql_places: str
    """Of one row's values, each with its type: of many rows PostgreSQL would guess them."""
    on_conflict: str
    stage: str
    copy_to_stage: str
    merge: str
    select: str
    select_all: str
    key_places: str
    sqlite_among: str
    for_sqlite: Callable[[Row], Row] | None
    """A row as SQLite holds it; None where that is how it comes."""
    for_postgresql: Callable[[Row], Row] | None
    """A row as values of a statement to PostgreSQL; None where that is how it comes."""
    from_sqlite: Callable[[Row], Row]
    from_postgresql: Callable[[Row], Row]
    copy_line: Callable[[Row], str]
    """A row as ``COPY`` reads it."""
    copy_binary: Callable[[Row], bytes] | None
    """A row as binary ``COPY`` reads it; None where a column's form is not as simple as its value."""


@cache
def _plan(table: Table, fixed: frozenset[str]) -> _Plan:
    names = [column.name for column in table.columns]
    key = [column.name for column in table.primary_key]
    listed, keyed = ", ".join(names), ", ".join(key)
    changing = [name for name in names if name not in key and name not in fixed]
    on_conflict = f"ON CONFLICT ({keyed}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changing)}"
    # Names come from our own tables, values are bound.
    into = f"INSERT INTO {table.name} ({listed}) VALUES"
    insert = f"{into} ({', '.join('?' * len(names))})"
    stage = f"staged_{table.name}"
    return _Plan(
        insert=insert,
        upsert=f"{insert} {on_conflict}",
        delete=f"DELETE FROM {table.name} WHERE {' AND '.join(f'{name} = ?' for name in key)}",  # noqa: S608  # see above
        copy=f"COPY {table.name} ({listed}) FROM STDIN",
        into=into,
        postgresql_places=f"({', '.join(f'%s::{_postgresql_type(column)}' for column in table.columns)})",
        on_conflict=on_conflict,
        stage=f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {table.name}) ON COMMIT DELETE ROWS; TRUNCATE {stage}",
        copy_to_stage=f"COPY {stage} ({listed}) FROM STDIN",
        merge=f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {stage} {on_conflict}",  # noqa: S608  # see above
        # Names as above; the braces stay for the places of the keys.
        select=f"SELECT {listed} FROM {table.name} WHERE {key[0]} = ? AND ({', '.join(key[1:])}) IN ({{}})",  # noqa: S608  # see above
        select_all=f"SELECT {listed} FROM {table.name} WHERE {key[0]} = ?",  # noqa: S608  # as above
        key_places=f"({', '.join('?' * (len(key) - 1))})",
        # SQLite lists rows only as VALUES, and one column not in brackets.
        sqlite_among="{}" if len(key) == 2 else "VALUES {}",
        for_sqlite=_values_row(table, {Amount: "({} + offset).to_bytes(16, 'big')", JSON: "json({})"}),
        for_postgresql=_values_row(table, {JSON: "json({})"}),
        from_sqlite=_rest_row(table, postgresql=False),
        from_postgresql=_rest_row(table, postgresql=True),
        copy_line=_copy_row(table),
        copy_binary=_binary_row(table),
    )


def _postgresql_type(column: Column[Any]) -> str:
    kind = getattr(column.type, "impl", column.type)
    # To be called a VARCHAR of some length would cut off a longer text, which the column refuses.
    return (
        "TEXT" if isinstance(kind, String) and not isinstance(column.type, Amount) else column.type.compile(_POSTGRESQL)
    )


def _generate(expressions: Sequence[str], template: str = "({},)") -> Any:
    """One function for a whole row, from our own column types: a call a value takes several times as long."""
    source = f"lambda r: {template.format(', '.join(expressions))}"
    scope = {
        "escaped": _escaped, "json": _json, "loads": orjson.loads, "offset": OFFSET, "from_amount": Amount.from_rest,
        "pack": struct.pack,
    }  # fmt: skip
    return eval(compile(source, "<row>", "eval"), scope)  # noqa: S307  # our own text


def _values_row(table: Table, forms_of: dict[type, str]) -> Callable[[Row], Row] | None:
    forms = [forms_of.get(type(column.type)) for column in table.columns]
    if not any(forms):
        return None
    made: Callable[[Row], Row] = _generate(
        [
            f"None if r[{at}] is None else {form.format(f'r[{at}]')}" if form else f"r[{at}]"
            for at, form in enumerate(forms)
        ]
    )
    return made


def _rest_row(table: Table, *, postgresql: bool) -> Callable[[Row], Row]:
    """A row as it comes from a database → as it goes there."""
    forms: dict[type, str] = (
        {Amount: "int({})"} if postgresql else {Amount: "from_amount({})", JSON: "loads({})", Boolean: "bool({})"}
    )
    expressions = []
    for at, column in enumerate(table.columns):
        value = forms.get(type(column.type), "{}").format(f"r[{at}]")
        expressions.append(f"None if r[{at}] is None else {value}" if column.nullable else value)
    made: Callable[[Row], Row] = _generate(expressions)
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


def _binary_row(table: Table) -> Callable[[Row], bytes] | None:
    """Each value after its length, behind the number of values: numbers in one word with what is fixed before them."""
    form, values, parts = ">h", [str(len(table.columns))], list[str]()
    for at, column in enumerate(table.columns):
        kind, value = getattr(column.type, "impl", column.type), f"r[{at}]"
        if isinstance(column.type, Amount | JSON | Boolean):
            return None
        if column.nullable:
            if not isinstance(kind, LargeBinary):
                return None
            if values:
                parts.append(f"pack('{form}', {', '.join(values)})")
            parts.append(f"pack('>i', -1) if {value} is None else pack('>i', len({value})) + {value}")
            form, values = ">", []
            continue
        if isinstance(kind, Integer):
            size, letter = ("8", "q") if isinstance(kind, BigInteger) else ("4", "i")
            form, values = form + "i" + letter, [*values, size, value]
            continue
        if isinstance(kind, String):
            value += ".encode()"
        elif not isinstance(kind, LargeBinary):
            return None
        parts += [f"pack('{form}i', {', '.join([*values, f'len({value})'])})", value]
        form, values = ">", []
    if values:
        parts.append(f"pack('{form}', {', '.join(values)})")
    made: Callable[[Row], bytes] = _generate(parts, "b''.join(({},))")
    return made


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
