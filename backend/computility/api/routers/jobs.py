"""Jobs: their rows, their events, what was submitted and attested, and what they produced."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sse_starlette.sse import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from computility.api.dependencies import Cursor, Limit, RunningNode, Wait
from computility.api.job_stream import job_stream
from computility.api.long_poll import poll
from computility.api.presenters.job import (
    attestation_page,
    challenge_page,
    event_page,
    job_outputs,
    job_page,
    job_row,
    submission_page,
)
from computility.api.problems import problems
from computility.api.schemas.job import (
    AttestationPage,
    ChallengePage,
    EventPage,
    JobOutputs,
    JobPage,
    JobRow,
    JobState,
    SubmissionPage,
)
from computility.api.schemas.statements import (
    AttestationStatement,
    ChallengeStatement,
    SignedAttestation,
    SignedChallenge,
    SignedSubmission,
    SubmissionStatement,
)
from computility.api.schemas.wire import Address, Bytes32
from computility.api.statement_exchange import answer_with, answers, incoming
from computility.services.order_book import JOBS_TOPIC

router = APIRouter(tags=["jobs"])

JobIdPath = Annotated[Bytes32, Path(description="The job's id.")]


@router.get("/jobs", responses=problems(422, 503))
async def list_jobs(
    request: Request,
    node: RunningNode,
    buyer: Annotated[Address | None, Query()] = None,
    provider: Annotated[Address | None, Query()] = None,
    verifier: Annotated[Address | None, Query()] = None,
    state: Annotated[list[JobState] | None, Query(description="Only jobs in one of these states.")] = None,
    wait: Wait = 0,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JobPage:
    """Jobs, the newest first. With ``wait`` an empty answer is held back until there is one."""

    def found() -> JobPage:
        page = node.trades.jobs(
            buyer=buyer, provider=provider, verifier=verifier, states=state or [], limit=limit, cursor=cursor
        )
        return job_page(page, node.deployments.chain_id)

    async def look() -> JobPage:
        return await run_in_threadpool(found)

    return await poll(request, node.feed, JOBS_TOPIC, look, lambda page: bool(page.items), wait)


@router.get("/jobs/{job_id}", responses=problems(404, 422))
def get_job(job_id: JobIdPath, node: RunningNode) -> JobRow:
    """One job."""
    return job_row(node.trades.job(job_id), node.deployments.chain_id)


@router.get("/jobs/{job_id}/events", responses=problems(404, 422))
def list_job_events(job_id: JobIdPath, node: RunningNode, limit: Limit = 200, cursor: Cursor = None) -> EventPage:
    """Every event behind a job, in the order of the chain."""
    return event_page(node.trades.job_events(job_id, limit=limit, cursor=cursor))


@router.get(
    "/jobs/{job_id}/stream",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "Server-sent events: `job`, with the job's row, now and on every change",
            "content": {
                "text/event-stream": {"schema": {"type": "string"}, "example": 'event: job\ndata: {"id": "0x…"}\n\n'}
            },
        },
        **problems(404, 422, 503),
    },
)
async def stream_job(request: Request, job_id: JobIdPath, node: RunningNode) -> EventSourceResponse:
    """Follow a job. The current row comes first, so that a client that was cut off misses nothing."""

    async def look() -> JobRow:
        return job_row(await run_in_threadpool(node.trades.job, job_id), node.deployments.chain_id)

    return await job_stream(request, node.feed, job_id, look, node.settings.stream_heartbeat_s)


@router.get(
    "/jobs/{job_id}/proof",
    tags=["audit"],
    response_class=Response,
    responses={
        200: {
            "description": "The bundle, in canonical JSON",
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {"version": 1, "chain": "eip155:31337", "job": "0x…", "blocks": []},
                }
            },
        },
        **problems(404, 422, 503),
    },
)
def prove_job(job_id: JobIdPath, node: RunningNode) -> Response:
    """Every event of the job, proven against the hashes of its blocks, with attestations and documents, in one file that is verified offline."""
    headers = {"Content-Disposition": f'attachment; filename="{job_id.lower()}.proof.json"'}
    return Response(node.proof(job_id.lower()), media_type="application/json", headers=headers)


@router.get("/jobs/{job_id}/outputs", responses=problems(404, 422))
def get_job_outputs(job_id: JobIdPath, node: RunningNode) -> JobOutputs:
    """The manifest of what the job produced, and where its files are."""
    return job_outputs(node.outputs.of_job(job_id))


@router.post(
    "/submissions",
    status_code=201,
    tags=["verification"],
    responses=answers(SubmissionStatement, 404, 409, 413, 422, 429, 503),
)
def publish_submission(signed: SignedSubmission, node: RunningNode, response: Response) -> SubmissionStatement:
    """The provider commits to a result, for the verifiers. One per attempt: the first stands."""
    return answer_with(node.order_book.accept_submission(incoming(signed)), SubmissionStatement, response)


@router.get("/jobs/{job_id}/submissions", tags=["verification"], responses=problems(404, 422))
def list_submissions(job_id: JobIdPath, node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> SubmissionPage:
    """What the provider submitted for a job, by attempt."""
    return submission_page(node.trades.submissions(job_id, limit=limit, cursor=cursor))


@router.post(
    "/challenges",
    status_code=201,
    tags=["verification"],
    responses=answers(ChallengeStatement, 404, 409, 413, 422, 429, 503),
)
def publish_challenge(signed: SignedChallenge, node: RunningNode, response: Response) -> ChallengeStatement:
    """A verifier promises, and later opens, the secret by which it draws what it checks of an attempt."""
    return answer_with(node.order_book.accept_challenge(incoming(signed)), ChallengeStatement, response)


@router.get("/jobs/{job_id}/challenges", tags=["verification"], responses=problems(404, 422))
def list_challenges(job_id: JobIdPath, node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> ChallengePage:
    """Verifiers' challenges to a job, in the order of arrival."""
    return challenge_page(node.trades.challenges(job_id, limit=limit, cursor=cursor))


@router.post(
    "/attestations",
    status_code=201,
    tags=["verification"],
    responses=answers(AttestationStatement, 404, 409, 413, 422, 429, 503),
)
def publish_attestation(signed: SignedAttestation, node: RunningNode, response: Response) -> AttestationStatement:
    """A verifier, or a member of the committee that is the job's verifier, says what it found."""
    return answer_with(node.order_book.accept_attestation(incoming(signed)), AttestationStatement, response)


@router.get("/jobs/{job_id}/attestations", tags=["verification"], responses=problems(404, 422))
def list_attestations(
    job_id: JobIdPath, node: RunningNode, limit: Limit = 50, cursor: Cursor = None
) -> AttestationPage:
    """A job's attestations, with the signatures of those that agree put together as the escrow takes them."""
    return attestation_page(node.trades.attestations(job_id, limit=limit, cursor=cursor))
