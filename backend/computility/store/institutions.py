"""Committees, panels, disputes and timelocks: the projections of their events, and their queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, Session, SQLModel, col, select, tuple_

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.institutions import (
    DisputeRecord,
    DisputeStatus,
    MemberRecord,
    OperationRecord,
    RoleRecord,
    Seat,
    VoteRecord,
)
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.ledgers import live


class MemberRow(SQLModel, table=True):
    """A member of a committee or a panel (``institution``)."""

    __tablename__ = "members"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    institution: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    named: bool
    seat: int
    place: int | None = None
    stake: int = Field(sa_column=Column(Amount, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    fees_withdrawn: int = Field(sa_column=Column(Amount, nullable=False))
    lost: int = Field(sa_column=Column(Amount, nullable=False))
    votes: int
    missed: int
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> MemberRecord:
        """The row as the domain knows it."""
        return MemberRecord(
            account=Address(self.account),
            named=self.named,
            seat=Seat(self.seat),
            place=self.place,
            stake=self.stake,
            since=self.since,
            fees_withdrawn=self.fees_withdrawn,
            lost=self.lost,
            votes=self.votes,
            missed=self.missed,
            block=self.block,
        )


class DisputeRow(SQLModel, table=True):
    """A dispute before a panel; ``id`` is its number in 32 bytes."""

    __tablename__ = "disputes"
    __table_args__ = (
        Index("ix_disputes_listed", "ledger", "opened_at", "institution", "id"),
        Index("ix_disputes_of_job", "ledger", "job", "opened_at", "institution", "id"),
        {"sqlite_with_rowid": False},
    )

    ledger: int = Field(primary_key=True)
    institution: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    id: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    job: str = Field(sa_column=Column(HashColumn, nullable=False))
    status: int
    rounds: int
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    commit_by: int = Field(sa_column=Column(BigInteger, nullable=False))
    reveal_by: int = Field(sa_column=Column(BigInteger, nullable=False))
    appeal_by: int = Field(sa_column=Column(BigInteger, nullable=False))
    seats_drawn: int
    commitments: int
    votes: int
    evidence: int
    penalties: int = Field(sa_column=Column(Amount, nullable=False))
    units: int | None = Field(default=None, sa_column=Column(Amount, nullable=True))
    slash_bps: int | None = None
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> DisputeRecord:
        """The row as the domain knows it."""
        return DisputeRecord(
            id=int.from_bytes(self.id, "big"),
            job=Bytes32(self.job),
            status=DisputeStatus(self.status),
            rounds=self.rounds,
            opened_at=self.opened_at,
            ended_at=self.ended_at,
            commit_by=self.commit_by,
            reveal_by=self.reveal_by,
            appeal_by=self.appeal_by,
            seats_drawn=self.seats_drawn,
            commitments=self.commitments,
            votes=self.votes,
            evidence=self.evidence,
            penalties=self.penalties,
            units=self.units,
            slash_bps=self.slash_bps,
            block=self.block,
        )


class VoteRow(SQLModel, table=True):
    """What one arbiter did in one round of a dispute."""

    __tablename__ = "dispute_votes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    institution: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    dispute: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    round: int = Field(primary_key=True)
    arbiter: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    committed_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    revealed_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    units: int | None = Field(default=None, sa_column=Column(Amount, nullable=True))
    slash_bps: int | None = None
    penalty: int = Field(sa_column=Column(Amount, nullable=False))
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> VoteRecord:
        """The row as the domain knows it."""
        return VoteRecord(self.committed_at, self.revealed_at, self.units, self.slash_bps, self.penalty, self.block)


class OperationRow(SQLModel, table=True):
    """An operation of a timelock; ``calls`` are pairs of target and calldata."""

    __tablename__ = "operations"
    __table_args__ = (
        Index("ix_operations_listed", "ledger", "scheduled_at", "institution", "id"),
        {"sqlite_with_rowid": False},
    )

    ledger: int = Field(primary_key=True)
    institution: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    id: str = Field(sa_column=Column(HashColumn, primary_key=True))
    calls: list[list[str]] = Field(sa_column=Column(JSON, nullable=False))
    scheduled_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ready_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    executed_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    cancelled_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> OperationRecord:
        """The row as the domain knows it."""
        return OperationRecord(
            id=Bytes32(self.id),
            calls=tuple((target, data) for target, data in self.calls),
            scheduled_at=self.scheduled_at,
            ready_at=self.ready_at,
            executed_at=self.executed_at,
            cancelled_at=self.cancelled_at,
            block=self.block,
        )


class RoleRow(SQLModel, table=True):
    """Whether an account has a role of a timelock (``institution``)."""

    __tablename__ = "timelock_roles"
    __table_args__ = ({"sqlite_with_rowid": False},)

    ledger: int = Field(primary_key=True)
    institution: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    role: str = Field(sa_column=Column(HashColumn, primary_key=True))
    account: str = Field(sa_column=Column(AddressColumn, primary_key=True))
    held: bool
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    by: str = Field(sa_column=Column(AddressColumn, nullable=False))
    block: int = Field(sa_column=Column(BigInteger, nullable=False))

    def record(self) -> RoleRecord:
        """The row as the domain knows it."""
        return RoleRecord(
            Bytes32(self.role), Address(self.account), self.held, self.since, Address(self.by), self.block
        )


def page_of_members(
    session: Session, chain_id: ChainId, institution: Address, *, after: str | None, limit: int
) -> Sequence[MemberRow]:
    """Members of one institution, by the number that their address is."""
    query = select(MemberRow).where(col(MemberRow.ledger) == live(chain_id), col(MemberRow.institution) == institution)
    if after is not None:
        query = query.where(col(MemberRow.account) > after)
    return session.exec(query.order_by(col(MemberRow.account)).limit(limit)).all()


def page_of_disputes(
    session: Session,
    chain_id: ChainId,
    *,
    job: Bytes32 | None = None,
    statuses: Collection[DisputeStatus] = (),
    before: tuple[int, str, bytes] | None = None,
    limit: int,
) -> Sequence[DisputeRow]:
    """Disputes, the newest first."""
    listed = (col(DisputeRow.opened_at), col(DisputeRow.institution), col(DisputeRow.id))
    query = select(DisputeRow).where(col(DisputeRow.ledger) == live(chain_id))
    if job is not None:
        query = query.where(col(DisputeRow.job) == job)
    if statuses:
        query = query.where(col(DisputeRow.status).in_([int(status) for status in statuses]))
    if before is not None:
        opened_at, institution, identifier = before
        query = query.where(tuple_(*listed) < tuple_(opened_at, bytes.fromhex(institution[2:]), identifier))
    return session.exec(query.order_by(*(column.desc() for column in listed)).limit(limit)).all()


def find_dispute(session: Session, chain_id: ChainId, institution: Address, number: int) -> DisputeRow | None:
    """A dispute by its number."""
    query = select(DisputeRow).where(
        col(DisputeRow.ledger) == live(chain_id),
        col(DisputeRow.institution) == institution,
        col(DisputeRow.id) == number.to_bytes(32, "big"),
    )
    return session.exec(query).first()


def votes_of(session: Session, chain_id: ChainId, institution: Address, dispute: bytes) -> Sequence[VoteRow]:
    """Every vote of a dispute, by round and arbiter: as many as seats were drawn, 127 a round at most."""
    query = select(VoteRow).where(
        col(VoteRow.ledger) == live(chain_id),
        col(VoteRow.institution) == institution,
        col(VoteRow.dispute) == dispute,
    )
    return session.exec(query.order_by(col(VoteRow.round), col(VoteRow.arbiter))).all()


def page_of_operations(
    session: Session, chain_id: ChainId, *, before: tuple[int, str, str] | None = None, limit: int
) -> Sequence[OperationRow]:
    """Operations of all timelocks, those that were scheduled last first."""
    listed = (col(OperationRow.scheduled_at), col(OperationRow.institution), col(OperationRow.id))
    query = select(OperationRow).where(col(OperationRow.ledger) == live(chain_id))
    if before is not None:
        scheduled_at, institution, identifier = before
        query = query.where(
            tuple_(*listed) < tuple_(scheduled_at, bytes.fromhex(institution[2:]), bytes.fromhex(identifier[2:]))
        )
    return session.exec(query.order_by(*(column.desc() for column in listed)).limit(limit)).all()


def page_of_roles(
    session: Session, chain_id: ChainId, *, after: tuple[str, str, str] | None = None, limit: int
) -> Sequence[RoleRow]:
    """Roles of all timelocks, by timelock, role and account."""
    listed = (col(RoleRow.institution), col(RoleRow.role), col(RoleRow.account))
    query = select(RoleRow).where(col(RoleRow.ledger) == live(chain_id))
    if after is not None:
        query = query.where(tuple_(*listed) > tuple_(*(bytes.fromhex(part[2:]) for part in after)))
    return session.exec(query.order_by(*listed).limit(limit)).all()


def all_members(session: Session, chain_id: ChainId) -> Sequence[MemberRow]:
    """Every member of every institution."""
    return session.exec(select(MemberRow).where(col(MemberRow.ledger) == live(chain_id))).all()


def all_disputes(session: Session, chain_id: ChainId) -> Sequence[DisputeRow]:
    """Every dispute."""
    return session.exec(select(DisputeRow).where(col(DisputeRow.ledger) == live(chain_id))).all()


def all_votes(session: Session, chain_id: ChainId) -> Sequence[VoteRow]:
    """Every vote."""
    return session.exec(select(VoteRow).where(col(VoteRow.ledger) == live(chain_id))).all()


def all_operations(session: Session, chain_id: ChainId) -> Sequence[OperationRow]:
    """Every operation."""
    return session.exec(select(OperationRow).where(col(OperationRow.ledger) == live(chain_id))).all()


def all_roles(session: Session, chain_id: ChainId) -> Sequence[RoleRow]:
    """Every role that was ever granted."""
    return session.exec(select(RoleRow).where(col(RoleRow.ledger) == live(chain_id))).all()
