"""What the node's services ask of the folded ledger. The store answers; a test may answer from its own records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.services.pages import PageOf

Confirmation = Literal["latest", "safe", "finalized"]


@dataclass(frozen=True)
class LedgerJob:
    """A job, the generation of contracts that holds it, and how settled its last event is."""

    record: JobRecord
    generation: int
    confirmation: Confirmation


@dataclass(frozen=True)
class LedgerEvent:
    """An event, where it stands, how settled that is, and the job among whose events it is listed."""

    event: Event
    origin: EventOrigin
    confirmation: Confirmation
    job: Bytes32 | None


@dataclass(frozen=True)
class FoldedBlock:
    """The block up to which the ledger is folded."""

    number: int
    hash: Bytes32
    timestamp: int


@dataclass(frozen=True)
class ProviderState:
    """What the ledger says of a provider: each as the method of ``Ledger`` has it."""

    record: ProviderRecord | None
    standing: Standing | None
    reward: RewardRecord | None
    """Behind jobs, as its events left it; None for one that never staked any."""
    may_have_failed: bool
    live_jobs: Mapping[Bytes32, int]
    """How many are not closed, by resource; a resource without any is left out."""
    confirmation: Confirmation


class Ledger(Protocol):
    """Reads of one chain, as far as it is folded. Lists take the cursor of the page before."""

    def folded(self) -> FoldedBlock | None:
        """How far; None before the first block."""

    def job(self, job: Bytes32) -> LedgerJob | None:
        """A job; None for one that no event names."""

    def jobs(
        self,
        *,
        buyer: Address | None,
        provider: Address | None,
        verifier: Address | None,
        states: Collection[JobState],
        limit: int,
        cursor: str | None,
    ) -> PageOf[LedgerJob]:
        """Jobs, the newest first."""

    def job_events(self, job: Bytes32, *, limit: int, cursor: str | None) -> PageOf[LedgerEvent]:
        """Events of a job, in the order of the chain."""

    def events(
        self, *, name: str | None, account: Address | None, from_block: int | None, limit: int, cursor: str | None
    ) -> PageOf[LedgerEvent]:
        """Events of all contracts, the newest first."""

    def provider(self, provider: Address) -> ProviderRecord | None:
        """A provider; None for one that never registered."""

    def states_of(self, providers: Collection[Address]) -> Mapping[Address, ProviderState]:
        """What is to be said of each of some providers, in as many questions as for one. Whoever is none has a state too."""

    def providers(self, *, limit: int, cursor: str | None) -> PageOf[ProviderRecord]:
        """Providers by address."""

    def balance(self, account: Address) -> Balance:
        """An account's credits inside the escrows."""

    def standing(self, account: Address, role: Role) -> Standing | None:
        """An account's standing with the newest escrow, decayed to the folded block; None without history."""

    def may_have_failed(self, provider: Address) -> bool:
        """Whether any job of a provider ended in a fail or by a ruling. Most providers have none: cheaper than to look through their jobs."""

    def confirmation_of(self, account: Address) -> Confirmation:
        """How settled the last event is that concerns an account; final without any."""
