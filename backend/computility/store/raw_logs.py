"""The contracts' logs as the chain has them: the ledger that everything else is folded from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Field, Session, SQLModel, and_, col, delete, func, or_, select, tuple_
from sqlmodel.sql.expression import SelectOfScalar

from computility.chain.log_decoding import decode_log
from computility.domain.errors import StoreError
from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32, ChainId

Position = tuple[int, int]
"""Block number and log index: the order of the ledger."""


class RawLogRow(SQLModel, table=True):
    """One log. ``job`` is the job it belongs to, ``topics`` 32 bytes each in a row."""

    __tablename__ = "raw_logs"
    __table_args__ = (
        Index("ix_raw_logs_position", "chain_id", "block_number", "log_index"),
        Index("ix_raw_logs_job", "chain_id", "job", "block_number", "log_index"),
        Index("ix_raw_logs_name", "chain_id", "name", "block_number", "log_index"),
    )

    chain_id: str = Field(primary_key=True, max_length=41)
    block_hash: str = Field(primary_key=True, max_length=66)
    log_index: int = Field(primary_key=True)
    block_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))
    tx_hash: str = Field(max_length=66)
    address: str = Field(max_length=42)
    generation: int
    contract: str = Field(max_length=32)
    name: str = Field(max_length=32)
    job: str | None = Field(default=None, max_length=66)
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
    """Which accounts an event concerns: those that it names, and of a job's events all parties of the job."""

    __tablename__ = "event_accounts"
    __table_args__ = (Index("ix_event_accounts_account", "chain_id", "account", "block_number", "log_index"),)

    chain_id: str = Field(primary_key=True, max_length=41)
    block_hash: str = Field(primary_key=True, max_length=66)
    log_index: int = Field(primary_key=True)
    account: str = Field(primary_key=True, max_length=42)
    block_number: int = Field(sa_column=Column(BigInteger, nullable=False))


def add_log(session: Session, row: RawLogRow, accounts: Iterable[Address]) -> None:
    """Add one log and what it concerns."""
    session.add(row)
    for account in accounts:
        session.add(
            EventAccountRow(
                chain_id=row.chain_id,
                block_hash=row.block_hash,
                log_index=row.log_index,
                account=account,
                block_number=row.block_number,
            )
        )


def logs_above(session: Session, chain_id: ChainId, number: int) -> list[RawLogRow]:
    """Logs of blocks above ``number``, in order."""
    query = _of(chain_id).where(col(RawLogRow.block_number) > number)
    return list(session.exec(query.order_by(col(RawLogRow.block_number), col(RawLogRow.log_index))))


def remove_logs_above(session: Session, chain_id: ChainId, number: int) -> None:
    """Forget orphaned logs."""
    for table in (EventAccountRow, RawLogRow):
        session.exec(delete(table).where(col(table.chain_id) == chain_id, col(table.block_number) > number))


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


def logs_of_account(
    session: Session, chain_id: ChainId, account: Address, names: Iterable[str], contract: str
) -> Sequence[RawLogRow]:
    """Logs of some events that concern an account, in order."""
    query = _of(chain_id).where(col(RawLogRow.name).in_(list(names)), col(RawLogRow.contract) == contract)
    query = query.join(EventAccountRow, _same_log()).where(col(EventAccountRow.account) == account)
    return session.exec(query.order_by(col(RawLogRow.block_number), col(RawLogRow.log_index))).all()


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
    query = _of(chain_id)
    if account is not None:
        query = query.join(EventAccountRow, _same_log()).where(col(EventAccountRow.account) == account)
    if name is not None:
        query = query.where(col(RawLogRow.name) == name)
    if from_block is not None:
        query = query.where(col(RawLogRow.block_number) >= from_block)
    if before is not None:
        number, index = before
        query = query.where(
            or_(
                col(RawLogRow.block_number) < number,
                and_(col(RawLogRow.block_number) == number, col(RawLogRow.log_index) < index),
            )
        )
    order = (col(RawLogRow.block_number).desc(), col(RawLogRow.log_index).desc())
    return session.exec(query.order_by(*order).limit(limit)).all()


def count_logs(session: Session, chain_id: ChainId) -> int:
    """How many logs are stored."""
    return session.exec(select(func.count()).select_from(RawLogRow).where(col(RawLogRow.chain_id) == chain_id)).one()


def _of(chain_id: ChainId) -> SelectOfScalar[RawLogRow]:
    return select(RawLogRow).where(col(RawLogRow.chain_id) == chain_id)


def _same_log() -> ColumnElement[bool]:
    return and_(
        col(RawLogRow.chain_id) == col(EventAccountRow.chain_id),
        col(RawLogRow.block_hash) == col(EventAccountRow.block_hash),
        col(RawLogRow.log_index) == col(EventAccountRow.log_index),
    )
