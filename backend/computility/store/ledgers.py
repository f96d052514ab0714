"""Builds of a chain's projections. One is live; another may be built beside it from the stored logs, and then takes its place."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import Field, Session, SQLModel, col, delete, select, update

from computility.domain.identifiers import Bytes32, ChainId
from computility.store.compact_types import ChainColumn, HashColumn

LIVE: Final = "live"
BUILDING: Final = "building"
RETIRED: Final = "retired"


class LedgerRow(SQLModel, table=True):
    """One build: every projection's rows carry its ``id``. ``version`` is the folds' own, ``number`` and ``hash`` how far it is folded."""

    __tablename__ = "ledgers"
    __table_args__ = (Index("ix_ledgers_state", "chain_id", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    chain_id: str = Field(sa_column=Column(ChainColumn, nullable=False))
    version: int
    state: str = Field(max_length=8)
    number: int = Field(sa_column=Column(BigInteger, nullable=False))
    hash: str | None = Field(default=None, sa_column=Column(HashColumn, nullable=True))


def live(chain_id: ChainId) -> Any:
    """The id of the live build, as a part of a query."""
    return (
        select(LedgerRow.id)
        .where(col(LedgerRow.chain_id) == chain_id, col(LedgerRow.state) == LIVE)
        .order_by(col(LedgerRow.id))
        .limit(1)
        .scalar_subquery()
    )


def ledger_in_state(session: Session, chain_id: ChainId, state: str) -> LedgerRow | None:
    """The first build in a state."""
    query = select(LedgerRow).where(col(LedgerRow.chain_id) == chain_id, col(LedgerRow.state) == state)
    return session.exec(query.order_by(col(LedgerRow.id)).limit(1)).first()


def add_ledger(session: Session, chain_id: ChainId, version: int, state: str) -> LedgerRow:
    """Begin a build that holds nothing yet."""
    row = LedgerRow(chain_id=chain_id, version=version, state=state, number=-1)
    session.add(row)
    session.flush()
    return row


def move_ledger(session: Session, ledger: int, number: int, block_hash: Bytes32 | None) -> None:
    """Say how far a build is folded."""
    session.exec(update(LedgerRow).where(col(LedgerRow.id) == ledger).values(number=number, hash=block_hash))


def set_state(session: Session, ledger: int, state: str) -> None:
    """Make a build live, or retire it."""
    session.exec(update(LedgerRow).where(col(LedgerRow.id) == ledger).values(state=state))


def forget_ledger(session: Session, ledger: int) -> None:
    """Remove a build's own row, after its projections."""
    session.exec(delete(LedgerRow).where(col(LedgerRow.id) == ledger))
