"""Balances and fees inside the escrows: sums of what the events move."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, ChainId
from computility.domain.ledger import Balance
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn
from computility.store.ledgers import live


class AccountRow(SQLModel, table=True):
    """One account in one escrow."""

    __tablename__ = "accounts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    escrow: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    free: int = Field(sa_column=Column(Amount, nullable=False))
    locked: int = Field(sa_column=Column(Amount, nullable=False))


class FeesRow(SQLModel, table=True):
    """Fees that await collection in one escrow."""

    __tablename__ = "fees"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    escrow: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    amount: int = Field(sa_column=Column(Amount, nullable=False))


def balance_of(session: Session, chain_id: ChainId, account: Address) -> Balance:
    """Balance of an account, summed over all escrows of the chain."""
    rows = session.exec(
        select(AccountRow).where(col(AccountRow.ledger) == live(chain_id), col(AccountRow.account) == account)
    )
    return sum((Balance(row.free, row.locked) for row in rows), Balance())


def all_accounts(session: Session, chain_id: ChainId) -> Sequence[AccountRow]:
    """Every account in every escrow."""
    return session.exec(select(AccountRow).where(col(AccountRow.ledger) == live(chain_id))).all()


def all_fees(session: Session, chain_id: ChainId) -> Sequence[FeesRow]:
    """Every escrow's fees."""
    return session.exec(select(FeesRow).where(col(FeesRow.ledger) == live(chain_id))).all()
