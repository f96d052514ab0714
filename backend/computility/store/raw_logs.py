"""The contracts' logs as the chain has them: the ledger that everything else is folded from.

They rest packed, one row a block (``domain.packed_logs``), so that a back-fill writes bytes as they came. Which of a block's logs concern an account,
a job or a name say three tables whose rows list log indexes: a query reads those, then the blocks that it needs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import BigInteger, Column, LargeBinary, column, values
from sqlalchemy import select as select_columns
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.packed_logs import some_unpacked, unpacked_logs
from computility.store.compact_types import AddressColumn, ChainColumn, HashColumn
from computility.store.job_at_rest import places_of
from computility.store.jobs import JobRow
from computility.store.ledgers import live
from computility.store.stored_log import Emitter, LogPlace, StoredLog, told_jobs, unpacked

_BLOCKS_AT_ONCE: Final = 16
"""Whose logs are read in one query: of a busy chain a block's are some hundred kilobytes."""
_ROWS_AT_ONCE: Final = 64
"""Of a table of events, while a page is being filled."""
_KEYS_AT_ONCE: Final = 400
_BY_BLOCK: Final[dict[str, Any]] = {"sqlite_with_rowid": False, "postgresql_partition_by": "RANGE (block_number)"}

ItemT = TypeVar("ItemT")

Position = tuple[int, int]
"""Block number and log index: the order of the ledger."""


class BlockLogsRow(SQLModel, table=True):
    """The logs of one block. ``told`` are the jobs of those that do not name theirs (``packed_jobs``), ``logs`` all of them (``packed_logs``)."""

    __tablename__ = "block_logs"
    __table_args__ = (_BY_BLOCK,)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    block_hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))
    count: int
    told: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    logs: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EventAccountRow(SQLModel, table=True):
    """Which logs of a block concern an account: those that name it, and all of the jobs to which it is a party.

    ``log_indexes`` are theirs in order, four bytes each (``packed``): a row an event and account cost as much as the events themselves.
    """

    __tablename__ = "event_accounts"
    __table_args__ = (_BY_BLOCK,)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    log_indexes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EventJobRow(SQLModel, table=True):
    """Which logs of a block are listed among the events of a job that has no row of its own: those of all others stand in it (``job_at_rest``)."""

    __tablename__ = "event_jobs"
    __table_args__ = (_BY_BLOCK,)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    job: str = Field(sa_column=Column(HashColumn, primary_key=True))
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    log_indexes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EventNameRow(SQLModel, table=True):
    """Which logs of a block are events of a name."""

    __tablename__ = "event_names"
    __table_args__ = (_BY_BLOCK,)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    name: str = Field(primary_key=True, max_length=32)
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    log_indexes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EmitterRow(SQLModel, table=True):
    """Which contract of which generation an address is, of those whose logs are stored."""

    __tablename__ = "emitters"
    __table_args__ = ({"sqlite_with_rowid": False},)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    address: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    generation: int
    contract: str = Field(max_length=32)


LOGS, OF_ACCOUNTS, OF_JOBS, OF_NAMES = (
    SQLModel.metadata.tables[name] for name in ("block_logs", "event_accounts", "event_jobs", "event_names")
)
PARTITIONED: Final = (LOGS, OF_ACCOUNTS, OF_JOBS, OF_NAMES)
"""The tables whose rows are of one block each, in partitions by its number."""

# ---------------------------------------------------------------- of the indexer


def keep_emitters(session: Session, chain_id: ChainId, emitters: Iterable[Emitter]) -> None:
    """Remember whose events addresses emit."""
    for each in emitters:
        session.merge(
            EmitterRow(chain_id=chain_id, address=each.address, generation=each.generation, contract=each.contract)
        )


def emitters_of(session: Session, chain_id: ChainId) -> dict[bytes, Emitter]:
    """Whose events the addresses emit whose logs are stored."""
    found = session.exec(
        select(col(EmitterRow.address), col(EmitterRow.generation), col(EmitterRow.contract)).where(
            col(EmitterRow.chain_id) == chain_id
        )
    )
    return {
        bytes.fromhex(address[2:]): Emitter(Address(address), generation, contract)
        for address, generation, contract in found
    }


def logs_above(session: Session, chain_id: ChainId, number: int) -> list[StoredLog]:
    """Logs of blocks above ``number``, in order."""
    query = (
        select(col(BlockLogsRow.block_number))
        .where(col(BlockLogsRow.chain_id) == chain_id, col(BlockLogsRow.block_number) > number)
        .order_by(col(BlockLogsRow.block_number))
    )
    return list(_logs_of(session, chain_id, dict.fromkeys(session.exec(query))))


def blocks_from(session: Session, chain_id: ChainId, after: int, up_to: int, logs: int) -> Sequence[BlockLogsRow]:
    """The next blocks with logs above ``after`` up to ``up_to``, in order: as many as hold about ``logs`` logs, and one at least."""
    query = (
        select(col(BlockLogsRow.block_number), col(BlockLogsRow.count))
        .where(
            col(BlockLogsRow.chain_id) == chain_id,
            col(BlockLogsRow.block_number) > after,
            col(BlockLogsRow.block_number) <= up_to,
        )
        .order_by(col(BlockLogsRow.block_number))
        .limit(logs)
    )
    last = _last_needed(session.exec(query).all(), logs)
    if last is None:
        return []
    wanted = select(BlockLogsRow).where(
        col(BlockLogsRow.chain_id) == chain_id,
        col(BlockLogsRow.block_number) > after,
        col(BlockLogsRow.block_number) <= last,
    )
    return session.exec(wanted.order_by(col(BlockLogsRow.block_number))).all()


def remove_logs_above(
    session: Session, chain_id: ChainId, number: int, orphaned: Iterable[StoredLog], concerned: Iterable[Address]
) -> None:
    """Forget the blocks above ``number``, whose logs are ``orphaned`` and concern the accounts ``concerned``."""
    listed = list(orphaned)
    jobs = {log.job for log in listed if log.job is not None}
    for table, of, keys in (
        (EventAccountRow, col(EventAccountRow.account), set(concerned)),
        (EventJobRow, col(EventJobRow.job), jobs),
        (EventNameRow, col(EventNameRow.name), {log.name for log in listed}),
    ):
        for some in _batches(sorted(keys), _KEYS_AT_ONCE):
            session.exec(
                delete(table).where(col(table.chain_id) == chain_id, of.in_(some), col(table.block_number) > number)
            )
    session.exec(
        delete(BlockLogsRow).where(col(BlockLogsRow.chain_id) == chain_id, col(BlockLogsRow.block_number) > number)
    )


def remove_chain(session: Session, chain_id: ChainId) -> None:
    """Forget every log, what finds them, and who emits."""
    for model in (BlockLogsRow, EventAccountRow, EventJobRow, EventNameRow, EmitterRow):
        session.exec(delete(model).where(col(model.chain_id) == chain_id))


def forget_lists_of_jobs(session: Session, chain_id: ChainId) -> None:
    """Forget which logs are listed with jobs beside their rows: an older version listed those of every job so."""
    session.exec(delete(EventJobRow).where(col(EventJobRow.chain_id) == chain_id))


# ---------------------------------------------------------------- of a job, an account, a name


def logs_of_job(
    session: Session, chain_id: ChainId, job: Bytes32, after: Position | None = None, limit: int | None = None
) -> list[StoredLog]:
    """The logs of one job, in order."""
    places = _places_of_jobs(session, chain_id, [job]).get(job, set())
    wanted = sorted(place for place in places if after is None or place > after)
    return list(_logs_of(session, chain_id, _by_block(wanted[:limit])))


def last_blocks_of_jobs(session: Session, chain_id: ChainId, jobs: Iterable[str]) -> dict[str, int]:
    """The block of each job's last log."""
    return {job: max(places)[0] for job, places in _places_of_jobs(session, chain_id, list(jobs)).items()}


def last_blocks_of_accounts(session: Session, chain_id: ChainId, accounts: Iterable[Address]) -> dict[Address, int]:
    """The block of the last log that concerns each of some accounts, of those that any does."""
    listed = [(account,) for account in accounts]
    if not listed:
        return {}
    asked = values(column("account", AddressColumn), name="asked").data(listed).cte("asked")
    # One step down the index for each: grouped, all that an account ever did would be read.
    last = (
        select(func.max(col(EventAccountRow.block_number)))
        .where(col(EventAccountRow.chain_id) == chain_id, col(EventAccountRow.account) == asked.c.account)
        .scalar_subquery()
    )
    found = session.execute(select_columns(asked.c.account, last)).all()
    return {Address(account): block for account, block in found if block is not None}


def page_of_logs(
    session: Session,
    chain_id: ChainId,
    *,
    name: str | None = None,
    account: Address | None = None,
    from_block: int | None = None,
    before: Position | None = None,
    limit: int,
) -> list[StoredLog]:
    """Logs, the newest first."""
    if account is not None:
        of_account = select(col(EventAccountRow.block_number), col(EventAccountRow.log_indexes)).where(
            col(EventAccountRow.chain_id) == chain_id, col(EventAccountRow.account) == account
        )
        places = _places_down(session, of_account, col(EventAccountRow.block_number), from_block, before)
        if name is not None:
            places = _named(session, chain_id, name, places)
    elif name is not None:
        of_name = select(col(EventNameRow.block_number), col(EventNameRow.log_indexes)).where(
            col(EventNameRow.chain_id) == chain_id, col(EventNameRow.name) == name
        )
        places = _places_down(session, of_name, col(EventNameRow.block_number), from_block, before)
    else:
        return _newest(session, chain_id, from_block, before, limit)
    wanted = list(itertools.islice(places, limit))
    return list(_logs_of(session, chain_id, _by_block(wanted), newest_first=True))


def count_logs(session: Session, chain_id: ChainId) -> int:
    """How many logs are stored."""
    query = select(func.sum(col(BlockLogsRow.count))).where(col(BlockLogsRow.chain_id) == chain_id)
    return int(session.exec(query).one() or 0)


# ---------------------------------------------------------------- reading


def _places_of_jobs(session: Session, chain_id: ChainId, jobs: Sequence[str]) -> dict[str, set[Position]]:
    """Where the events of jobs are; of those that have any."""
    found: dict[str, set[Position]] = {}
    with_rows = select(col(JobRow.id), col(JobRow.event_places)).where(
        col(JobRow.ledger) == live(chain_id), col(JobRow.id).in_(jobs)
    )
    for job, places in session.exec(with_rows):
        if places:
            found[str(job)] = set(places_of(places))
    without = select(col(EventJobRow.job), col(EventJobRow.block_number), col(EventJobRow.log_indexes)).where(
        col(EventJobRow.chain_id) == chain_id, col(EventJobRow.job).in_(jobs)
    )
    for job, number, indexes in session.exec(without):
        found.setdefault(str(job), set()).update((number, index) for index in unpacked(indexes))
    return found


def _places_down(
    session: Session, query: Any, block: Any, from_block: int | None, before: Position | None
) -> Iterator[Position]:
    """Follows a table of events from its newest block down."""
    if from_block is not None:
        query = query.where(block >= from_block)
    if before is not None:
        query = query.where(block <= before[0])
    below: int | None = None
    while True:
        some = query if below is None else query.where(block < below)
        rows = session.exec(some.order_by(block.desc()).limit(_ROWS_AT_ONCE)).all()
        for number, indexes in rows:
            for index in reversed(unpacked(indexes)):
                if before is None or (number, index) < before:
                    yield number, index
        if len(rows) < _ROWS_AT_ONCE:
            return
        below = rows[-1][0]


def _named(session: Session, chain_id: ChainId, name: str, places: Iterator[Position]) -> Iterator[Position]:
    """Those places at which an event of a name is."""
    for some in _batches(places, _KEYS_AT_ONCE):
        query = select(col(EventNameRow.block_number), col(EventNameRow.log_indexes)).where(
            col(EventNameRow.chain_id) == chain_id,
            col(EventNameRow.name) == name,
            col(EventNameRow.block_number).in_({number for number, _ in some}),
        )
        there = {(number, index) for number, indexes in session.exec(query) for index in unpacked(indexes)}
        yield from (place for place in some if place in there)


def _newest(
    session: Session, chain_id: ChainId, from_block: int | None, before: Position | None, limit: int
) -> list[StoredLog]:
    query = select(col(BlockLogsRow.block_number), col(BlockLogsRow.count)).where(
        col(BlockLogsRow.chain_id) == chain_id
    )
    if from_block is not None:
        query = query.where(col(BlockLogsRow.block_number) >= from_block)
    if before is not None:
        query = query.where(col(BlockLogsRow.block_number) <= before[0])
    # The first of them may hold nothing that comes before.
    rows = session.exec(query.order_by(col(BlockLogsRow.block_number).desc()).limit(limit + 1)).all()
    found: list[StoredLog] = []
    for some in _batches([number for number, _ in rows], _BLOCKS_AT_ONCE):
        for log in _logs_of(session, chain_id, dict.fromkeys(some), newest_first=True):
            if before is None or (log.block_number, log.log_index) < before:
                found.append(log)
                if len(found) == limit:
                    return found
    return found


def _batches(items: Iterable[ItemT], size: int) -> Iterator[tuple[ItemT, ...]]:
    left = iter(items)
    while some := tuple(itertools.islice(left, size)):
        yield some


def _last_needed(rows: Sequence[tuple[int, int]], logs: int) -> int | None:
    held, last = 0, None
    for number, count in rows:
        held, last = held + count, number
        if held >= logs:
            break
    return last


def _by_block(places: Iterable[Position]) -> dict[int, set[int] | None]:
    found: dict[int, set[int] | None] = {}
    for number, index in places:
        indexes = found.setdefault(number, set())
        assert indexes is not None
        indexes.add(index)
    return found


def _logs_of(
    session: Session, chain_id: ChainId, blocks: Mapping[int, set[int] | None], *, newest_first: bool = False
) -> Iterator[StoredLog]:
    """The logs at some indexes of blocks that come in order (None: all of a block's), a few blocks at a time."""
    if not blocks:
        return
    emitters = emitters_of(session, chain_id)
    for some in _batches(blocks, _BLOCKS_AT_ONCE):
        query = select(BlockLogsRow).where(
            col(BlockLogsRow.chain_id) == chain_id, col(BlockLogsRow.block_number).in_(some)
        )
        rows = {row.block_number: row for row in session.exec(query)}
        for number in some:
            row = rows.pop(number)
            place = LogPlace(chain_id, number, Bytes32(row.block_hash), row.timestamp, told_jobs(row.told))
            indexes = blocks[number]
            logs = unpacked_logs(row.logs) if indexes is None else some_unpacked(row.logs, indexes)
            found = [place.log(log, emitters) for log in logs]
            yield from reversed(found) if newest_first else found
