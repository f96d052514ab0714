"""The contracts' events as frozen dataclasses: the ledger itself.

A class names its Solidity event in ``EVENT`` (``Name(type indexed? name,…)``); its fields are the same names in snake case. Hashes and addresses
are canonical hex, integers are integers, ``terms`` of ``JobOpened`` is ``Terms``. From the signature follow the topic and the decoder
(``chain.log_decoding``), so an event is written down once.

Long on purpose: all events of the ledger, one below the other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

from computility.domain.event import Event, EventField, EventOrigin, EventType
from computility.domain.identifiers import Address, Bytes32
from computility.domain.institution_events import ARBITRATION_EVENTS, COMMITTEE_EVENTS, TIMELOCK_EVENTS
from computility.domain.terms import Terms

__all__ = ["Event", "EventField", "EventOrigin", "EventType"]
# Besides the events themselves, for whoever deals in them.


# ---------------------------------------------------------------- JobEscrow


@dataclass(frozen=True)
class Deposited(Event):
    EVENT = EventType("Deposited(address indexed account,address indexed from,uint104 amount)")
    account: Address
    from_: Address
    amount: int


@dataclass(frozen=True)
class Withdrawn(Event):
    EVENT = EventType("Withdrawn(address indexed account,address indexed to,uint104 amount)")
    account: Address
    to: Address
    amount: int


@dataclass(frozen=True)
class SpendingConsentChanged(Event):
    EVENT = EventType("SpendingConsentChanged(address indexed account,bool optedIn)")
    account: Address
    opted_in: bool


@dataclass(frozen=True)
class NoncesCancelled(Event):
    EVENT = EventType("NoncesCancelled(address indexed account,uint48 minNonce)")
    account: Address
    min_nonce: int


@dataclass(frozen=True)
class BondStaked(Event):
    """Before ``JobOpened``: of the job's bond, what comes from the provider's stake."""

    EVENT = EventType("BondStaked(bytes32 indexed job,address indexed provider,uint104 amount)")
    job: Bytes32
    provider: Address
    amount: int

    @property
    def job_id(self) -> Bytes32 | None:
        """None: it moves credits of the provider, and nothing of the job, which opens only after it."""
        return None


@dataclass(frozen=True)
class BondUnstaked(Event):
    """After a close: what of that was not slashed goes back to the stake."""

    EVENT = EventType("BondUnstaked(bytes32 indexed job,address indexed provider,uint104 amount)")
    job: Bytes32
    provider: Address
    amount: int

    @property
    def job_id(self) -> Bytes32 | None:
        """None: it moves credits of the provider, and nothing of the job, which is closed already."""
        return None


@dataclass(frozen=True)
class JobOpened(Event):
    EVENT = EventType(
        "JobOpened(bytes32 indexed job,address indexed buyer,address indexed provider,Terms terms,uint16 feeBps,uint104 escrow,uint104 fromWallet)"
    )
    job: Bytes32
    buyer: Address
    provider: Address
    terms: Terms
    fee_bps: int
    escrow: int
    from_wallet: int


@dataclass(frozen=True)
class JobAttested(Event):
    EVENT = EventType(
        "JobAttested(bytes32 indexed job,uint8 verdict,bytes32 result,uint64 units,bool isFinal,uint16 qualityBps,bytes32 meterRoot,"
        "bytes32 evidence,uint64 accepted,uint8 outcome,uint64 pending,uint40 deadline)"
    )
    job: Bytes32
    verdict: int
    result: Bytes32
    units: int
    is_final: bool
    quality_bps: int
    meter_root: Bytes32
    evidence: Bytes32
    accepted: int
    outcome: int
    pending: int
    deadline: int


@dataclass(frozen=True)
class JobProposed(Event):
    EVENT = EventType("JobProposed(bytes32 indexed job,uint64 units,bytes32 result,uint40 deadline)")
    job: Bytes32
    units: int
    result: Bytes32
    deadline: int


@dataclass(frozen=True)
class JobDisputed(Event):
    EVENT = EventType("JobDisputed(bytes32 indexed job,address indexed by,uint40 deadline)")
    job: Bytes32
    by: Address
    deadline: int


@dataclass(frozen=True)
class JobRuled(Event):
    EVENT = EventType("JobRuled(bytes32 indexed job,uint64 units,uint16 slashBps,uint16 costBps)")
    job: Bytes32
    units: int
    slash_bps: int
    cost_bps: int


@dataclass(frozen=True)
class JobClosed(Event):
    EVENT = EventType(
        "JobClosed(bytes32 indexed job,address indexed caller,uint8 cause,uint8 outcome,uint64 units,uint104 providerPaid,uint104 fee,"
        "uint104 refund,uint104 verifierPaid,uint104 arbiterFromEscrow,uint104 arbiterFromBond,uint104 bondReturned,uint104 bondToBuyer,"
        "uint104 bondToTreasury,uint104 toWallet)"
    )
    job: Bytes32
    caller: Address
    cause: int
    outcome: int
    units: int
    provider_paid: int
    fee: int
    refund: int
    verifier_paid: int
    arbiter_from_escrow: int
    arbiter_from_bond: int
    bond_returned: int
    bond_to_buyer: int
    bond_to_treasury: int
    to_wallet: int


@dataclass(frozen=True)
class JobPaid(Event):
    """A final pass that paid at once: attestation and close in one event."""

    EVENT = EventType(
        "JobPaid(bytes32 indexed job,address indexed caller,bytes32 result,uint64 attested,uint16 qualityBps,bytes32 meterRoot,"
        "bytes32 evidence,uint64 units,uint104 providerPaid,uint104 fee,uint104 refund,uint104 verifierPaid,uint104 toWallet)"
    )
    job: Bytes32
    caller: Address
    result: Bytes32
    attested: int
    quality_bps: int
    meter_root: Bytes32
    evidence: Bytes32
    units: int
    provider_paid: int
    fee: int
    refund: int
    verifier_paid: int
    to_wallet: int


@dataclass(frozen=True)
class JobSkipped(Event):
    """An item of a batch reverted and changed nothing. ``error`` is its selector from the left, then two words of its arguments."""

    EVENT = EventType(
        "JobSkipped(bytes32 indexed job,address indexed caller,uint256 index,bytes32 error,bytes32 first,bytes32 second)"
    )
    job: Bytes32
    caller: Address
    index: int
    error: Bytes32
    first: Bytes32
    second: Bytes32

    @property
    def job_id(self) -> Bytes32 | None:
        """None: the job may not exist, and nothing of it changed, so no fold concerns it."""
        return None

    @property
    def told_job(self) -> Bytes32 | None:
        """None: anybody can have a batch skip an item that names any job."""
        return None

    @property
    def revert_data(self) -> bytes:
        """What the item reverted with: a selector and up to two words."""
        return bytes.fromhex(self.error[2:10] + self.first[2:] + self.second[2:]) if int(self.error, 16) else b""


@dataclass(frozen=True)
class JobCancelled(Event):
    EVENT = EventType("JobCancelled(bytes32 indexed job,address indexed by)")
    job: Bytes32
    by: Address


@dataclass(frozen=True)
class FeesCollected(Event):
    EVENT = EventType("FeesCollected(address indexed treasury,uint104 amount)")
    treasury: Address
    amount: int


@dataclass(frozen=True)
class ParametersChanged(Event):
    EVENT = EventType(
        "ParametersChanged(uint16[4] feeBps,uint24[4] bondBps,uint24[4] maxLocked,uint32 minDisputeWindow,address treasury,address guardian)"
    )
    fee_bps: tuple[int, ...]
    bond_bps: tuple[int, ...]
    max_locked: tuple[int, ...]
    min_dispute_window: int
    treasury: Address
    guardian: Address


@dataclass(frozen=True)
class Paused(Event):
    EVENT = EventType("Paused(address indexed by)")
    by: Address


@dataclass(frozen=True)
class Unpaused(Event):
    EVENT = EventType("Unpaused(address indexed by)")
    by: Address


# ---------------------------------------------------------------- ProviderRegistry


@dataclass(frozen=True)
class ProviderRegistered(Event):
    EVENT = EventType("ProviderRegistered(address indexed provider,uint104 stake)")
    provider: Address
    stake: int


@dataclass(frozen=True)
class StakeAdded(Event):
    EVENT = EventType("StakeAdded(address indexed provider,uint104 amount,uint104 stake)")
    provider: Address
    amount: int
    stake: int


@dataclass(frozen=True)
class StakeReserved(Event):
    EVENT = EventType("StakeReserved(address indexed provider,uint104 amount,uint104 reserved)")
    provider: Address
    amount: int
    reserved: int


@dataclass(frozen=True)
class StakeReleased(Event):
    EVENT = EventType("StakeReleased(address indexed provider,uint104 amount,uint104 reserved)")
    provider: Address
    amount: int
    reserved: int


@dataclass(frozen=True)
class StakeSlashed(Event):
    EVENT = EventType("StakeSlashed(address indexed provider,uint104 amount,uint104 stake)")
    provider: Address
    amount: int
    stake: int


@dataclass(frozen=True)
class RewardStaked(Event):
    EVENT = EventType("RewardStaked(address indexed provider,uint104 amount,uint40 end)")
    provider: Address
    amount: int
    end: int


@dataclass(frozen=True)
class RewardClaimed(Event):
    EVENT = EventType("RewardClaimed(address indexed provider,uint104 amount,uint104 stake)")
    provider: Address
    amount: int
    stake: int


@dataclass(frozen=True)
class ListingChanged(Event):
    EVENT = EventType("ListingChanged(address indexed provider,bool listed)")
    provider: Address
    listed: bool


@dataclass(frozen=True)
class ResourceListed(Event):
    EVENT = EventType("ResourceListed(address indexed provider,bytes32 indexed resource)")
    provider: Address
    resource: Bytes32


@dataclass(frozen=True)
class ResourceRetired(Event):
    EVENT = EventType("ResourceRetired(address indexed provider,bytes32 indexed resource)")
    provider: Address
    resource: Bytes32


@dataclass(frozen=True)
class ExitRequested(Event):
    EVENT = EventType("ExitRequested(address indexed provider,uint40 at)")
    provider: Address
    at: int


@dataclass(frozen=True)
class ProviderExited(Event):
    EVENT = EventType("ProviderExited(address indexed provider,uint104 stake)")
    provider: Address
    stake: int


@dataclass(frozen=True)
class RulesChanged(Event):
    EVENT = EventType("RulesChanged(uint104 minStake,uint32 unbonding,bool openAdmission)")
    min_stake: int
    unbonding: int
    open_admission: bool


@dataclass(frozen=True)
class AdmissionChanged(Event):
    EVENT = EventType("AdmissionChanged(address indexed provider,bool admitted)")
    provider: Address
    admitted: bool


ESCROW_EVENTS: Final[tuple[type[Event], ...]] = (
    Deposited,
    Withdrawn,
    SpendingConsentChanged,
    NoncesCancelled,
    BondStaked,
    BondUnstaked,
    JobOpened,
    JobAttested,
    JobProposed,
    JobDisputed,
    JobRuled,
    JobClosed,
    JobPaid,
    JobSkipped,
    JobCancelled,
    FeesCollected,
    ParametersChanged,
    Paused,
    Unpaused,
)
REGISTRY_EVENTS: Final[tuple[type[Event], ...]] = (
    ProviderRegistered,
    StakeAdded,
    StakeReserved,
    StakeReleased,
    StakeSlashed,
    RewardStaked,
    RewardClaimed,
    ListingChanged,
    ResourceListed,
    ResourceRetired,
    ExitRequested,
    ProviderExited,
    RulesChanged,
    AdmissionChanged,
)

# Which events are read from which contract of a generation. Credit scores have none: they follow from the escrow's (``domain.scores``).
# A log of another contract, or with another topic, is none of ours.
EVENTS_BY_CONTRACT: Final[dict[str, tuple[type[Event], ...]]] = {
    "JobEscrow": ESCROW_EVENTS,
    "ProviderRegistry": REGISTRY_EVENTS,
    "VerifierCommittee": COMMITTEE_EVENTS,
    "Arbitration": ARBITRATION_EVENTS,
    "Timelock": TIMELOCK_EVENTS,
}


def _check_declarations() -> None:
    for cls in (event for events in EVENTS_BY_CONTRACT.values() for event in events):
        declared = [field.python_name for field in cls.EVENT.fields]
        if declared != [field.name for field in dataclasses.fields(cls)]:
            raise TypeError(f"the fields of {cls.__name__} differ from its declaration")


_check_declarations()
