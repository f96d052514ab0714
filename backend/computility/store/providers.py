"""Providers: the projection of the registries' events."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field, Session, SQLModel, col, select

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.provider import ProviderRecord
from computility.store.amount import Amount


class ProviderRow(SQLModel, table=True):
    """One provider in one registry."""

    __tablename__ = "providers"

    chain_id: str = Field(primary_key=True, max_length=41)
    registry_address: str = Field(primary_key=True, max_length=42)
    address: str = Field(primary_key=True, max_length=42)
    stake: int = Field(sa_column=Column(Amount, nullable=False))
    registered_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    exit_requested_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    exited_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    resources: list[str] = Field(sa_column=Column(JSON, nullable=False))

    def record(self) -> ProviderRecord:
        """The row as the domain knows it."""
        return ProviderRecord(
            address=Address(self.address),
            stake=self.stake,
            registered_at=self.registered_at,
            exit_requested_at=self.exit_requested_at,
            exited_at=self.exited_at,
            resources=tuple(Bytes32(resource) for resource in self.resources),
        )


def find_provider(session: Session, chain_id: ChainId, registry: Address, address: Address) -> ProviderRow | None:
    """A provider by its address."""
    return session.get(ProviderRow, (chain_id, registry, address))


def save_provider(session: Session, chain_id: ChainId, registry: Address, record: ProviderRecord) -> None:
    """Write a provider's row."""
    session.merge(
        ProviderRow(
            chain_id=chain_id,
            registry_address=registry,
            address=record.address,
            stake=record.stake,
            registered_at=record.registered_at,
            exit_requested_at=record.exit_requested_at,
            exited_at=record.exited_at,
            resources=list(record.resources),
        )
    )


def remove_provider(session: Session, chain_id: ChainId, registry: Address, address: Address) -> None:
    """Forget a provider whose registration was orphaned."""
    row = find_provider(session, chain_id, registry, address)
    if row is not None:
        session.delete(row)


def page_of_providers(
    session: Session, chain_id: ChainId, registry: Address, *, after: str | None, limit: int
) -> Sequence[ProviderRow]:
    """Providers of one registry, by address."""
    query = select(ProviderRow).where(
        col(ProviderRow.chain_id) == chain_id, col(ProviderRow.registry_address) == registry
    )
    if after is not None:
        query = query.where(col(ProviderRow.address) > after)
    return session.exec(query.order_by(col(ProviderRow.address)).limit(limit)).all()


def all_providers(session: Session, chain_id: ChainId) -> Sequence[ProviderRow]:
    """Every provider in every registry."""
    return session.exec(select(ProviderRow).where(col(ProviderRow.chain_id) == chain_id)).all()
