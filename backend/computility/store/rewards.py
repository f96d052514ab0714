"""Rewards behind jobs: the projection of what of providers' stakes vests."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, ChainId
from computility.domain.reward import Reward, RewardRecord
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn
from computility.store.ledgers import live


class RewardRow(SQLModel, table=True):
    """The reward of one provider in one registry, vested as far as at ``since``."""

    __tablename__ = "rewards"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    registry_address: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    address: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    vested: int = Field(sa_column=Column(Amount, nullable=False))
    unvested: int = Field(sa_column=Column(Amount, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    vests_by: int = Field(sa_column=Column(BigInteger, nullable=False))
    staked: int = Field(sa_column=Column(Amount, nullable=False))
    taken: int = Field(sa_column=Column(Amount, nullable=False))
    lost: int = Field(sa_column=Column(Amount, nullable=False))
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> RewardRecord:
        """The row as the domain knows it."""
        reward = Reward(self.vested, self.unvested, self.since, self.vests_by)
        return RewardRecord(reward, self.staked, self.taken, self.lost, self.block)


def rewards_among(
    session: Session, chain_id: ChainId, registry: Address, providers: Collection[Address]
) -> dict[Address, RewardRecord]:
    """The rewards of some providers, of those that ever staked any."""
    query = select(RewardRow).where(
        col(RewardRow.ledger) == live(chain_id),
        col(RewardRow.registry_address) == registry,
        col(RewardRow.address).in_(providers),
    )
    return {Address(row.address): row.record() for row in session.exec(query)}


def all_rewards(session: Session, chain_id: ChainId) -> Sequence[RewardRow]:
    """Every reward in every registry."""
    return session.exec(select(RewardRow).where(col(RewardRow.ledger) == live(chain_id))).all()
