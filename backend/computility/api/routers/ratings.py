"""Hardware: what providers claim, the rounds in which it is challenged, and the ratings that come of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.problems import problems
from computility.api.schemas.ratings import (
    HardwareClaimPage,
    HardwareClaimStatement,
    RatingAnswerPage,
    RatingAnswerStatement,
    RatingChallengePage,
    RatingChallengeStatement,
    RatingPage,
    RatingStatement,
    SignedHardwareClaim,
    SignedRating,
    SignedRatingAnswer,
    SignedRatingChallenge,
)
from computility.api.schemas.wire import Address
from computility.api.statement_exchange import answer_with, answers, incoming, outgoing
from computility.domain.statements import StatementKind

router = APIRouter(tags=["ratings"])

OfProvider = Annotated[Address, Query(description="Whom it concerns.")]


@router.post(
    "/hardware-claims",
    status_code=201,
    responses=answers(HardwareClaimStatement, 404, 409, 413, 422, 429, 503),
)
def publish_hardware_claim(
    signed: SignedHardwareClaim, node: RunningNode, response: Response
) -> HardwareClaimStatement:
    """A provider says what it has. Its newest claim stands, and is challenged as a whole."""
    return answer_with(node.ratings.accept_claim(incoming(signed)), HardwareClaimStatement, response)


@router.get("/hardware-claims", responses=problems(422))
def list_hardware_claims(
    node: RunningNode, provider: OfProvider, limit: Limit = 50, cursor: Cursor = None
) -> HardwareClaimPage:
    """Those that concern one provider, the newest first."""
    page = node.ratings.of_provider(StatementKind.HARDWARE_CLAIM, provider, limit=limit, cursor=cursor)
    return HardwareClaimPage(items=[outgoing(entry, HardwareClaimStatement) for entry in page.items], next=page.next)


@router.post(
    "/rating-challenges",
    status_code=201,
    responses=answers(RatingChallengeStatement, 404, 409, 413, 422, 429, 503),
)
def publish_rating_challenge(
    signed: SignedRatingChallenge, node: RunningNode, response: Response
) -> RatingChallengeStatement:
    """A verifier makes a step in a round: the promise, the work, the sample."""
    return answer_with(node.ratings.accept_challenge(incoming(signed)), RatingChallengeStatement, response)


@router.get("/rating-challenges", responses=problems(422))
def list_rating_challenges(
    node: RunningNode, provider: OfProvider, limit: Limit = 50, cursor: Cursor = None
) -> RatingChallengePage:
    """Those that concern one provider, the newest first."""
    page = node.ratings.of_provider(StatementKind.RATING_CHALLENGE, provider, limit=limit, cursor=cursor)
    return RatingChallengePage(
        items=[outgoing(entry, RatingChallengeStatement) for entry in page.items], next=page.next
    )


@router.post(
    "/rating-answers",
    status_code=201,
    responses=answers(RatingAnswerStatement, 404, 409, 413, 422, 429, 503),
)
def publish_rating_answer(signed: SignedRatingAnswer, node: RunningNode, response: Response) -> RatingAnswerStatement:
    """A provider makes a step in a round: the root of what it computed, the rows that were drawn, or why it passes."""
    return answer_with(node.ratings.accept_answer(incoming(signed)), RatingAnswerStatement, response)


@router.get("/rating-answers", responses=problems(422))
def list_rating_answers(
    node: RunningNode, provider: OfProvider, limit: Limit = 50, cursor: Cursor = None
) -> RatingAnswerPage:
    """Those that concern one provider, the newest first."""
    page = node.ratings.of_provider(StatementKind.RATING_ANSWER, provider, limit=limit, cursor=cursor)
    return RatingAnswerPage(items=[outgoing(entry, RatingAnswerStatement) for entry in page.items], next=page.next)


@router.post(
    "/ratings",
    status_code=201,
    responses=answers(RatingStatement, 404, 409, 413, 422, 429, 503),
)
def publish_rating(signed: SignedRating, node: RunningNode, response: Response) -> RatingStatement:
    """A verifier signs what it measured, one attribute, for a while."""
    return answer_with(node.ratings.accept_rating(incoming(signed)), RatingStatement, response)


@router.get("/ratings", responses=problems(422))
def list_ratings(node: RunningNode, provider: OfProvider, limit: Limit = 50, cursor: Cursor = None) -> RatingPage:
    """Those that concern one provider, the newest first."""
    page = node.ratings.of_provider(StatementKind.RATING, provider, limit=limit, cursor=cursor)
    return RatingPage(items=[outgoing(entry, RatingStatement) for entry in page.items], next=page.next)
