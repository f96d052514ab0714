"""The projections' tables as the folds see them: rows by key, read and written by the hundred."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Table
from sqlmodel import Session, SQLModel, col, delete, select, tuple_

from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.standing import Standing
from computility.store.accounts import AccountRow, FeesRow
from computility.store.amount import Amount
from computility.store.bulk_write import BulkWriter, Row
from computility.store.jobs import JobRow
from computility.store.providers import ProviderRow
from computility.store.scores import ScoreRow
from computility.store.terms_bytes import terms_to_bytes

KeyT = TypeVar("KeyT")
RecordT = TypeVar("RecordT")

_KEYS_AT_ONCE: Final = 400


@dataclass(frozen=True)
class ProjectedTable(Generic[KeyT, RecordT]):
    """One projection. ``number`` names it in the images of before."""

    number: int
    model: type[SQLModel]
    key_of: Callable[[KeyT], tuple[Any, ...]]
    """The key's columns as the domain spells them, the ledger's id left out."""
    to_row: Callable[[int, KeyT, RecordT], Row]
    from_row: Callable[[Any], tuple[KeyT, RecordT]]
    fixed: Collection[str] = ()
    is_closed: Callable[[RecordT], bool] = lambda _: False  # a default
    """Whether a row will never change again."""

    @property
    def table(self) -> Table:
        """The table."""
        table: Table = self.model.__table__  # type: ignore[attr-defined]  # SQLModel sets it on every table class
        return table

    def load(self, session: Session, ledger: int, keys: Iterable[KeyT]) -> dict[KeyT, RecordT]:
        """The rows of some keys, as far as there are any."""
        wanted = [self.key_of(key) for key in keys]
        columns = [getattr(self.model, column.name) for column in list(self.table.primary_key)[1:]]
        found: dict[KeyT, RecordT] = {}
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            some = wanted[start : start + _KEYS_AT_ONCE]
            among = col(columns[0]).in_([key[0] for key in some]) if len(columns) == 1 else tuple_(*columns).in_(some)
            rows = session.exec(select(self.model).where(getattr(self.model, "ledger") == ledger, among))  # noqa: B009  # a column of each of them
            found.update(self.from_row(row) for row in rows)
        return found

    def image(self, ledger: int, key: KeyT, before: RecordT | None) -> tuple[bytes, bytes | None]:
        """Key and row as they are kept to be put back."""
        width = len(self.table.primary_key)
        if before is None:
            return msgspec.msgpack.encode(self._key_bytes(key)), None
        row = self.to_row(ledger, key, before)
        return msgspec.msgpack.encode(row[1:width]), msgspec.msgpack.encode([_portable(value) for value in row])

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

    def _key_bytes(self, key: KeyT) -> list[Any]:
        return [bytes.fromhex(part[2:]) if isinstance(part, str) else part for part in self.key_of(key)]


def _portable(value: Any) -> Any:
    # msgpack has no integers beyond 64 bits.
    return str(value) if value.__class__ is int and value.bit_length() > 63 else value


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def _bytes_or_none(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text[2:])


_JOB_FIELDS: Final = tuple(field.name for field in fields(JobRecord))
_PLAIN_OF_JOB: Final = itemgetter(*_JOB_FIELDS[_JOB_FIELDS.index("fee_bps") : _JOB_FIELDS.index("result")])
"""Those that rest as they are."""

JobKey = str
AccountKey = tuple[str, str]
"""Account and escrow."""
ScoreKey = tuple[str, int, str]
"""Account, role and escrow."""


def _job_row(ledger: int, key: str, placed: tuple[int, JobRecord]) -> Row:
    generation, job = placed
    values = job.__dict__
    terms = job.terms
    return (
        ledger,
        _bytes(key),
        generation,
        _bytes(terms.buyer) if terms else None,
        _bytes(terms.provider) if terms else None,
        _bytes(terms.verifier) if terms else None,
        _bytes(terms.resource) if terms else None,
        values["opened_block"] or 0,
        int(values["state"]),
        terms_to_bytes(terms) if terms else None,
        None if values["outcome"] is None else int(values["outcome"]),
        None if values["closed_by"] is None else int(values["closed_by"]),
        *_PLAIN_OF_JOB(values),
        _bytes_or_none(values["result"]),
        _bytes_or_none(values["evidence"]),
        values["opened_at"],
        values["opened_block"],
        _bytes_or_none(values["opened_tx"]),
        values["closed_at"],
        values["closed_block"],
        _bytes_or_none(values["closed_tx"]),
    )


def _provider_row(ledger: int, key: tuple[str, str], record: ProviderRecord) -> Row:
    registry, address = key
    return (
        ledger,
        _bytes(registry),
        _bytes(address),
        record.stake,
        record.registered_at,
        record.exit_requested_at,
        record.exited_at,
        list(record.resources),
        record.reserved,
        record.suspended,
    )


JOBS: Final = ProjectedTable[str, tuple[int, JobRecord]](
    1,
    JobRow,
    key_of=lambda job: (job,),
    to_row=_job_row,
    from_row=lambda row: (row.id, (row.generation, row.record())),
    is_closed=lambda placed: placed[1].state is JobState.CLOSED,
    fixed=("generation", "buyer", "provider", "verifier", "resource", "listed_block", "terms"),
)
ACCOUNTS: Final = ProjectedTable[AccountKey, Balance](
    2,
    AccountRow,
    key_of=lambda key: key,
    to_row=lambda ledger, key, balance: (ledger, _bytes(key[0]), _bytes(key[1]), balance.free, balance.locked),
    from_row=lambda row: ((row.account, row.escrow), Balance(row.free, row.locked)),
)
FEES: Final = ProjectedTable[str, int](
    3,
    FeesRow,
    key_of=lambda escrow: (escrow,),
    to_row=lambda ledger, escrow, amount: (ledger, _bytes(escrow), amount),
    from_row=lambda row: (row.escrow, row.amount),
)
PROVIDERS: Final = ProjectedTable[tuple[str, str], ProviderRecord](
    4,
    ProviderRow,
    key_of=lambda key: key,
    to_row=_provider_row,
    from_row=lambda row: ((row.registry_address, row.address), row.record()),
)
SCORES: Final = ProjectedTable[ScoreKey, Standing](
    5,
    ScoreRow,
    key_of=lambda key: key,
    to_row=lambda ledger, key, standing: (
        ledger,
        _bytes(key[0]),
        key[1],
        _bytes(key[2]),
        standing.slot.to_word().to_bytes(32, "big"),
        _bytes(standing.job),
        standing.at,
    ),
    from_row=lambda row: ((row.account, row.role, row.escrow), row.record()),
)

EVERY: Final[tuple[ProjectedTable[Any, Any], ...]] = (JOBS, ACCOUNTS, FEES, PROVIDERS, SCORES)


def _check_columns() -> None:
    # ``_job_row`` writes the columns in their order; the ones after ``terms`` are the record's own.
    named = [column.name for column in JobRow.__table__.columns]  # type: ignore[attr-defined]  # SQLModel sets it
    after_terms = [name for name in _JOB_FIELDS if name not in ("id", "state", "terms")]
    if named[10:] != after_terms:
        raise TypeError("the columns of jobs differ from the fields of JobRecord")


_check_columns()
