"""Accounts, scores and providers in the API's words."""

from __future__ import annotations

from typing import Final

from computility.api.presenters.resource import resource_parts
from computility.api.schemas.account import (
    AccountRow,
    AccountScores,
    ProviderPage,
    ProviderRow,
    ScoreChange,
    ScoreRow,
)
from computility.domain.events import ScoreChanged
from computility.services.accounts import AccountView, ProviderView, ScoresView
from computility.services.ledger import LedgerEvent
from computility.services.pages import PageOf

_PRIOR_BPS: Final = 5_000
"""Where an account without history stands (``ICreditScores``)."""
_ROLES: Final = ("buyer", "provider")


def account_row(view: AccountView, chain_id: str) -> AccountRow:
    """One account."""
    return AccountRow(
        address=view.address,
        chain_id=chain_id,
        free=str(view.balance.free),
        locked=str(view.balance.locked),
        credit_balance=None if view.credit_balance is None else str(view.credit_balance),
    )


def account_scores(view: ScoresView) -> AccountScores:
    """Both scores of an account."""
    return AccountScores(
        account=view.account,
        buyer=_score(view.buyer),
        provider=_score(view.provider),
        tier=view.tier,
        history=[_change(found) for found in view.history],
    )


def provider_row(view: ProviderView) -> ProviderRow:
    """One provider."""
    record = view.record
    return ProviderRow(
        address=record.address,
        active=record.active,
        stake=str(record.stake),
        registered_at=record.registered_at,
        exit_requested_at=record.exit_requested_at,
        exited_at=record.exited_at,
        resources=list(record.resources),
        known_resources=[resource_parts(resource) for resource in view.known_resources],
        score_bps=view.score_bps,
        open_jobs=view.open_jobs,
    )


def provider_page(page: PageOf[ProviderView]) -> ProviderPage:
    """One page of providers."""
    return ProviderPage(items=[provider_row(view) for view in page.items], next=page.next)


def _score(event: ScoreChanged | None) -> ScoreRow:
    if event is None:
        return ScoreRow(score_bps=_PRIOR_BPS, credit="0", debit="0", updated_at=None)
    return ScoreRow(score_bps=event.score_bps, credit=str(event.credit), debit=str(event.debit), updated_at=event.at)


def _change(found: LedgerEvent) -> ScoreChange:
    event = found.event
    assert isinstance(event, ScoreChanged)
    return ScoreChange(
        role=_ROLES[event.role],
        job=event.job,
        score_bps=event.score_bps,
        credit=str(event.credit),
        debit=str(event.debit),
        at=event.at,
        block_number=found.origin.block_number,
    )
