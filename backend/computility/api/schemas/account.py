"""Accounts, credit scores and providers."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

from computility.api.schemas.job import ChainIdText
from computility.api.schemas.market import ResourceParts
from computility.api.schemas.ratings import RatingRow
from computility.api.schemas.wire import Address, Amount, Answer, Bps, Bytes32, Confirmation, Page, Time


class AccountRow(Answer):
    """An account's balance inside the escrow, summed over the escrow's generations, and its wallet's at the head."""

    address: Address
    chain_id: ChainIdText
    free: Amount
    locked: Amount
    confirmation: Confirmation
    credit_balance: Annotated[
        Amount | None, Field(description="Credits in its wallet at the head; null while the chain does not answer.")
    ]


class ScoreRow(Answer):
    """An account's standing in one role. Without history it stands at the prior, and ``updated_at`` is null."""

    score_bps: Bps
    tier: Annotated[int, Field(ge=0, le=3, examples=[1])]
    credit: Annotated[Amount, Field(description="Weight of what went well, now.")]
    debit: Annotated[Amount, Field(description="Weight of what did not, now.")]
    fulfilment_bps: Annotated[
        Bps, Field(description="The score if only work that was not delivered counted against it.")
    ]
    quality_bps: Annotated[Bps, Field(description="The score if only missed service levels counted against it.")]
    behaviour_bps: Annotated[Bps, Field(description="The score if only lost disputes counted against it.")]
    updated_at: Time | None
    updated_by: Annotated[Bytes32 | None, Field(description="The job whose close changed it last.")]


class AccountScores(Answer):
    """Both scores of an account, and its tier as a provider."""

    account: Address
    buyer: ScoreRow
    provider: ScoreRow
    tier: Annotated[int, Field(ge=0, le=3, description="What it is entitled to as a provider.", examples=[1])]
    confirmation: Confirmation


class ScoreOfDayRow(Answer):
    """An account's score as a day left it, on which a job of its closed."""

    date: Annotated[dt.date, Field(description="UTC.", examples=["2026-11-26"])]
    score_bps: Bps
    tier: Annotated[int, Field(ge=0, le=3, examples=[1])]
    updated_at: Time
    updated_by: Annotated[Bytes32, Field(description="The job whose close changed it last on that day.")]
    confirmation: Confirmation


class ScoreHistoryPage(Page[ScoreOfDayRow]):
    """Past scores in one role, the newest day first."""


class RewardRow(Answer):
    """Earnings that a provider put behind jobs: part of its stake, slashed before the rest of it, and its own again as it vests."""

    at: Annotated[Time, Field(description="The block's time, by which it had vested so far.")]
    vested: Amount
    unvested: Amount
    claimable: Annotated[Amount, Field(description="Of what has vested, what stands behind no open job.")]
    vests_by: Annotated[Time | None, Field(description="When all of it will have vested; null if it has.")]
    staked: Annotated[Amount, Field(description="Put in, over all time.")]
    taken: Annotated[Amount, Field(description="Claimed, or taken along on leaving.")]
    lost: Annotated[Amount, Field(description="Slashed.")]


class ProviderRow(Answer):
    """A provider as the registry knows it."""

    address: Address
    active: Annotated[bool, Field(examples=[True])]
    stake: Amount
    reserved: Annotated[Amount, Field(description="Of the stake, what stands behind open jobs.")]
    registered_at: Time | None
    exit_requested_at: Time | None
    exited_at: Time | None
    resources: Annotated[list[Bytes32], Field(description="keccak-256 of the URNs that it lists on chain.")]
    known_resources: Annotated[list[ResourceParts], Field(description="Those whose URN an ask told.")]
    score_bps: Bps | None
    open_jobs: Annotated[int, Field(ge=0, examples=[0])]
    ratings: Annotated[
        list[RatingRow], Field(description="What verifiers measured, as far as it holds now; the newest first.")
    ]
    reward: Annotated[RewardRow | None, Field(description="Null for one that never put earnings behind jobs.")]
    confirmation: Confirmation


class ProviderPage(Page[ProviderRow]):
    """Providers, by address."""
