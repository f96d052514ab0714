"""Jobs: the projection of the escrow's events, one row a job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, literal, text
from sqlmodel import Field, Session, SQLModel, col, func, select, tuple_

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.terms import Terms
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn, TermsColumn
from computility.store.ledgers import live

_IS_LIVE: Final = f"state <> {int(JobState.CLOSED)}"
"""In the words of the partial indexes, so that the planner sees that they answer."""


def _hash() -> Any:
    return Field(default=None, sa_column=Column(HashColumn, nullable=True))


def _amount() -> Any:
    return Field(default=None, sa_column=Column(Amount, nullable=True))


def _time() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, nullable=True))


class JobRow(SQLModel, table=True):
    """One job. The parties stand beside the terms, to search by; ``listed_block`` is where it opened, 0 for one that never did."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_listed", "ledger", "listed_block", "id"),
        Index("ix_jobs_buyer", "ledger", "buyer", "listed_block", "id"),
        Index("ix_jobs_provider", "ledger", "provider", "listed_block", "id"),
        Index("ix_jobs_verifier", "ledger", "verifier", "listed_block", "id"),
        Index(
            "ix_jobs_live", "ledger", "listed_block", "id", sqlite_where=text(_IS_LIVE), postgresql_where=text(_IS_LIVE)
        ),
        Index(
            "ix_jobs_live_of",
            "ledger",
            "provider",
            "resource",
            sqlite_where=text(_IS_LIVE),
            postgresql_where=text(_IS_LIVE),
        ),
    )

    ledger: int = Field(primary_key=True)
    id: str = Field(sa_column=Column(HashColumn, primary_key=True))
    generation: int
    buyer: str | None = Field(default=None, sa_column=Column(AddressColumn, nullable=True))
    provider: str | None = Field(default=None, sa_column=Column(AddressColumn, nullable=True))
    verifier: str | None = Field(default=None, sa_column=Column(AddressColumn, nullable=True))
    resource: str | None = Field(default=None, sa_column=Column(HashColumn, nullable=True))
    listed_block: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: int
    terms: Terms | None = Field(default=None, sa_column=Column(TermsColumn, nullable=True))
    outcome: int | None = None
    closed_by: int | None = None
    fee_bps: int | None = None
    escrow: int | None = _amount()
    from_wallet: int | None = _amount()
    accepted: int = Field(default=0, sa_column=Column(Amount, nullable=False))
    pending: int = Field(default=0, sa_column=Column(Amount, nullable=False))
    quality_bps: int
    deadline: int | None = _time()
    units: int | None = _amount()
    provider_paid: int | None = _amount()
    fee: int | None = _amount()
    refund: int | None = _amount()
    verifier_paid: int | None = _amount()
    arbiter_from_escrow: int | None = _amount()
    arbiter_from_bond: int | None = _amount()
    bond_returned: int | None = _amount()
    bond_to_buyer: int | None = _amount()
    bond_to_treasury: int | None = _amount()
    to_wallet: int | None = _amount()
    slash_bps: int | None = None
    cost_bps: int | None = None
    result: str | None = _hash()
    evidence: str | None = _hash()
    opened_at: int | None = _time()
    opened_block: int | None = _time()
    opened_tx: str | None = _hash()
    closed_at: int | None = _time()
    closed_block: int | None = _time()
    closed_tx: str | None = _hash()

    def record(self) -> JobRecord:
        """The row as the domain knows it."""
        values = {field.name: getattr(self, field.name) for field in fields(JobRecord)}
        values["state"] = JobState(self.state)
        values["outcome"] = None if self.outcome is None else Outcome(self.outcome)
        values["closed_by"] = None if self.closed_by is None else ClosedBy(self.closed_by)
        return JobRecord(**values)


def find_job(session: Session, chain_id: ChainId, job: Bytes32) -> JobRow | None:
    """A job by its id."""
    return session.exec(select(JobRow).where(col(JobRow.ledger) == live(chain_id), col(JobRow.id) == job)).first()


def page_of_jobs(
    session: Session,
    chain_id: ChainId,
    *,
    buyer: Address | None = None,
    provider: Address | None = None,
    verifier: Address | None = None,
    states: Collection[JobState] = (),
    before: tuple[int, str] | None = None,
    limit: int,
) -> Sequence[JobRow]:
    """Jobs, the newest first. Those that never opened come last."""
    listed = col(JobRow.listed_block)
    query = select(JobRow).where(col(JobRow.ledger) == live(chain_id))
    for column, wanted in ((JobRow.buyer, buyer), (JobRow.provider, provider), (JobRow.verifier, verifier)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if states:
        query = query.where(col(JobRow.state).in_([int(state) for state in states]))
        if JobState.CLOSED not in states:
            query = query.where(text(_IS_LIVE))
    if before is not None:
        block, identifier = before
        query = query.where(tuple_(listed, col(JobRow.id)) < tuple_(literal(block), literal(identifier, HashColumn)))
    return session.exec(query.order_by(listed.desc(), col(JobRow.id).desc()).limit(limit)).all()


def count_live_jobs(session: Session, chain_id: ChainId, provider: Address, resource: Bytes32 | None = None) -> int:
    """Jobs of a provider that are not closed, of one resource or of all."""
    query = (
        select(func.count())
        .select_from(JobRow)
        .where(
            col(JobRow.ledger) == live(chain_id),
            col(JobRow.provider) == provider,
            text(_IS_LIVE),
        )
    )
    if resource is not None:
        query = query.where(col(JobRow.resource) == resource)
    return session.exec(query).one()


def all_jobs(session: Session, chain_id: ChainId) -> Sequence[JobRow]:
    """Every job."""
    return session.exec(select(JobRow).where(col(JobRow.ledger) == live(chain_id))).all()
