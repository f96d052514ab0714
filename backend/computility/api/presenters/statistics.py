"""Statistics in the API's words."""

from __future__ import annotations

from dataclasses import asdict

from computility.api.presenters.date import date_of
from computility.api.schemas.statistics import (
    ConcentrationAnswer,
    ConcentrationRow,
    LeaseServiceAnswer,
    PricePage,
    PriceRow,
    StatisticsPage,
    StatisticsRow,
    TopSeller,
)
from computility.domain.statistics import DAY_S, Concentration, Scope
from computility.services.lease_services import LeaseServiceView
from computility.services.pages import PageOf
from computility.services.stored_statistics import PeriodConcentration, PriceOfDay, Sum

_AS_THEY_ARE = (
    "opened",
    "closed",
    "passed",
    "failed",
    "claimed",
    "excused",
    "disputed",
    "ruled",
    "agreed",
    "reclaimed",
)
_SUMS = ("units", "ordered_units", "volume", "fees", "refunds", "slashed")


def statistics_page(page: PageOf[Sum], scope: Scope) -> StatisticsPage:
    """One page of sums."""
    return StatisticsPage(items=[statistics_row(found, scope) for found in page.items], next=page.next)


def statistics_row(found: Sum, scope: Scope) -> StatisticsRow:
    """One sum."""
    tally = found.tally
    return StatisticsRow(
        date=None if found.day is None else date_of(found.day),
        resource=found.subject if scope is Scope.RESOURCE else None,
        provider=found.subject if scope is Scope.PROVIDER else None,
        **{name: getattr(tally, name) for name in _AS_THEY_ARE},
        **{name: str(getattr(tally, name)) for name in _SUMS},
        use_bps=tally.use_bps,
        mean_price=None if tally.mean_price is None else str(tally.mean_price),
        low_price=str(tally.price_low) if tally.price_low else None,
        high_price=str(tally.price_high) if tally.price_high else None,
        mean_live_jobs=None if found.day is None else round(tally.live_s / DAY_S, 6),
        concentration=None if found.sellers is None else _concentration(found.sellers),
        confirmation=found.confirmation,
    )


def concentration_answer(found: PeriodConcentration, since: int, until: int) -> ConcentrationAnswer:
    """The spread of a period's volume."""
    return ConcentrationAnswer(
        **_concentration(found.spread).model_dump(),
        since=date_of(since),
        until=date_of(until),
        top=[
            TopSeller(provider=account, volume=str(volume), share_bps=volume * 10_000 // found.spread.volume)
            for account, volume in found.top
        ],
        confirmation=found.confirmation,
    )


def lease_service_answer(view: LeaseServiceView) -> LeaseServiceAnswer:
    """How a provider served its leases."""
    return LeaseServiceAnswer(provider=view.provider, **asdict(view.service), confirmation=view.confirmation)


def price_page(page: PageOf[PriceOfDay]) -> PricePage:
    """One page of the price index."""
    return PricePage(
        items=[
            PriceRow(
                date=date_of(found.day),
                kind=found.kind,
                mean_price=str(found.mean),
                low_price=str(found.low),
                high_price=str(found.high),
                units=str(found.units),
                volume=str(found.volume),
                jobs=found.jobs,
                confirmation=found.confirmation,
            )
            for found in page.items
        ],
        next=page.next,
    )


def _concentration(spread: Concentration) -> ConcentrationRow:
    return ConcentrationRow(
        sellers=spread.sellers,
        volume=str(spread.volume),
        hhi=spread.hhi,
        top_share_bps=spread.top_share_bps,
        top_four_share_bps=spread.top_four_share_bps,
    )
