"""Committees, panels, disputes and timelocks in the API's words."""

from __future__ import annotations

from typing import Any

from computility.api.schemas.institutions import (
    DisputePage,
    DisputeRow,
    DisputeWithVotes,
    MemberPage,
    MemberRow,
    OperationCall,
    OperationPage,
    OperationRow,
    RolePage,
    RoleRow,
    VoteRow,
)
from computility.services.pages import PageOf
from computility.services.stored_institutions import Dispute, HeldRole, Member, Operation, Vote


def member_page(page: PageOf[Member]) -> MemberPage:
    """One page of members."""
    return MemberPage(items=[_member(found) for found in page.items], next=page.next)


def dispute_page(page: PageOf[Dispute]) -> DisputePage:
    """One page of disputes."""
    return DisputePage(items=[DisputeRow(**_dispute(found)) for found in page.items], next=page.next)


def dispute_with_votes(found: Dispute) -> DisputeWithVotes:
    """One dispute, with its votes."""
    return DisputeWithVotes(**_dispute(found), votes=[_vote(vote) for vote in found.votes])


def operation_page(page: PageOf[Operation]) -> OperationPage:
    """One page of operations."""
    return OperationPage(items=[_operation(found) for found in page.items], next=page.next)


def role_page(page: PageOf[HeldRole]) -> RolePage:
    """One page of roles."""
    return RolePage(items=[_role(found) for found in page.items], next=page.next)


def _member(found: Member) -> MemberRow:
    record = found.record
    return MemberRow(
        institution=found.institution,
        account=record.account,
        named=record.named,
        seat=record.seat.name.lower(),
        place=record.place,
        stake=str(record.stake),
        since=record.since,
        fees_withdrawn=str(record.fees_withdrawn),
        lost=str(record.lost),
        votes=record.votes,
        missed=record.missed,
        confirmation=found.confirmation,
    )


def _dispute(found: Dispute) -> dict[str, Any]:
    record = found.record
    return {
        "institution": found.institution,
        "id": str(record.id),
        "job": record.job,
        "status": record.status.name.lower(),
        "rounds": record.rounds,
        "opened_at": record.opened_at,
        "ended_at": record.ended_at,
        "commit_by": record.commit_by,
        "reveal_by": record.reveal_by,
        "appeal_by": record.appeal_by,
        "seats_drawn": record.seats_drawn,
        "commitments": record.commitments,
        "votes_revealed": record.votes,
        "evidence": record.evidence,
        "penalties": str(record.penalties),
        "units": _text(record.units),
        "slash_bps": record.slash_bps,
        "confirmation": found.confirmation,
    }


def _vote(found: Vote) -> VoteRow:
    record = found.record
    return VoteRow(
        round=found.round,
        arbiter=found.arbiter,
        committed_at=record.committed_at,
        revealed_at=record.revealed_at,
        units=_text(record.units),
        slash_bps=record.slash_bps,
        penalty=str(record.penalty),
        confirmation=found.confirmation,
    )


def _operation(found: Operation) -> OperationRow:
    record = found.record
    return OperationRow(
        institution=found.institution,
        id=record.id,
        status=record.status,
        calls=[OperationCall(target=target, data=data) for target, data in record.calls],
        scheduled_at=record.scheduled_at,
        ready_at=record.ready_at,
        executed_at=record.executed_at,
        cancelled_at=record.cancelled_at,
        confirmation=found.confirmation,
    )


def _role(found: HeldRole) -> RoleRow:
    record = found.record
    return RoleRow(
        institution=found.institution,
        role=record.role,
        name=record.name,
        account=record.account,
        held=record.held,
        since=record.since,
        by=record.by,
        confirmation=found.confirmation,
    )


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
