"""Accounts, scores and providers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.presenters.account import (
    account_row,
    account_scores,
    provider_page,
    provider_row,
    score_history_page,
)
from computility.api.problems import problems
from computility.api.schemas.account import AccountRow, AccountScores, ProviderPage, ProviderRow, ScoreHistoryPage
from computility.api.schemas.wire import Address
from computility.domain.identifiers import parse_address
from computility.domain.scores import Role

router = APIRouter(tags=["accounts"])

AddressPath = Annotated[Address, Path()]


@router.get("/providers", responses=problems(422))
def list_providers(node: RunningNode, limit: Limit = 50, cursor: Cursor = None) -> ProviderPage:
    """Every provider that ever registered, by address."""
    return provider_page(node.accounts.providers(limit=limit, cursor=cursor))


@router.get("/providers/{address}", responses=problems(404, 422))
def get_provider(address: AddressPath, node: RunningNode) -> ProviderRow:
    """One provider."""
    return provider_row(node.accounts.provider(address))


@router.get("/accounts/{address}", responses=problems(422))
def get_account(address: AddressPath, node: RunningNode) -> AccountRow:
    """An account's credits. One that never traded has none."""
    return account_row(node.accounts.account(address), node.deployments.chain_id)


@router.get("/scores/{account}", responses=problems(422))
def get_scores(account: AddressPath, node: RunningNode) -> AccountScores:
    """An account's credit scores as buyer and as provider."""
    return account_scores(node.accounts.scores(account))


@router.get("/scores/{account}/history", responses=problems(422))
def list_score_history(
    account: AddressPath,
    node: RunningNode,
    role: Annotated[Literal["buyer", "provider"], Query(description="In which the account is scored.")] = "provider",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ScoreHistoryPage:
    """An account's credit score as each day left it, the newest first."""
    found = node.statistics.score_history(parse_address(account), Role[role.upper()], limit=limit, cursor=cursor)
    return score_history_page(found)
