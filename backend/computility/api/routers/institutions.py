"""The institutions around the trades: the committee of verifiers, the panel of arbiters, disputes, and what the timelock has scheduled."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.presenters.institutions import (
    dispute_page,
    dispute_with_votes,
    member_page,
    operation_page,
    role_page,
)
from computility.api.problems import problems
from computility.api.schemas.institutions import (
    DisputePage,
    DisputeStatus,
    DisputeWithVotes,
    MemberPage,
    OperationPage,
    RolePage,
)
from computility.api.schemas.wire import Bytes32
from computility.domain.identifiers import parse_bytes32
from computility.domain.institutions import DisputeStatus as Status

router = APIRouter(tags=["institutions"])


@router.get("/committee", responses=problems(404, 422))
def list_committee(node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> MemberPage:
    """Everybody who was ever named, joined or left the newest committee of verifiers, by address."""
    return member_page(node.institutions.members("VerifierCommittee", limit=limit, cursor=cursor))


@router.get("/arbiters", responses=problems(404, 422))
def list_arbiters(node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> MemberPage:
    """Everybody who was ever named, joined or left the newest panel of arbiters, by address."""
    return member_page(node.institutions.members("Arbitration", limit=limit, cursor=cursor))


@router.get("/disputes", responses=problems(422))
def list_disputes(
    node: RunningNode,
    job: Annotated[Bytes32 | None, Query(description="Only the dispute of this job.")] = None,
    status: Annotated[list[DisputeStatus] | None, Query(description="Only disputes in one of these states.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DisputePage:
    """Disputes that were brought before panels, the newest first."""
    found = node.institutions.disputes(
        job=parse_bytes32(job) if job else None,
        statuses=[Status[name.upper()] for name in status or []],
        limit=limit,
        cursor=cursor,
    )
    return dispute_page(found)


@router.get("/disputes/{dispute_id}", responses=problems(404, 422))
def get_dispute(
    dispute_id: Annotated[int, Path(ge=1, le=2**53 - 1, description="The newest panel's number of it.")],
    node: RunningNode,
) -> DisputeWithVotes:
    """One dispute before the newest panel, with what each arbiter did in each round."""
    return dispute_with_votes(node.institutions.dispute(dispute_id))


@router.get("/operations", responses=problems(422))
def list_operations(node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> OperationPage:
    """What was scheduled with the timelock that owns every parameter: changes in waiting, done and called off."""
    return operation_page(node.institutions.operations(limit=limit, cursor=cursor))


@router.get("/roles", responses=problems(422))
def list_roles(node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> RolePage:
    """Who may schedule, cancel and execute changes of the timelock, and who may grant that: every grant that was ever made, and what became of it."""
    return role_page(node.institutions.roles(limit=limit, cursor=cursor))
