"""The contracts' logs as the chain has them: the ledger that everything else is folded from."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field, Session, SQLModel, col, delete, func, select, tuple_
from sqlmodel.sql.expression import SelectOfScalar

from computility.chain.log_decoding import decode_log
from computility.domain.errors import StoreError
from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.store.compact_types import AddressColumn, ChainColumn, HashColumn

_OF_A_JOB: Final = "job IS NOT NULL"
_BLOCKS_AT_ONCE: Final = 64
_LOGS_AT_ONCE: Final = 256
"""Of an account: read in one query."""

Position = tuple[int, int]
"""Block number and log index: the order of the ledger."""


class RawLogRow(SQLModel, table=True):
    """One log. ``job`` is the job it belongs to, ``topics`` 32 bytes each in a row."""

    __tablename__ = "raw_logs"
    __table_args__ = (
        Index(
            "ix_raw_logs_job",
            "chain_id",
            "job",
            "block_number",
            "log_index",
            sqlite_where=text(_OF_A_JOB),
            postgresql_where=text(_OF_A_JOB),
        ),
        Index("ix_raw_logs_name", "chain_id", "name", "block_number", "log_index"),
        {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (block_number)"},
    )

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    log_index: int = Field(primary_key=True)
    block_hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))
    tx_hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    address: str = Field(sa_column=Column(AddressColumn, nullable=False))
    generation: int
    contract: str = Field(max_length=32)
    name: str = Field(max_length=32)
    job: str | None = Field(default=None, sa_column=Column(HashColumn, nullable=True))
    topics: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    def event(self) -> Event:
        """The decoded event."""
        topics = tuple(self.topics[at : at + 32] for at in range(0, len(self.topics), 32))
        event = decode_log(self.contract, topics, self.data)
        if event is None:
            raise StoreError(f"log {self.log_index} of block {self.block_hash} is of no known event; rebuild the store")
        return event

    def origin(self) -> EventOrigin:
        """Where it stands in the ledger."""
        return EventOrigin(
            chain_id=ChainId(self.chain_id),
            block_hash=Bytes32(self.block_hash),
            block_number=self.block_number,
            log_index=self.log_index,
            tx_hash=Bytes32(self.tx_hash),
            address=Address(self.address),
            timestamp=self.timestamp,
        )


class EventAccountRow(SQLModel, table=True):
    """Which events of a block concern an account: those that name it, and all events of the jobs to which it is a party.

    ``log_indexes`` are theirs in order, four bytes each (``packed``): a row an event and account cost as much as the events themselves.
    """

    __tablename__ = "event_accounts"
    __table_args__ = ({"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (block_number)"},)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    log_indexes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


def packed(log_indexes: Sequence[int]) -> bytes:
    """Log indexes as a row of ``event_accounts`` holds them."""
    return struct.pack(f">{len(log_indexes)}I", *log_indexes)


def unpacked(raw: bytes) -> tuple[int, ...]:
    """Back from what ``packed`` makes."""
    return struct.unpack(f">{len(raw) // 4}I", raw)


def logs_above(session: Session, chain_id: ChainId, number: int) -> list[RawLogRow]:
    """Logs of blocks above ``number``, in order."""
    query = _of(chain_id).where(col(RawLogRow.block_number) > number)
    return list(session.exec(query.order_by(col(RawLogRow.block_number), col(RawLogRow.log_index))))


def logs_from(session: Session, chain_id: ChainId, after: Position, up_to: int, limit: int) -> Sequence[RawLogRow]:
    """The next logs after a position, of blocks up to ``up_to``, in order."""
    query = _of(chain_id).where(col(RawLogRow.block_number) <= up_to)
    query = query.where(tuple_(col(RawLogRow.block_number), col(RawLogRow.log_index)) > tuple_(*after))
    return session.exec(query.order_by(col(RawLogRow.block_number), col(RawLogRow.log_index)).limit(limit)).all()


def remove_logs_above(session: Session, chain_id: ChainId, number: int, concerned: Iterable[Address]) -> None:
    """Forget orphaned logs, which concern the accounts ``concerned``."""
    for account in concerned:
        session.exec(
            delete(EventAccountRow).where(
                col(EventAccountRow.chain_id) == chain_id,
                col(EventAccountRow.account) == account,
                col(EventAccountRow.block_number) > number,
            )
        )
    session.exec(delete(RawLogRow).where(col(RawLogRow.chain_id) == chain_id, col(RawLogRow.block_number) > number))


def logs_of_job(
    session: Session, chain_id: ChainId, job: Bytes32, after: Position | None = None, limit: int | None = None
) -> Sequence[RawLogRow]:
    """The logs of one job, in order."""
    query = _of(chain_id).where(col(RawLogRow.job) == job)
    if after is not None:
        query = query.where(tuple_(col(RawLogRow.block_number), col(RawLogRow.log_index)) > tuple_(*after))
    return session.exec(query.order_by(col(RawLogRow.block_number), col(RawLogRow.log_index)).limit(limit)).all()


def last_blocks_of_jobs(session: Session, chain_id: ChainId, jobs: Iterable[str]) -> dict[str, int]:
    """The block of each job's last log."""
    query = (
        select(col(RawLogRow.job), func.max(col(RawLogRow.block_number)))
        .where(col(RawLogRow.chain_id) == chain_id, col(RawLogRow.job).in_(list(jobs)))
        .group_by(col(RawLogRow.job))
    )
    return {str(job): int(number) for job, number in session.exec(query)}


def last_block_of_account(session: Session, chain_id: ChainId, account: Address) -> int | None:
    """The block of the last log that concerns an account; None without any."""
    query = select(func.max(col(EventAccountRow.block_number))).where(
        col(EventAccountRow.chain_id) == chain_id, col(EventAccountRow.account) == account
    )
    return session.exec(query).one()


def page_of_logs(
    session: Session,
    chain_id: ChainId,
    *,
    name: str | None = None,
    account: Address | None = None,
    from_block: int | None = None,
    before: Position | None = None,
    limit: int,
) -> Sequence[RawLogRow]:
    """Logs, the newest first."""
    if account is not None:
        return _page_of_account(session, chain_id, account, name, from_block, before, limit)
    query = _of(chain_id)
    if name is not None:
        query = query.where(col(RawLogRow.name) == name)
    if from_block is not None:
        query = query.where(col(RawLogRow.block_number) >= from_block)
    if before is not None:
        query = query.where(tuple_(col(RawLogRow.block_number), col(RawLogRow.log_index)) < tuple_(*before))
    return session.exec(query.order_by(*_NEWEST_FIRST).limit(limit)).all()


def _page_of_account(
    session: Session,
    chain_id: ChainId,
    account: Address,
    name: str | None,
    from_block: int | None,
    before: Position | None,
    limit: int,
) -> list[RawLogRow]:
    """Follows the account's own index from block to block, and reads the logs that it names until there are enough."""
    found: list[RawLogRow] = []
    while len(found) < limit:
        query = select(EventAccountRow).where(
            col(EventAccountRow.chain_id) == chain_id, col(EventAccountRow.account) == account
        )
        if from_block is not None:
            query = query.where(col(EventAccountRow.block_number) >= from_block)
        if before is not None:
            query = query.where(col(EventAccountRow.block_number) <= before[0])
        blocks = session.exec(query.order_by(col(EventAccountRow.block_number).desc()).limit(_BLOCKS_AT_ONCE)).all()
        places = [
            (row.block_number, index)
            for row in blocks
            for index in reversed(unpacked(row.log_indexes))
            if before is None or (row.block_number, index) < before
        ]
        for start in range(0, len(places), _LOGS_AT_ONCE):
            some = _of(chain_id).where(
                tuple_(col(RawLogRow.block_number), col(RawLogRow.log_index)).in_(places[start : start + _LOGS_AT_ONCE])
            )
            if name is not None:
                some = some.where(col(RawLogRow.name) == name)
            found += session.exec(some.order_by(*_NEWEST_FIRST)).all()
            if len(found) >= limit:
                return found[:limit]
        if len(blocks) < _BLOCKS_AT_ONCE:
            return found
        before = blocks[-1].block_number, 0
    return found


def count_logs(session: Session, chain_id: ChainId) -> int:
    """How many logs are stored."""
    return session.exec(select(func.count()).select_from(RawLogRow).where(col(RawLogRow.chain_id) == chain_id)).one()


def _of(chain_id: ChainId) -> SelectOfScalar[RawLogRow]:
    return select(RawLogRow).where(col(RawLogRow.chain_id) == chain_id)


_NEWEST_FIRST: Final = (col(RawLogRow.block_number).desc(), col(RawLogRow.log_index).desc())
