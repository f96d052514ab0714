"""Credit scores: the last change that the chain reported, by account and role. Their history is in the raw logs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.events import ScoreChanged
from computility.domain.identifiers import Address, ChainId
from computility.store.amount import Amount


class ScoreRow(SQLModel, table=True):
    """An account's standing in one role (0 buyer, 1 provider), as it was at ``at``."""

    __tablename__ = "scores"

    chain_id: str = Field(primary_key=True, max_length=41)
    scores: str = Field(primary_key=True, max_length=42)
    account: str = Field(primary_key=True, max_length=42)
    role: int = Field(primary_key=True)
    score_bps: int
    credit: int = Field(sa_column=Column(Amount, nullable=False))
    debit: int = Field(sa_column=Column(Amount, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


def save_score(session: Session, chain_id: ChainId, scores: Address, event: ScoreChanged) -> None:
    """Write the standing that a change led to."""
    session.merge(
        ScoreRow(
            chain_id=chain_id,
            scores=scores,
            account=event.account,
            role=event.role,
            score_bps=event.score_bps,
            credit=event.credit,
            debit=event.debit,
            at=event.at,
        )
    )


def find_score(session: Session, chain_id: ChainId, scores: Address, account: Address, role: int) -> ScoreRow | None:
    """The standing of an account in one role; None without history."""
    return session.get(ScoreRow, (chain_id, scores, account, role))


def remove_score(session: Session, chain_id: ChainId, scores: Address, account: Address, role: int) -> None:
    """Forget a standing whose history was orphaned."""
    row = find_score(session, chain_id, scores, account, role)
    if row is not None:
        session.delete(row)


def all_scores(session: Session, chain_id: ChainId) -> Sequence[ScoreRow]:
    """Every standing."""
    return session.exec(select(ScoreRow).where(col(ScoreRow.chain_id) == chain_id)).all()
