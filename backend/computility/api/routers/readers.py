"""Reader keys: to which key one seals a job for a provider or a verifier."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.problems import problems
from computility.api.schemas.readers import ReaderNoticePage, ReaderNoticeStatement, SignedReaderNotice
from computility.api.schemas.wire import Address
from computility.api.statement_exchange import answer_with, answers, incoming, outgoing

router = APIRouter(tags=["readers"])

OfAccount = Annotated[Address, Query(description="Whose key it is.")]


@router.post(
    "/reader-notices",
    status_code=201,
    responses=answers(ReaderNoticeStatement, 413, 422, 429, 503),
)
def publish_reader_notice(signed: SignedReaderNotice, node: RunningNode, response: Response) -> ReaderNoticeStatement:
    """A provider or a verifier tells to which key one seals a job for it."""
    return answer_with(node.readers.accept(incoming(signed)), ReaderNoticeStatement, response)


@router.get("/reader-notices", responses=problems(422))
def list_reader_notices(
    node: RunningNode, account: OfAccount, limit: Limit = 50, cursor: Cursor = None
) -> ReaderNoticePage:
    """What one account told, the newest first. Prove the signature before you seal anything."""
    page = node.readers.of_account(account, limit=limit, cursor=cursor)
    return ReaderNoticePage(items=[outgoing(entry, ReaderNoticeStatement) for entry in page.items], next=page.next)
