"""A registry's books: what each provider has at stake, and what of it stands behind open jobs, as its events tell it."""

from __future__ import annotations

from computility.domain import provider as provider_fold
from computility.domain.events import (
    Event,
    EventOrigin,
    ListingChanged,
    ProviderExited,
    ProviderRegistered,
    RewardClaimed,
    RewardStaked,
    StakeAdded,
    StakeReleased,
    StakeReserved,
    StakeSlashed,
)
from computility.domain.identifiers import Address
from computility.domain.provider import ProviderRecord
from computility.domain.reward import RewardRecord, reward_after

_OF_STAKES = (
    ProviderRegistered,
    StakeAdded,
    StakeReserved,
    StakeReleased,
    StakeSlashed,
    RewardStaked,
    RewardClaimed,
    ListingChanged,
    ProviderExited,
)


class StakeBooks:
    """Amounts are atoms of credit. ``reserved`` is in the escrow, ``held`` in the registry; ``rewards`` are the parts of stakes that vest."""

    def __init__(self) -> None:
        self.providers: dict[Address, ProviderRecord] = {}
        self.rewards: dict[Address, RewardRecord] = {}
        self.reserved = 0
        self.staked = 0

    @property
    def held(self) -> int:
        """What the registry owes its providers."""
        return self.staked - self.reserved

    def fold(self, event: Event, origin: EventOrigin) -> ProviderRecord | None:
        """The provider after one of its events; None for an event that moves no stake.

        Raises:
            ChainMisbehaved: it does not follow what came before.
        """
        if not isinstance(event, _OF_STAKES):
            return None
        before = self.providers.get(event.provider)
        after = provider_fold.apply_event(before, event, origin)
        self.staked += after.stake - (before.stake if before else 0)
        self.reserved += after.reserved - (before.reserved if before else 0)
        self.providers[event.provider] = after
        reward = reward_after(self.rewards.get(event.provider), event, origin)
        if reward is not None:
            self.rewards[event.provider] = reward
        return after
