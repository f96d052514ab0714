"""A provider as the registry's events tell it: a pure fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    AdmissionChanged,
    Event,
    EventOrigin,
    ExitRequested,
    ListingChanged,
    ProviderExited,
    ProviderRegistered,
    ResourceListed,
    ResourceRetired,
    RewardClaimed,
    RewardStaked,
    RulesChanged,
    StakeAdded,
    StakeReleased,
    StakeReserved,
    StakeSlashed,
)
from computility.domain.identifiers import Address, Bytes32

OF_NO_PROVIDER: Final = (RulesChanged, AdmissionChanged)
"""Events of the registry that change nothing of a provider: who may register is asked of the contract."""


@dataclass(frozen=True)
class ProviderRecord:
    """``stake`` in atoms of credit, ``reserved`` what of it stands behind open jobs, times in UTC seconds; ``resources`` ascending."""

    address: Address
    stake: int = 0
    registered_at: int | None = None
    exit_requested_at: int | None = None
    exited_at: int | None = None
    resources: tuple[Bytes32, ...] = ()
    reserved: int = 0
    suspended: bool = False

    @property
    def active(self) -> bool:
        """In, has not asked to leave, and no slash has left it too small a stake: may be named in new jobs."""
        return self.stake > 0 and self.exit_requested_at is None and not self.suspended


def apply_event(record: ProviderRecord | None, event: Event, origin: EventOrigin) -> ProviderRecord:
    """The provider after one of its events.

    Raises:
        ChainMisbehaved: the event cannot follow what was read before it.
    """
    if isinstance(event, ProviderRegistered):
        before = record or ProviderRecord(event.provider)
        return replace(
            before,
            stake=event.stake,
            registered_at=origin.timestamp,
            exit_requested_at=None,
            exited_at=None,
            suspended=False,
        )
    if record is None:
        raise ChainMisbehaved(f"{type(event).__name__} of a provider that never registered")
    match event:
        case StakeAdded() | StakeSlashed() | RewardClaimed():
            return replace(record, stake=event.stake)
        case RewardStaked():
            return record  # the stake came with ``StakeAdded``
        case StakeReserved() | StakeReleased():
            return replace(record, reserved=event.reserved)
        case ListingChanged():
            return replace(record, suspended=not event.listed)
        case ResourceListed():
            return replace(record, resources=tuple(sorted({*record.resources, event.resource})))
        case ResourceRetired():
            return replace(record, resources=tuple(r for r in record.resources if r != event.resource))
        case ExitRequested():
            return replace(record, exit_requested_at=event.at)
        case ProviderExited():
            return replace(record, stake=0, exited_at=origin.timestamp)
    raise ChainMisbehaved(f"{type(event).__name__} is no event of a provider")
