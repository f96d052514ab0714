"""What the trades add up to, by day."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from computility.api.schemas.wire import Address, Answer, Bps, Bytes32, Confirmation, Page

Count = Annotated[int, Field(ge=0, examples=[12])]
Sum = Annotated[
    str,
    Field(
        pattern=r"^(0|[1-9][0-9]*)$",
        description="A sum, in units of 10^-18 credits.",
        examples=["25000000000000000000"],
    ),
]
UnitsSum = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]*)$", description="A sum of units.", examples=["150000"])]
Date = Annotated[dt.date, Field(description="UTC.", examples=["2026-11-26"])]
Hhi = Annotated[
    int,
    Field(
        ge=0,
        le=10_000,
        description="Herfindahl–Hirschman index: shares in percent, squared and added.",
        examples=[1_850],
    ),
]


class ConcentrationRow(Answer):
    """How a volume is spread over those who sold it."""

    sellers: Count
    volume: Sum
    hhi: Hhi
    top_share_bps: Bps
    top_four_share_bps: Bps


class StatisticsRow(Answer):
    """Sums of one subject, on a day or in all. What a close settles counts on the day of the close."""

    date: Annotated[dt.date | None, Field(description="UTC; null for the sum of all days.", examples=["2026-11-26"])]
    resource: Annotated[Bytes32 | None, Field(description="Of which resource; null otherwise.")]
    provider: Annotated[Address | None, Field(description="Of which provider; null otherwise.")]
    opened: Count
    closed: Count
    passed: Count
    failed: Count
    claimed: Annotated[int, Field(ge=0, description="Closed on the provider's own claim.", examples=[1])]
    excused: Annotated[int, Field(ge=0, description="Closed without a verdict, and nobody at fault.", examples=[0])]
    disputed: Annotated[int, Field(ge=0, description="Disputes that began.", examples=[0])]
    ruled: Count
    agreed: Count
    reclaimed: Count
    units: UnitsSum
    ordered_units: UnitsSum
    use_bps: Annotated[
        Bps | None, Field(description="Of the units ordered, the share that was paid for; null without any.")
    ]
    volume: Annotated[Sum, Field(description="Paid for units, fees included.")]
    fees: Sum
    refunds: Sum
    slashed: Sum
    mean_price: Annotated[Sum | None, Field(description="A unit, weighted by units; null without any.")]
    low_price: Sum | None
    high_price: Sum | None
    mean_live_jobs: Annotated[
        float | None,
        Field(
            ge=0,
            description="Jobs that were live at a time, averaged over the day; of jobs that have closed since.",
            examples=[0.4],
        ),
    ]
    concentration: Annotated[ConcentrationRow | None, Field(description="Of the whole market: over its providers.")]
    confirmation: Confirmation


class StatisticsPage(Page[StatisticsRow]):
    """Sums."""


class TopSeller(Answer):
    """A provider and what it sold."""

    provider: Address
    volume: Sum
    share_bps: Bps


class ConcentrationAnswer(ConcentrationRow):
    """The spread of a period's volume, and who has the most of it."""

    since: Date
    until: Date
    top: list[TopSeller]
    confirmation: Confirmation


class LeaseServiceAnswer(Answer):
    """How a provider served its newest leases, by the readings of its meters."""

    provider: Address
    leases: Count
    never_began: Annotated[int, Field(ge=0, description="Of which the meter was never read.", examples=[0])]
    contested: Annotated[int, Field(ge=0, description="Of which the buyer did not believe the meter.", examples=[0])]
    uptime_bps: Annotated[
        Bps | None,
        Field(
            description="Of the time from the start of the work to the end, the share that was metered; null without leases."
        ),
    ]
    start_latency_ms: Annotated[
        int | None,
        Field(
            ge=0,
            description="From the opening to the start of the work, the median; null where none began.",
            examples=[900],
        ),
    ]
    longest_start_latency_ms: Annotated[int | None, Field(ge=0, examples=[2_400])]
    confirmation: Confirmation


class PriceRow(Answer):
    """What one kind of resource cost on one day."""

    date: Date
    kind: Annotated[
        str, Field(description="As in the compute identifier; `unknown` where no ask told it.", examples=["wasm"])
    ]
    mean_price: Annotated[Sum, Field(description="A unit, weighted by units.")]
    low_price: Sum
    high_price: Sum
    units: UnitsSum
    volume: Sum
    jobs: Count
    confirmation: Confirmation


class PricePage(Page[PriceRow]):
    """The price index by kind of resource, the newest day first. ``limit`` counts days."""
