"""Accounts, scores and providers in the API's words."""

from __future__ import annotations

from computility.api.presenters.date import date_of
from computility.api.presenters.resource import resource_parts
from computility.api.schemas.account import (
    AccountRow,
    AccountScores,
    ProviderPage,
    ProviderRow,
    RewardRow,
    ScoreHistoryPage,
    ScoreOfDayRow,
    ScoreRow,
)
from computility.api.schemas.ratings import RatingRow
from computility.domain.rating import Rating
from computility.domain.score_slot import WEIGHT_UNIT, ScoreSlot, share_bps
from computility.domain.standing import Standing
from computility.services.accounts import AccountView, ProviderView, RewardView, ScoresView
from computility.services.pages import PageOf
from computility.services.stored_statistics import ScoreOfDay


def account_row(view: AccountView, chain_id: str) -> AccountRow:
    """One account."""
    return AccountRow(
        address=view.address,
        chain_id=chain_id,
        free=str(view.balance.free),
        locked=str(view.balance.locked),
        confirmation=view.confirmation,
        credit_balance=None if view.credit_balance is None else str(view.credit_balance),
    )


def account_scores(view: ScoresView) -> AccountScores:
    """Both scores of an account."""
    return AccountScores(
        account=view.account,
        buyer=_score(view.buyer),
        provider=_score(view.provider),
        tier=view.provider.slot.tier if view.provider else 0,
        confirmation=view.confirmation,
    )


def provider_row(view: ProviderView) -> ProviderRow:
    """One provider."""
    record = view.record
    return ProviderRow(
        address=record.address,
        active=record.active,
        stake=str(record.stake),
        reserved=str(record.reserved),
        registered_at=record.registered_at,
        exit_requested_at=record.exit_requested_at,
        exited_at=record.exited_at,
        resources=list(record.resources),
        known_resources=[resource_parts(resource) for resource in view.known_resources],
        score_bps=view.score_bps,
        open_jobs=view.open_jobs,
        confirmation=view.confirmation,
        ratings=[rating_row(rating) for rating in view.ratings],
        reward=None if view.reward is None else _reward_row(view.reward),
    )


def rating_row(rating: Rating) -> RatingRow:
    """A rating in short."""
    return RatingRow(
        attribute=rating.attribute,
        value=str(rating.value),
        devices=rating.devices,
        resource=rating.resource,
        verifier=rating.verifier,
        measured_at=rating.measured_at,
        valid_until=rating.valid_until,
    )


def provider_page(page: PageOf[ProviderView]) -> ProviderPage:
    """One page of providers."""
    return ProviderPage(items=[provider_row(view) for view in page.items], next=page.next)


def score_history_page(page: PageOf[ScoreOfDay]) -> ScoreHistoryPage:
    """One page of an account's past scores."""
    return ScoreHistoryPage(
        items=[
            ScoreOfDayRow(
                date=date_of(found.day),
                score_bps=found.standing.slot.score_bps,
                tier=found.standing.slot.tier,
                updated_at=found.standing.at,
                updated_by=found.standing.job,
                confirmation=found.confirmation,
            )
            for found in page.items
        ],
        next=page.next,
    )


def _reward_row(view: RewardView) -> RewardRow:
    record, reward = view.record, view.record.reward
    return RewardRow(
        at=view.at,
        vested=str(reward.vested),
        unvested=str(reward.unvested),
        claimable=str(view.claimable),
        vests_by=reward.end if reward.unvested else None,
        staked=str(record.staked),
        taken=str(record.taken),
        lost=str(record.lost),
    )


def _score(standing: Standing | None) -> ScoreRow:
    slot = standing.slot if standing else ScoreSlot()
    return ScoreRow(
        score_bps=slot.score_bps,
        tier=slot.tier,
        credit=str(slot.credit * WEIGHT_UNIT),
        debit=str(slot.debit * WEIGHT_UNIT),
        fulfilment_bps=share_bps(slot.credit, slot.fulfilment_debit),
        quality_bps=share_bps(slot.credit, slot.quality_debit),
        behaviour_bps=share_bps(slot.credit, slot.behaviour_debit),
        updated_at=standing.at if standing else None,
        updated_by=standing.job if standing else None,
    )
