"""Credit scores by account and role, folded from the jobs that closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.score_slot import ScoreSlot
from computility.domain.standing import Standing
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.ledgers import live


class ScoreRow(SQLModel, table=True):
    """An account's standing in one role (0 buyer, 1 provider), with an escrow. ``word`` is the contract's, in hex."""

    __tablename__ = "scores"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    role: int = Field(primary_key=True)
    escrow: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    word: str = Field(sa_column=Column(HashColumn, nullable=False))
    job: str = Field(sa_column=Column(HashColumn, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> Standing:
        """The row as the domain knows it."""
        return Standing(ScoreSlot.from_word(int(self.word, 16)), Bytes32(self.job), self.at)


def standings_among(
    session: Session, chain_id: ChainId, escrow: Address, accounts: Collection[Address], role: int
) -> dict[Address, Standing]:
    """The standings of some accounts in one role, of those with a history."""
    query = select(ScoreRow).where(
        col(ScoreRow.ledger) == live(chain_id),
        col(ScoreRow.account).in_(accounts),
        col(ScoreRow.role) == role,
        col(ScoreRow.escrow) == escrow,
    )
    return {Address(row.account): row.record() for row in session.exec(query)}


def all_scores(session: Session, chain_id: ChainId) -> Sequence[ScoreRow]:
    """Every standing."""
    return session.exec(select(ScoreRow).where(col(ScoreRow.ledger) == live(chain_id))).all()
