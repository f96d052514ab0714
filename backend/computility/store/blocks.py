"""Blocks that the store rests on, and how far it has come: the tables and their queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import sqlalchemy
from sqlalchemy import BigInteger, Column, LargeBinary, type_coerce
from sqlmodel import Field, Session, SQLModel, col, delete, func, select, update

from computility.domain.identifiers import Bytes32, ChainId
from computility.store.compact_types import ChainColumn, HashColumn

_ROWS_AT_ONCE: Final = 10_000

BlockAtRest = tuple[int, bytes, bytes, int, bytes | None]
"""Number, hash, parent's hash, time and digest of the logs, as the table holds them."""


class BlockRow(SQLModel, table=True):
    """A block of the canonical chain: every one of the latest, and of older ones those with events.

    ``logs_digest`` binds the logs of ours that were taken in from it (``domain.logs_digest``); None without any.
    """

    __tablename__ = "blocks"
    __table_args__ = ({"sqlite_with_rowid": False},)

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    parent_hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))
    logs_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class CursorRow(SQLModel, table=True):
    """Up to which block a chain is taken in, and how settled that is.

    ``safe`` and ``final`` are the chain's own words (or depths, on a chain that has none) as of this cursor. Up to ``sealed`` every block's logs were
    held against its receipts root. Below ``undo_floor`` no images of before are kept.
    """

    __tablename__ = "cursors"

    chain_id: str = Field(sa_column=Column(ChainColumn, primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(sa_column=Column(HashColumn, nullable=False))
    safe: int = Field(sa_column=Column(BigInteger, nullable=False))
    final: int = Field(sa_column=Column(BigInteger, nullable=False))
    sealed: int = Field(sa_column=Column(BigInteger, nullable=False))
    undo_floor: int = Field(sa_column=Column(BigInteger, nullable=False))


def cursor_of(session: Session, chain_id: ChainId, *, lock: bool = False) -> CursorRow | None:
    """The cursor, or None before the first block. ``lock`` keeps it from being moved by another until the transaction ends."""
    return session.get(CursorRow, chain_id, with_for_update=True if lock else None)


def seal_to(session: Session, chain_id: ChainId, number: int) -> None:
    """Say up to which block the logs were held against the receipts roots."""
    session.exec(
        update(CursorRow)
        .where(col(CursorRow.chain_id) == chain_id, col(CursorRow.number) >= number)
        .values(sealed=number)
    )


def digests_between(
    session: Session, chain_id: ChainId, first: int, last: int
) -> dict[int, tuple[Bytes32, bytes | None, int]]:
    """Hash, digest and time of the stored blocks ``first`` to ``last``, by number."""
    query = select(BlockRow).where(
        col(BlockRow.chain_id) == chain_id, col(BlockRow.number) >= first, col(BlockRow.number) <= last
    )
    return {row.number: (Bytes32(row.hash), row.logs_digest, row.timestamp) for row in session.exec(query)}


def blocks_down_from(session: Session, chain_id: ChainId, number: int, limit: int) -> list[BlockRow]:
    """Stored blocks at or below ``number``, the highest first."""
    query = select(BlockRow).where(col(BlockRow.chain_id) == chain_id, col(BlockRow.number) <= number)
    return list(session.exec(query.order_by(col(BlockRow.number).desc()).limit(limit)))


def blocks_at_rest(session: Session, chain_id: ChainId, numbers: Sequence[int] | None = None) -> Iterator[BlockAtRest]:
    """Every stored block, or some: there may be millions."""
    columns = (
        col(BlockRow.number),
        type_coerce(col(BlockRow.hash), LargeBinary),
        type_coerce(col(BlockRow.parent_hash), LargeBinary),
        col(BlockRow.timestamp),
        col(BlockRow.logs_digest),
    )
    query = sqlalchemy.select(*columns).where(col(BlockRow.chain_id) == chain_id)
    if numbers is not None:
        query = query.where(col(BlockRow.number).in_(numbers))
    rows = session.connection().execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
    yield from ((number, block_hash, parent, time_s, digest) for number, block_hash, parent, time_s, digest in rows)


def count_blocks(session: Session, chain_id: ChainId) -> int:
    """How many blocks are stored."""
    return session.exec(select(func.count()).select_from(BlockRow).where(col(BlockRow.chain_id) == chain_id)).one()


def remove_blocks_above(session: Session, chain_id: ChainId, number: int) -> None:
    """Forget orphaned blocks."""
    session.exec(delete(BlockRow).where(col(BlockRow.chain_id) == chain_id, col(BlockRow.number) > number))


def remove_empty_blocks_between(session: Session, chain_id: ChainId, first: int, last: int) -> None:
    """Forget old blocks from ``first`` to ``last`` that no log of ours rests on."""
    session.exec(
        delete(BlockRow).where(
            col(BlockRow.chain_id) == chain_id,
            col(BlockRow.number) >= first,
            col(BlockRow.number) <= last,
            col(BlockRow.logs_digest).is_(None),
        )
    )


def remove_chain(session: Session, chain_id: ChainId) -> None:
    """Forget every block, and how far the chain was read."""
    for model in (BlockRow, CursorRow):
        session.exec(delete(model).where(col(model.chain_id) == chain_id))
