"""Asks and quote requests as the market shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computility.api.schemas.statements import (
    AskStatement,
    QuoteRequestStatement,
    QuoteStatement,
    RefusalStatement,
    ResourceUrn,
)
from computility.api.schemas.wire import Answer, Bps, Confirmation, Page, Units

RequestStatus = Literal["pending", "quoted", "refused", "expired"]


class ResourceParts(Answer):
    """A compute identifier, taken apart."""

    urn: ResourceUrn
    kind: Annotated[str, Field(examples=["wasm"])]
    model: Annotated[str, Field(examples=["wasmtime"])]
    count: Annotated[int, Field(ge=1, examples=[1])]
    memory_mib: Annotated[int, Field(ge=1, description="Memory of one device, in MiB.", examples=[2048])]
    region: Annotated[str, Field(examples=["eu-west"])]
    operator: Annotated[str, Field(examples=["aurora"])]
    serial: Annotated[str, Field(examples=["0001"])]
    metric: Annotated[str, Field(examples=["mfuel"])]


class AskRow(Answer):
    """An ask and what the buyer wants to know of its provider."""

    ask: AskStatement
    resource: ResourceParts
    status: Annotated[Literal["open", "withdrawn", "expired", "excluded"], Field(examples=["open"])]
    provider_score_bps: Annotated[Bps | None, Field(description="Credit score as a provider; null for a newcomer.")]
    provider_active: Annotated[bool, Field(description="Registered, and not on its way out.", examples=[True])]
    open_jobs: Annotated[int, Field(ge=0, description="Jobs that run on this resource.", examples=[0])]
    capacity_left: Annotated[int, Field(ge=0, description="Jobs that the ask could take now.", examples=[2])]
    rating_micro_cu: Annotated[
        Units | None,
        Field(
            description="Millionths of a compute unit that a device of the resource sustained, as rated last; null where no rating holds."
        ),
    ]
    confirmation: Annotated[Confirmation, Field(description="Of what the chain says of the provider.")]


class AskPage(Page[AskRow]):
    """Open asks, the cheapest first."""


class QuoteRequestRow(Answer):
    """A quote request and what became of it."""

    request: QuoteRequestStatement
    status: RequestStatus
    quote: QuoteStatement | None
    refusal: RefusalStatement | None


class QuoteRequestPage(Page[QuoteRequestRow]):
    """Quote requests, the oldest first, so that an agent can work through them."""
