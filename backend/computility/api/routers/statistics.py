"""What the trades add up to: by day, resource and provider; prices, and concentration."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Query

from computility.api.dependencies import Cursor, Limit, RunningNode
from computility.api.presenters.date import day_number
from computility.api.presenters.statistics import (
    concentration_answer,
    lease_service_answer,
    price_page,
    statistics_page,
)
from computility.api.problems import problems
from computility.api.schemas.statistics import (
    ConcentrationAnswer,
    LeaseServiceAnswer,
    PricePage,
    StatisticsPage,
)
from computility.api.schemas.wire import Address, Bytes32
from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import parse_address
from computility.domain.statistics import Scope, day_of

router = APIRouter(prefix="/statistics", tags=["statistics"])

AddressPath = Annotated[Address, Path()]
Day = Annotated[dt.date | None, Query(description="UTC; of all days without it.", examples=["2026-11-26"])]


@router.get("/days", responses=problems(422))
def list_days(
    node: RunningNode,
    resource: Annotated[Bytes32 | None, Query(description="Of one resource instead of the whole market.")] = None,
    provider: Annotated[Address | None, Query(description="Of one provider instead of the whole market.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> StatisticsPage:
    """Day by day, the newest first: volume, prices, use, outcomes, disputes; of the whole market concentration too."""
    if resource is not None and provider is not None:
        raise InvalidMessage("ask for a resource or for a provider, not for both")
    scope = Scope.RESOURCE if resource else Scope.PROVIDER if provider else Scope.MARKET
    subject = resource or (parse_address(provider) if provider else None)
    return statistics_page(node.statistics.days(scope, subject, limit=limit, cursor=cursor), scope)


@router.get("/resources", responses=problems(422))
def list_resources(node: RunningNode, date: Day = None, limit: Limit = 50, cursor: Cursor = None) -> StatisticsPage:
    """Every resource that was ever traded, with its sums."""
    day = None if date is None else day_number(date)
    return statistics_page(node.statistics.subjects(Scope.RESOURCE, day, limit=limit, cursor=cursor), Scope.RESOURCE)


@router.get("/providers", responses=problems(422))
def list_sellers(node: RunningNode, date: Day = None, limit: Limit = 50, cursor: Cursor = None) -> StatisticsPage:
    """Every provider that ever traded, with its sums."""
    day = None if date is None else day_number(date)
    return statistics_page(node.statistics.subjects(Scope.PROVIDER, day, limit=limit, cursor=cursor), Scope.PROVIDER)


@router.get("/providers/{address}/leases", responses=problems(422))
def get_lease_service(address: AddressPath, node: RunningNode) -> LeaseServiceAnswer:
    """Uptime and start latency of a provider's newest leases, 50 at most."""
    return lease_service_answer(node.lease_services.of_provider(address))


@router.get("/total", responses=problems())
def list_total(node: RunningNode) -> StatisticsPage:
    """The whole market in all, as a list of one row; of none before the first job."""
    return statistics_page(node.statistics.total(), Scope.MARKET)


@router.get("/prices", responses=problems(422))
def list_prices(
    node: RunningNode,
    kind: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9-]+$", examples=["wasm"])] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PricePage:
    """The price index: what a unit of each kind of resource cost, day by day."""
    return price_page(node.statistics.prices(kind, limit=limit, cursor=cursor))


@router.get("/concentration", responses=problems(422))
def get_concentration(
    node: RunningNode,
    since: Annotated[dt.date | None, Query(description="First day; 30 days before the last without it.")] = None,
    until: Annotated[dt.date | None, Query(description="Last day; today on the chain without it.")] = None,
) -> ConcentrationAnswer:
    """How a period's volume is spread over providers, at most a year at once."""
    last = day_number(until) if until else day_of(node.clock())
    first = day_number(since) if since else max(0, last - 29)
    return concentration_answer(node.statistics.concentration(first, last), first, last)
