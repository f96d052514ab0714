"""Accounts, credit scores and providers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from computility.domain.errors import ChainError, UnknownProvider
from computility.domain.identifiers import Address, parse_address
from computility.domain.ledger import Balance
from computility.domain.provider import ProviderRecord
from computility.domain.rating import Rating
from computility.domain.resource import Resource, parse_resource
from computility.domain.reward import RewardRecord
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.services.chain_view import ChainView
from computility.services.journal import Journal
from computility.services.ledger import Confirmation, FoldedBlock, Ledger, ProviderState
from computility.services.pages import PageOf


@dataclass(frozen=True)
class AccountView:
    """Credits inside the escrow and in the wallet; the latter None while the chain does not answer."""

    address: Address
    balance: Balance
    confirmation: Confirmation
    credit_balance: int | None


@dataclass(frozen=True)
class ScoresView:
    """Both standings, None without history."""

    account: Address
    buyer: Standing | None
    provider: Standing | None
    confirmation: Confirmation


@dataclass(frozen=True)
class RewardView:
    """A reward behind jobs as it has vested at ``at`` (UTC seconds); of what has, ``claimable`` stands behind no open job."""

    record: RewardRecord
    at: int
    claimable: int


@dataclass(frozen=True)
class ProviderView:
    """A provider, its resources as far as asks told their URNs, its standing, and the ratings that hold."""

    record: ProviderRecord
    known_resources: tuple[Resource, ...]
    score_bps: int | None
    open_jobs: int
    ratings: tuple[Rating, ...]
    reward: RewardView | None
    confirmation: Confirmation


class Accounts:
    """Reads of accounts."""

    def __init__(self, ledger: Ledger, journal: Journal, chain: ChainView, clock: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._journal = journal
        self._chain = chain

    def account(self, address: str) -> AccountView:
        """An account; one that never traded has nothing."""
        account = parse_address(address)
        try:
            wallet = self._chain.wallet_credits(account)
        except ChainError:
            wallet = None
        return AccountView(account, self._ledger.balance(account), self._ledger.confirmation_of(account), wallet)

    def scores(self, address: str) -> ScoresView:
        """Both scores of an account."""
        account = parse_address(address)
        return ScoresView(
            account,
            self._ledger.standing(account, Role.BUYER),
            self._ledger.standing(account, Role.PROVIDER),
            self._ledger.confirmation_of(account),
        )

    def provider(self, address: str) -> ProviderView:
        """One provider.

        Raises:
            UnknownProvider: it never registered.
        """
        record = self._ledger.provider(parse_address(address))
        if record is None:
            raise UnknownProvider(f"{address} never registered as a provider, as far as the node has read the chain")
        return self._views([record])[0]

    def providers(self, *, limit: int, cursor: str | None) -> PageOf[ProviderView]:
        """Providers, by address."""
        page = self._ledger.providers(limit=limit, cursor=cursor)
        return PageOf(tuple(self._views(page.items)), page.next)

    def _views(self, records: Sequence[ProviderRecord]) -> list[ProviderView]:
        """One for each. A page costs few questions more than one provider: what each offered is asked for by itself, as of that the newest counts."""
        addresses = [record.address for record in records]
        states = self._ledger.states_of(addresses)
        ratings = self._journal.ratings_at(addresses, self._clock())
        folded = self._ledger.folded()
        return [self._view(record, states[record.address], ratings[record.address], folded) for record in records]

    def _view(
        self, record: ProviderRecord, state: ProviderState, ratings: list[Rating], folded: FoldedBlock | None
    ) -> ProviderView:
        known = {resource.id: resource for resource in map(parse_resource, self._journal.urns_of(record.address))}
        return ProviderView(
            record=record,
            known_resources=tuple(known.values()),
            score_bps=state.standing.slot.score_bps if state.standing else None,
            open_jobs=sum(state.live_jobs.get(resource, 0) for resource in known),
            ratings=tuple(ratings),
            reward=_vested(state.reward, record, folded),
            confirmation=state.confirmation,
        )


def _vested(found: RewardRecord | None, provider: ProviderRecord, folded: FoldedBlock | None) -> RewardView | None:
    if found is None or folded is None:
        return None
    now = replace(found, reward=found.reward.vested_by(folded.timestamp))
    return RewardView(now, folded.timestamp, min(now.reward.vested, provider.stake - provider.reserved))
