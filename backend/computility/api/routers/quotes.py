"""Quote requests, quotes and refusals: how a buyer and a provider come to signed terms."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from computility.api.dependencies import Cursor, Limit, RunningNode, Wait
from computility.api.long_poll import poll
from computility.api.presenters.market import quote_request_page, quote_request_row
from computility.api.problems import problems
from computility.api.schemas.market import QuoteRequestPage, QuoteRequestRow
from computility.api.schemas.statements import (
    QuoteRequestStatement,
    QuoteStatement,
    RefusalStatement,
    SignedQuote,
    SignedQuoteRequest,
    SignedRefusal,
)
from computility.api.schemas.wire import Address, Bytes32
from computility.api.statement_exchange import answer_with, answers, incoming, outgoing

router = APIRouter(tags=["market"])

RequestId = Annotated[Bytes32, Path(description="Digest of the request.")]


@router.post(
    "/quote-requests",
    status_code=201,
    responses=answers(QuoteRequestStatement, 404, 409, 413, 422, 429, 503),
)
def request_quote(signed: SignedQuoteRequest, node: RunningNode, response: Response) -> QuoteRequestStatement:
    """Ask the provider behind an ask for signed terms. Binds nobody."""
    return answer_with(node.order_book.accept_quote_request(incoming(signed)), QuoteRequestStatement, response)


@router.get("/quote-requests", responses=problems(422, 503))
async def list_quote_requests(
    request: Request,
    node: RunningNode,
    provider: Annotated[Address | None, Query(description="Only those for this provider's asks.")] = None,
    buyer: Annotated[Address | None, Query(description="Only those of this buyer.")] = None,
    status: Annotated[Literal["pending", "quoted", "refused", "expired"] | None, Query()] = None,
    wait: Wait = 0,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> QuoteRequestPage:
    """Quote requests, the oldest first. With ``wait`` an empty answer is held back until there is one."""

    async def look() -> QuoteRequestPage:
        found = await run_in_threadpool(
            node.market.quote_requests, provider=provider, buyer=buyer, status=status, limit=limit, cursor=cursor
        )
        return quote_request_page(found)

    return await poll(request, node.feed, "quote-requests", look, lambda page: bool(page.items), wait)


@router.get("/quote-requests/{request_id}", responses=problems(404, 422, 503))
async def get_quote_request(
    request: Request, request_id: RequestId, node: RunningNode, wait: Wait = 0
) -> QuoteRequestRow:
    """One request and its answer. With ``wait`` the answer is held back while the request is pending."""

    async def look() -> QuoteRequestRow:
        return quote_request_row(await run_in_threadpool(node.market.quote_request, request_id))

    return await poll(request, node.feed, "quote-requests", look, lambda row: row.status != "pending", wait)


@router.post(
    "/quotes",
    status_code=201,
    responses=answers(QuoteStatement, 404, 409, 413, 422, 503),
)
def publish_quote(signed: SignedQuote, node: RunningNode, response: Response) -> QuoteStatement:
    """Answer a request with terms that the provider signed. They match the request and its ask in every field."""
    return answer_with(node.order_book.accept_quote(incoming(signed)), QuoteStatement, response)


@router.get("/quotes/{job_id}", responses=problems(404, 422))
def get_quote(job_id: Annotated[Bytes32, Path(description="The job's id.")], node: RunningNode) -> QuoteStatement:
    """The quote that a job came from."""
    return outgoing(node.market.quote(job_id), QuoteStatement)


@router.post(
    "/refusals",
    status_code=201,
    responses=answers(RefusalStatement, 404, 409, 413, 422, 503),
)
def publish_refusal(signed: SignedRefusal, node: RunningNode, response: Response) -> RefusalStatement:
    """Decline a request, and say why."""
    return answer_with(node.order_book.accept_refusal(incoming(signed)), RefusalStatement, response)
