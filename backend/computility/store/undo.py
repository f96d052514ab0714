"""Images of projected rows as they were before a block: what a reorganisation puts back. Kept for blocks that are not final yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field, Session, SQLModel, col, delete, select


class UndoRow(SQLModel, table=True):
    """One row of one projection before one block; ``before`` is None where there was none."""

    __tablename__ = "undo"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    block_number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    projection: int = Field(primary_key=True)
    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    before: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


def images_above(session: Session, ledger: int, number: int) -> dict[tuple[int, bytes], bytes | None]:
    """The oldest image of each row since block ``number``, by projection and key: how it was at the end of that block."""
    query = select(UndoRow).where(col(UndoRow.ledger) == ledger, col(UndoRow.block_number) > number)
    found: dict[tuple[int, bytes], bytes | None] = {}
    for row in session.exec(query.order_by(col(UndoRow.block_number))):
        found.setdefault((row.projection, row.key), row.before)
    return found


def remove_images_above(session: Session, ledger: int, number: int) -> None:
    """Forget images of orphaned blocks."""
    session.exec(delete(UndoRow).where(col(UndoRow.ledger) == ledger, col(UndoRow.block_number) > number))


def remove_images_up_to(session: Session, ledger: int, number: int) -> None:
    """Forget images of blocks that stay."""
    session.exec(delete(UndoRow).where(col(UndoRow.ledger) == ledger, col(UndoRow.block_number) <= number))
