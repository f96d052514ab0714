"""Credit scores: the last change that the chain reported, by account and role. Their history is in the raw logs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, ChainId
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn
from computility.store.ledgers import live


class ScoreRow(SQLModel, table=True):
    """An account's standing in one role (0 buyer, 1 provider), as it was at ``at``."""

    __tablename__ = "scores"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    role: int = Field(primary_key=True)
    scores: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    score_bps: int
    credit: int = Field(sa_column=Column(Amount, nullable=False))
    debit: int = Field(sa_column=Column(Amount, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


def find_score(session: Session, chain_id: ChainId, scores: Address, account: Address, role: int) -> ScoreRow | None:
    """The standing of an account in one role; None without history."""
    return session.exec(
        select(ScoreRow).where(
            col(ScoreRow.ledger) == live(chain_id),
            col(ScoreRow.account) == account,
            col(ScoreRow.role) == role,
            col(ScoreRow.scores) == scores,
        )
    ).first()


def all_scores(session: Session, chain_id: ChainId) -> Sequence[ScoreRow]:
    """Every standing."""
    return session.exec(select(ScoreRow).where(col(ScoreRow.ledger) == live(chain_id))).all()
