"""Blocks that the store rests on, and how far it has come: the tables and their queries."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from computility.chain.rpc import BlockHeader
from computility.domain.identifiers import Bytes32, ChainId
from computility.store.raw_logs import RawLogRow


class BlockRow(SQLModel, table=True):
    """A block of the canonical chain: every one of the latest, and of older ones those with events."""

    __tablename__ = "blocks"

    chain_id: str = Field(primary_key=True, max_length=41)
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    hash: str = Field(max_length=66)
    parent_hash: str = Field(max_length=66)
    timestamp: int = Field(sa_column=Column(BigInteger, nullable=False))


class CursorRow(SQLModel, table=True):
    """Up to which block a chain is folded into the store."""

    __tablename__ = "cursors"

    chain_id: str = Field(primary_key=True, max_length=41)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str = Field(max_length=66)


def cursor_of(session: Session, chain_id: ChainId) -> CursorRow | None:
    """The cursor, or None before the first block."""
    return session.get(CursorRow, chain_id)


def move_cursor(session: Session, chain_id: ChainId, number: int, block_hash: Bytes32) -> None:
    """Set the cursor."""
    session.merge(CursorRow(chain_id=chain_id, number=number, hash=block_hash))


def add_blocks(session: Session, chain_id: ChainId, headers: list[BlockHeader]) -> None:
    """Add headers above the ones that are there."""
    for header in headers:
        session.add(
            BlockRow(
                chain_id=chain_id,
                number=header.number,
                hash=header.hash,
                parent_hash=header.parent_hash,
                timestamp=header.timestamp,
            )
        )


def blocks_down_from(session: Session, chain_id: ChainId, number: int, limit: int) -> list[BlockRow]:
    """Stored blocks at or below ``number``, the highest first."""
    query = select(BlockRow).where(col(BlockRow.chain_id) == chain_id, col(BlockRow.number) <= number)
    return list(session.exec(query.order_by(col(BlockRow.number).desc()).limit(limit)))


def count_blocks(session: Session, chain_id: ChainId) -> int:
    """How many blocks are stored."""
    return session.exec(select(func.count()).select_from(BlockRow).where(col(BlockRow.chain_id) == chain_id)).one()


def remove_blocks_above(session: Session, chain_id: ChainId, number: int) -> None:
    """Forget orphaned blocks."""
    session.exec(delete(BlockRow).where(col(BlockRow.chain_id) == chain_id, col(BlockRow.number) > number))


def remove_empty_blocks_below(session: Session, chain_id: ChainId, number: int) -> None:
    """Forget old blocks that no log rests on. The lowest stays: it says where the ledger begins."""
    rests_on_it = select(RawLogRow.block_hash).where(
        col(RawLogRow.chain_id) == chain_id, col(RawLogRow.block_hash) == col(BlockRow.hash)
    )
    lowest = session.exec(select(func.min(BlockRow.number)).where(col(BlockRow.chain_id) == chain_id)).one()
    session.exec(
        delete(BlockRow).where(
            col(BlockRow.chain_id) == chain_id,
            col(BlockRow.number) < number,
            col(BlockRow.number) != lowest,
            ~rests_on_it.exists(),
        )
    )
