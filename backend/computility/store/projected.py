"""The projections' tables as the folds see them: rows by key, read and written by the hundred.

A row at rest is a tuple of its columns as the database holds them: bytes for hashes and addresses, integers for amounts. A key is the row's, without
the build's id: bytes for a key of one column, otherwise a tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Table
from sqlmodel import Session, SQLModel, delete

from computility.chain.event_decoders import ADDRESSES
from computility.domain.identifiers import Bytes32
from computility.domain.job import JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.score_slot import ScoreSlot
from computility.domain.standing import Standing
from computility.store.accounts import AccountRow, FeesRow
from computility.store.amount import Amount
from computility.store.bulk_write import BulkWriter, Row
from computility.store.job_at_rest import STATE, JobsRow, packed_row, unpacked_row
from computility.store.jobs import JobRow
from computility.store.providers import ProviderRow
from computility.store.scores import ScoreRow

RecordT = TypeVar("RecordT")
Key = Any
"""As at rest: bytes, or a tuple of them (and of a role)."""


@dataclass(frozen=True)
class ProjectedTable(Generic[RecordT]):
    """One projection. ``number`` names it in the images of before."""

    number: int
    model: type[SQLModel]
    to_row: Callable[[int, Key, RecordT], Row]
    from_row: Callable[[Row], RecordT]
    fixed: Collection[str] = ()
    is_closed: Callable[[RecordT], bool] = lambda _: False  # a default
    """Whether a row will never change again."""

    @property
    def table(self) -> Table:
        """The table."""
        table: Table = self.model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on every table class
        return table

    def load(self, writer: BulkWriter, ledger: int, keys: Iterable[Key]) -> dict[Key, RecordT]:
        """The rows of some keys, as far as there are any."""
        width = len(self.table.primary_key)
        rows = writer.rows(self.table, ledger, [key if width > 2 else (key,) for key in keys])
        return {(row[1:width] if width > 2 else row[1]): self.from_row(row) for row in rows}

    def image(self, ledger: int, key: Key, before: RecordT | None) -> tuple[bytes, bytes | None]:
        """Key and row as they are kept to be put back."""
        named = msgspec.msgpack.encode(list(key) if isinstance(key, tuple) else [key])
        if before is None:
            return named, None
        row = self.to_row(ledger, key, before)
        return named, msgspec.msgpack.encode([_portable(value) for value in row])

    def put_back(self, writer: BulkWriter, ledger: int, images: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Make rows what they were."""
        gone = [(ledger, *msgspec.msgpack.decode(key)) for key, before in images if before is None]
        writer.delete(self.table, gone)
        amounts = [isinstance(column.type, Amount) for column in self.table.columns]
        rows = []
        for _, before in images:
            if before is not None:
                values = msgspec.msgpack.decode(before)
                rows.append(
                    tuple(
                        int(value) if amount and value is not None else value
                        for amount, value in zip(amounts, values, strict=True)
                    )
                )
        writer.upsert(self.table, rows)

    def forget(self, session: Session, ledger: int) -> None:
        """Remove every row of a build."""
        session.exec(delete(self.model).where(getattr(self.model, "ledger") == ledger))  # noqa: B009  # a column of each of them


_CLOSED: Final = int(JobState.CLOSED)


def _portable(value: Any) -> Any:
    # msgpack has no integers beyond 64 bits.
    return str(value) if value.__class__ is int and value.bit_length() > 63 else value


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _provider_row(ledger: int, key: Key, record: ProviderRecord) -> Row:
    registry, address = key
    return (
        ledger,
        registry,
        address,
        record.stake,
        record.registered_at,
        record.exit_requested_at,
        record.exited_at,
        list(record.resources),
        record.reserved,
        record.suspended,
    )


def _provider_record(row: Row) -> ProviderRecord:
    return ProviderRecord(
        address=ADDRESSES[row[2]],
        stake=row[3],
        registered_at=row[4],
        exit_requested_at=row[5],
        exited_at=row[6],
        resources=tuple(Bytes32(resource) for resource in row[7]),
        reserved=row[8],
        suspended=row[9],
    )


JOBS: Final = ProjectedTable[JobsRow](
    1,
    JobRow,
    to_row=lambda _ledger, _key, row: packed_row(row),
    from_row=unpacked_row,
    is_closed=lambda row: row[STATE] == _CLOSED,
    fixed=("generation", "buyer", "provider", "verifier", "resource", "listed_block"),
)
ACCOUNTS: Final = ProjectedTable[Balance](
    2,
    AccountRow,
    to_row=lambda ledger, key, balance: (ledger, *key, balance[0], balance[1]),
    from_row=lambda row: Balance(row[3], row[4]),
)
"""By account and escrow."""
FEES: Final = ProjectedTable[int](
    3,
    FeesRow,
    to_row=lambda ledger, escrow, amount: (ledger, escrow, amount),
    from_row=lambda row: row[2],
)
"""By escrow."""
PROVIDERS: Final = ProjectedTable[ProviderRecord](4, ProviderRow, to_row=_provider_row, from_row=_provider_record)
"""By registry and provider."""
SCORES: Final = ProjectedTable[Standing](
    5,
    ScoreRow,
    to_row=lambda ledger, key, standing: (
        ledger,
        *key,
        standing.slot.to_word().to_bytes(32, "big"),
        _bytes(standing.job),
        standing.at,
    ),
    from_row=lambda row: Standing(
        ScoreSlot.from_word(int.from_bytes(row[4], "big")), Bytes32("0x" + row[5].hex()), row[6]
    ),
)
"""By account, role and escrow."""
