"""Jobs: the projection of the escrow's events, one row a job."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, literal, text
from sqlmodel import Field, Session, SQLModel, col, func, select, tuple_

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import JobRecord, JobState
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.job_at_rest import job_record, unpacked_row
from computility.store.ledgers import live

_IDS_AT_ONCE: Final = 400
_IS_LIVE: Final = f"state <> {int(JobState.CLOSED)}"
"""In the words of the partial indexes, so that the planner sees that they answer."""


class JobRow(SQLModel, table=True):
    """One job: what it is searched by, and everything else in ``packed``. ``listed_block`` is where it opened, 0 for one that never did;
    ``event_places`` say where in the ledger its events are (``job_at_rest``).
    """

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
    packed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    event_places: bytes = Field(sa_column=Column(LargeBinary, nullable=False))

    def record(self) -> JobRecord:
        """The row as the domain knows it."""
        # Only what the record has is looked at: where it is found does not matter to it.
        places = self.ledger, bytes.fromhex(self.id[2:]), self.generation, *[None] * 4, self.listed_block, self.state
        return job_record(unpacked_row((*places, self.packed, b"")))


def find_job(session: Session, chain_id: ChainId, job: Bytes32) -> JobRow | None:
    """A job by its id."""
    return session.exec(select(JobRow).where(col(JobRow.ledger) == live(chain_id), col(JobRow.id) == job)).first()


def jobs_among(session: Session, chain_id: ChainId, wanted: Iterable[Bytes32]) -> dict[str, JobRow]:
    """Those of some jobs that are known, by their ids: a query for some hundred of them."""
    found: dict[str, JobRow] = {}
    left = iter(sorted(wanted))
    while some := list(itertools.islice(left, _IDS_AT_ONCE)):
        query = select(JobRow).where(col(JobRow.ledger) == live(chain_id), col(JobRow.id).in_(some))
        found |= {row.id: row for row in session.exec(query)}
    return found


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


def live_jobs_of(
    session: Session, chain_id: ChainId, providers: Collection[Address]
) -> dict[tuple[Address, Bytes32], int]:
    """How many jobs of some providers are not closed, by provider and resource; none is left out."""
    query = (
        select(JobRow.provider, JobRow.resource, func.count())
        .where(col(JobRow.ledger) == live(chain_id), col(JobRow.provider).in_(providers), text(_IS_LIVE))
        .group_by(col(JobRow.provider), col(JobRow.resource))
    )
    found = session.exec(query)
    return {
        (Address(provider), Bytes32(resource)): count for provider, resource, count in found if provider and resource
    }


def all_jobs(session: Session, chain_id: ChainId) -> Sequence[JobRow]:
    """Every job."""
    return session.exec(select(JobRow).where(col(JobRow.ledger) == live(chain_id))).all()
