"""Jobs: the projection of the escrow's events, one row a job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, Session, SQLModel, and_, col, func, or_, select

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.terms import Terms
from computility.store.amount import Amount


def _amount() -> Any:
    return Field(default=None, sa_column=Column(Amount, nullable=True))


def _time() -> Any:
    return Field(default=None, sa_column=Column(BigInteger, nullable=True))


class JobRow(SQLModel, table=True):
    """One job. The parties stand beside the terms, to search by."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_opened", "chain_id", "opened_block", "id"),)

    chain_id: str = Field(primary_key=True, max_length=41)
    id: str = Field(primary_key=True, max_length=66)
    generation: int
    buyer: str | None = Field(default=None, max_length=42, index=True)
    provider: str | None = Field(default=None, max_length=42, index=True)
    verifier: str | None = Field(default=None, max_length=42, index=True)
    resource: str | None = Field(default=None, max_length=66, index=True)
    state: int = Field(index=True)
    terms: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON, nullable=True))
    outcome: int | None = None
    closed_by: int | None = None
    fee_bps: int | None = None
    escrow: int | None = _amount()
    from_wallet: int | None = _amount()
    accepted: int = Field(default=0, sa_column=Column(Amount, nullable=False))
    pending: int = Field(default=0, sa_column=Column(Amount, nullable=False))
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
    result: str | None = Field(default=None, max_length=66)
    evidence: str | None = Field(default=None, max_length=66)
    opened_at: int | None = _time()
    opened_block: int | None = _time()
    opened_tx: str | None = Field(default=None, max_length=66)
    closed_at: int | None = _time()
    closed_block: int | None = _time()
    closed_tx: str | None = Field(default=None, max_length=66)

    def record(self) -> JobRecord:
        """The row as the domain knows it."""
        values = {field.name: getattr(self, field.name) for field in fields(JobRecord)}
        values["state"] = JobState(self.state)
        values["outcome"] = None if self.outcome is None else Outcome(self.outcome)
        values["closed_by"] = None if self.closed_by is None else ClosedBy(self.closed_by)
        values["terms"] = None if self.terms is None else Terms.from_json(self.terms)
        return JobRecord(**values)


def find_job(session: Session, chain_id: ChainId, job: Bytes32) -> JobRow | None:
    """A job by its id."""
    return session.get(JobRow, (chain_id, job))


def save_job(session: Session, chain_id: ChainId, generation: int, record: JobRecord) -> None:
    """Write a job's row."""
    values = {field.name: getattr(record, field.name) for field in fields(JobRecord)}
    terms = record.terms
    values["terms"] = terms.to_json() if terms else None
    for name in ("state", "outcome", "closed_by"):
        values[name] = None if values[name] is None else int(values[name])
    session.merge(
        JobRow(
            chain_id=chain_id,
            generation=generation,
            buyer=terms.buyer if terms else None,
            provider=terms.provider if terms else None,
            verifier=terms.verifier if terms else None,
            resource=terms.resource if terms else None,
            **values,
        )
    )


def remove_job(session: Session, chain_id: ChainId, job: Bytes32) -> None:
    """Forget a job whose opening was orphaned."""
    row = find_job(session, chain_id, job)
    if row is not None:
        session.delete(row)


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
    opened = func.coalesce(col(JobRow.opened_block), 0)
    query = select(JobRow).where(col(JobRow.chain_id) == chain_id)
    for column, wanted in ((JobRow.buyer, buyer), (JobRow.provider, provider), (JobRow.verifier, verifier)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if states:
        query = query.where(col(JobRow.state).in_([int(state) for state in states]))
    if before is not None:
        block, identifier = before
        query = query.where(or_(opened < block, and_(opened == block, col(JobRow.id) < identifier)))
    return session.exec(query.order_by(opened.desc(), col(JobRow.id).desc()).limit(limit)).all()


def count_live_jobs(session: Session, chain_id: ChainId, provider: Address, resource: Bytes32 | None = None) -> int:
    """Jobs of a provider that are not closed, of one resource or of all."""
    query = (
        select(func.count())
        .select_from(JobRow)
        .where(
            col(JobRow.chain_id) == chain_id,
            col(JobRow.provider) == provider,
            col(JobRow.state) != int(JobState.CLOSED),
        )
    )
    if resource is not None:
        query = query.where(col(JobRow.resource) == resource)
    return session.exec(query).one()


def all_jobs(session: Session, chain_id: ChainId) -> Sequence[JobRow]:
    """Every job."""
    return session.exec(select(JobRow).where(col(JobRow.chain_id) == chain_id)).all()
