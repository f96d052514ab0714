"""Providers: the projection of the registries' events."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import JSON, BigInteger, Boolean, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.provider import ProviderRecord
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn
from computility.store.ledgers import live


class ProviderRow(SQLModel, table=True):
    """One provider in one registry."""

    __tablename__ = "providers"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    registry_address: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    address: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    stake: int = Field(sa_column=Column(Amount, nullable=False))
    registered_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    exit_requested_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    exited_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    resources: list[str] = Field(sa_column=Column(JSON, nullable=False))
    reserved: int = Field(sa_column=Column(Amount, nullable=False))
    suspended: bool = Field(sa_column=Column(Boolean, nullable=False))

    def record(self) -> ProviderRecord:
        """The row as the domain knows it."""
        return ProviderRecord(
            address=Address(self.address),
            stake=self.stake,
            registered_at=self.registered_at,
            exit_requested_at=self.exit_requested_at,
            exited_at=self.exited_at,
            resources=tuple(Bytes32(resource) for resource in self.resources),
            reserved=self.reserved,
            suspended=self.suspended,
        )


def providers_among(
    session: Session, chain_id: ChainId, registry: Address, addresses: Collection[Address]
) -> Sequence[ProviderRow]:
    """Those of some accounts that are providers."""
    query = select(ProviderRow).where(
        col(ProviderRow.ledger) == live(chain_id),
        col(ProviderRow.registry_address) == registry,
        col(ProviderRow.address).in_(addresses),
    )
    return session.exec(query).all()


def page_of_providers(
    session: Session, chain_id: ChainId, registry: Address, *, after: str | None, limit: int
) -> Sequence[ProviderRow]:
    """Providers of one registry, by the number that their address is."""
    query = select(ProviderRow).where(
        col(ProviderRow.ledger) == live(chain_id), col(ProviderRow.registry_address) == registry
    )
    if after is not None:
        query = query.where(col(ProviderRow.address) > after)
    return session.exec(query.order_by(col(ProviderRow.address)).limit(limit)).all()


def all_providers(session: Session, chain_id: ChainId) -> Sequence[ProviderRow]:
    """Every provider in every registry."""
    return session.exec(select(ProviderRow).where(col(ProviderRow.ledger) == live(chain_id))).all()
