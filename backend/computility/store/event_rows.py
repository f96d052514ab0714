"""The tables of events as they rest, row by row: what an audit holds against the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import LargeBinary, select, type_coerce
from sqlmodel import Session

from computility.domain.errors import StoreError
from computility.domain.identifiers import ChainId
from computility.domain.packed_logs import expanded
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.raw_logs import PARTITIONED, BlockLogsRow

_ROWS_AT_ONCE: Final = 10_000
_BLOCKS_AT_ONCE: Final = 64
"""All logs of a block are one row, which has some hundred kilobytes."""

EventRow = tuple[Any, ...]
"""The block's number, then the other columns but the chain in the order of the table: addresses and hashes as bytes, logs in format 1."""


def event_rows(session: Session, chain_id: ChainId) -> Iterator[tuple[str, EventRow]]:
    """Every row of the tables of events with the table's name; of a block that is not indexed yet too, which should not be there."""
    for table in PARTITIONED:
        others = [column for column in table.c if column.name not in ("chain_id", "block_number")]
        query = select(table.c.block_number, *map(_at_rest, others)).where(table.c.chain_id == chain_id)
        of_logs = table is BlockLogsRow.__table__  # type: ignore[attr-defined]
        at_once, row_of = (_BLOCKS_AT_ONCE, _expanded) if of_logs else (_ROWS_AT_ONCE, tuple)
        rows = session.connection().execution_options(yield_per=at_once).execute(query)
        for some in rows.partitions():
            for row in some:
                yield table.name, row_of(row)


def _expanded(row: Sequence[Any]) -> EventRow:
    *others, logs = row
    # What cannot be expanded is not what the chain's logs come to, as it stands.
    with suppress(StoreError):
        logs = expanded(logs)
    return *others, logs


def _at_rest(column: Any) -> Any:
    # Text of every address and hash would be most of the work.
    return type_coerce(column, LargeBinary) if isinstance(column.type, AddressColumn | HashColumn) else column
