"""Every event, and whether the store agrees with the chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.presenters.job import event_page
from computility.api.problems import problems
from computility.api.schemas.job import EventPage
from computility.api.schemas.node import Alerts, AuditReport
from computility.api.schemas.wire import Address

router = APIRouter(tags=["audit"])


@router.get("/events", responses=problems(422))
def list_events(
    node: RunningNode,
    name: Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z]+$", examples=["JobClosed"])] = None,
    account: Annotated[Address | None, Query(description="Only events that name this account.")] = None,
    from_block: Annotated[int | None, Query(ge=0, le=2**53 - 1, description="Not before this block.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> EventPage:
    """Events of all contracts and generations, the newest first."""
    found = node.trades.events(name=name, account=account, from_block=from_block, limit=limit, cursor=cursor)
    return event_page(found)


@router.get("/audit", responses=problems(429, 503))
def audit(node: RunningNode) -> AuditReport:
    """Replay the chain from its own events and compare every row of the store with it. Slow on a long chain."""
    return AuditReport.model_validate(node.audit())


@router.get("/audit/alerts", responses=problems(503))
def alerts(node: RunningNode) -> Alerts:
    """What the surveillance rules suspect in the node's ledger, each with the jobs that are its evidence. A suspicion is no verdict."""
    return Alerts.model_validate(node.suspicions.alerts())
