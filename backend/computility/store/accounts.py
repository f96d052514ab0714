"""Balances and fees inside the escrows: sums of what the events move."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, ChainId
from computility.domain.ledger import Balance, Movement
from computility.store.amount import Amount


class AccountRow(SQLModel, table=True):
    """One account in one escrow."""

    __tablename__ = "accounts"

    chain_id: str = Field(primary_key=True, max_length=41)
    escrow: str = Field(primary_key=True, max_length=42)
    account: str = Field(primary_key=True, max_length=42, index=True)
    free: int = Field(sa_column=Column(Amount, nullable=False))
    locked: int = Field(sa_column=Column(Amount, nullable=False))


class FeesRow(SQLModel, table=True):
    """Fees that await collection in one escrow."""

    __tablename__ = "fees"

    chain_id: str = Field(primary_key=True, max_length=41)
    escrow: str = Field(primary_key=True, max_length=42)
    amount: int = Field(sa_column=Column(Amount, nullable=False))


def move(session: Session, chain_id: ChainId, escrow: Address, movement: Movement, *, undo: bool = False) -> None:
    """Apply what an event moves, or undo it."""
    for account, delta in movement.accounts.items():
        row = session.get(AccountRow, (chain_id, escrow, account))
        before = Balance(row.free, row.locked) if row else Balance()
        after = before + (-delta if undo else delta)
        session.merge(
            AccountRow(chain_id=chain_id, escrow=escrow, account=account, free=after.free, locked=after.locked)
        )
    if movement.fees:
        fees = session.get(FeesRow, (chain_id, escrow))
        amount = (fees.amount if fees else 0) + (-movement.fees if undo else movement.fees)
        session.merge(FeesRow(chain_id=chain_id, escrow=escrow, amount=amount))


def balance_of(session: Session, chain_id: ChainId, account: Address) -> Balance:
    """Balance of an account, summed over all escrows of the chain."""
    rows = session.exec(
        select(AccountRow).where(col(AccountRow.chain_id) == chain_id, col(AccountRow.account) == account)
    )
    return sum((Balance(row.free, row.locked) for row in rows), Balance())


def all_accounts(session: Session, chain_id: ChainId) -> Sequence[AccountRow]:
    """Every account in every escrow."""
    return session.exec(select(AccountRow).where(col(AccountRow.chain_id) == chain_id)).all()


def all_fees(session: Session, chain_id: ChainId) -> Sequence[FeesRow]:
    """Every escrow's fees."""
    return session.exec(select(FeesRow).where(col(FeesRow.chain_id) == chain_id)).all()
