"""Accounts, credit scores and providers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from computility.api.schemas.job import ChainIdText
from computility.api.schemas.market import ResourceParts
from computility.api.schemas.wire import Address, Amount, Answer, BlockNumber, Bps, Bytes32, Page, Time


class AccountRow(Answer):
    """An account's balance inside the escrow, summed over the escrow's generations, and its wallet's at the head."""

    address: Address
    chain_id: ChainIdText
    free: Amount
    locked: Amount
    credit_balance: Annotated[
        Amount | None, Field(description="Credits in its wallet at the head; null while the chain does not answer.")
    ]


class ScoreRow(Answer):
    """An account's standing in one role. Without history it stands at the prior, and ``updated_at`` is null."""

    score_bps: Bps
    credit: Annotated[Amount, Field(description="Decayed weight of what went well, at ``updated_at``.")]
    debit: Annotated[Amount, Field(description="Decayed weight of what did not, at ``updated_at``.")]
    updated_at: Time | None


class ScoreChange(Answer):
    """One change of a score, as the chain reported it."""

    role: Annotated[str, Field(examples=["provider"])]
    job: Bytes32
    score_bps: Bps
    credit: Amount
    debit: Amount
    at: Time
    block_number: BlockNumber


class AccountScores(Answer):
    """Both scores of an account, its tier, and the latest changes."""

    account: Address
    buyer: ScoreRow
    provider: ScoreRow
    tier: Annotated[int | None, Field(ge=0, le=3, description="At the head; null while the chain does not answer.")]
    history: Annotated[list[ScoreChange], Field(description="The latest 50 changes, the newest first.")]


class ProviderRow(Answer):
    """A provider as the registry knows it."""

    address: Address
    active: Annotated[bool, Field(examples=[True])]
    stake: Amount
    registered_at: Time | None
    exit_requested_at: Time | None
    exited_at: Time | None
    resources: Annotated[list[Bytes32], Field(description="keccak-256 of the URNs that it lists on chain.")]
    known_resources: Annotated[list[ResourceParts], Field(description="Those whose URN an ask told.")]
    score_bps: Bps | None
    open_jobs: Annotated[int, Field(ge=0, examples=[0])]


class ProviderPage(Page[ProviderRow]):
    """Providers, by address."""
