"""Metered leases: the readings of their meters, and the buyers' contests. What a buyer co-signs is an attestation."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.problems import problems
from computility.api.routers.jobs import JobIdPath
from computility.api.schemas.job import MeterContestPage, MeterReadingPage
from computility.api.schemas.statements import (
    MeterContestStatement,
    MeterReadingStatement,
    SignedMeterContest,
    SignedMeterReading,
)
from computility.api.statement_exchange import answer_with, answers, incoming, outgoing
from computility.domain.statements import StatementKind

router = APIRouter(tags=["leases"])

After = Annotated[
    int, Query(ge=0, le=2**32 - 1, description="Only readings that follow the one of this number; 0 for all")
]


@router.post(
    "/meter-readings",
    status_code=201,
    responses=answers(MeterReadingStatement, 404, 409, 413, 422, 429, 503),
)
def publish_meter_reading(signed: SignedMeterReading, node: RunningNode, response: Response) -> MeterReadingStatement:
    """The provider of a lease reads its meter. Each reading follows the one before it."""
    return answer_with(node.order_book.accept_reading(incoming(signed)), MeterReadingStatement, response)


@router.post(
    "/meter-contests",
    status_code=201,
    responses=answers(MeterContestStatement, 404, 409, 413, 422, 429, 503),
)
def publish_meter_contest(signed: SignedMeterContest, node: RunningNode, response: Response) -> MeterContestStatement:
    """The buyer of a lease does not believe a reading."""
    return answer_with(node.order_book.accept_contest(incoming(signed)), MeterContestStatement, response)


@router.get("/jobs/{job_id}/meter-readings", responses=problems(404, 422))
def list_meter_readings(
    job_id: JobIdPath, node: RunningNode, limit: Limit = 50, cursor: Cursor = None, after: After = 0
) -> MeterReadingPage:
    """The meter of a lease, in the order of its readings."""
    page = node.trades.meter(job_id, StatementKind.METER_READING, limit=limit, cursor=cursor, after=after)
    return MeterReadingPage(items=[outgoing(entry, MeterReadingStatement) for entry in page.items], next=page.next)


@router.get("/jobs/{job_id}/meter-contests", responses=problems(404, 422))
def list_meter_contests(
    job_id: JobIdPath, node: RunningNode, limit: Limit = 50, cursor: Cursor = None
) -> MeterContestPage:
    """What the buyer of a lease does not believe of its meter."""
    page = node.trades.meter(job_id, StatementKind.METER_CONTEST, limit=limit, cursor=cursor)
    return MeterContestPage(items=[outgoing(entry, MeterContestStatement) for entry in page.items], next=page.next)
