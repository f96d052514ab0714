"""Asks: what providers offer."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.presenters.market import ask_page, ask_row
from computility.api.problems import problems
from computility.api.schemas.market import AskPage, AskRow
from computility.api.schemas.statements import AskStatement, AskWithdrawalStatement, SignedAsk, SignedAskWithdrawal
from computility.api.schemas.wire import Address, Bytes32
from computility.api.statement_exchange import answer_with, answers, incoming

router = APIRouter(prefix="/asks", tags=["market"])

AskId = Annotated[Bytes32, Path(description="Digest of the ask.")]


@router.post(
    "",
    status_code=201,
    responses=answers(AskStatement, 409, 413, 422, 429, 503),
)
def publish_ask(signed: SignedAsk, node: RunningNode, response: Response) -> AskStatement:
    """Offer computing power. The signer is an active provider; the offer stands until it expires or is withdrawn."""
    return answer_with(node.order_book.accept_ask(incoming(signed)), AskStatement, response)


@router.get("", responses=problems(422))
def list_asks(
    node: RunningNode,
    resource_kind: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9-]+$", examples=["wasm"])] = None,
    environment: Annotated[str | None, Query(max_length=255, pattern=r"^[!-~]+$")] = None,
    provider: Annotated[Address | None, Query(description="Only this provider's.")] = None,
    sort: Annotated[Literal["price"], Query(description="The cheapest unit first.")] = "price",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AskPage:
    """Open asks, the cheapest unit first."""
    return ask_page(
        node.market.open_asks(
            resource_kind=resource_kind, environment=environment, provider=provider, limit=limit, cursor=cursor
        )
    )


@router.get("/{ask_id}", responses=problems(404, 422))
def get_ask(ask_id: AskId, node: RunningNode) -> AskRow:
    """One ask, open or not."""
    return ask_row(node.market.ask(ask_id))


@router.post(
    "/{ask_id}/withdrawal",
    status_code=201,
    responses=answers(AskWithdrawalStatement, 404, 409, 413, 422),
)
def withdraw_ask(
    ask_id: AskId, signed: SignedAskWithdrawal, node: RunningNode, response: Response
) -> AskWithdrawalStatement:
    """Take an ask back. Quotes that were signed stay valid until they expire."""
    accepted = node.order_book.accept_withdrawal(ask_id, incoming(signed))
    return answer_with(accepted, AskWithdrawalStatement, response)
