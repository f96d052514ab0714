"""Events of the institutions around the trades: the committee of verifiers, the panels of arbiters, the timelock that owns every parameter.

A class is named as its event, or clearer where two contracts share a name. They change no job's record; what they tell of a job is listed among
its events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from computility.domain.event import Event, EventType
from computility.domain.identifiers import Address, Bytes32

# ---------------------------------------------------------------- VerifierCommittee


@dataclass(frozen=True)
class MemberNamed(Event):
    EVENT = EventType("MemberNamed(address indexed member)")
    member: Address


@dataclass(frozen=True)
class MemberDismissed(Event):
    EVENT = EventType("MemberDismissed(address indexed member)")
    member: Address


@dataclass(frozen=True)
class MemberJoined(Event):
    EVENT = EventType("MemberJoined(address indexed member,uint104 stake)")
    member: Address
    stake: int


@dataclass(frozen=True)
class MemberServing(Event):
    EVENT = EventType("MemberServing(address indexed member,uint8 seat,uint40 fromBlock)")
    member: Address
    seat: int
    from_block: int


@dataclass(frozen=True)
class MemberLeaving(Event):
    EVENT = EventType("MemberLeaving(address indexed member,uint40 at)")
    member: Address
    at: int


@dataclass(frozen=True)
class MemberRetired(Event):
    EVENT = EventType("MemberRetired(address indexed member,uint40 at)")
    member: Address
    at: int


@dataclass(frozen=True)
class MemberLeft(Event):
    EVENT = EventType("MemberLeft(address indexed member,uint104 stake)")
    member: Address
    stake: int


@dataclass(frozen=True)
class BlockRecorded(Event):
    EVENT = EventType("BlockRecorded(uint256 indexed number,bytes32 hash)")
    number: int
    hash: Bytes32


@dataclass(frozen=True)
class FeeClaimed(Event):
    EVENT = EventType("FeeClaimed(bytes32 indexed job,uint104 fee,uint8 sharers,uint40 closesAt)")
    job: Bytes32
    fee: int
    sharers: int
    closes_at: int

    @property
    def job_id(self) -> Bytes32 | None:
        """None: it changes nothing of the job."""
        return None


@dataclass(frozen=True)
class MemberFeesWithdrawn(Event):
    EVENT = EventType("FeesWithdrawn(address indexed member,address indexed to,uint104 amount)")
    member: Address
    to: Address
    amount: int


@dataclass(frozen=True)
class MemberSlashed(Event):
    EVENT = EventType("MemberSlashed(address indexed member,bytes32 indexed job,uint104 stake)")
    member: Address
    job: Bytes32
    stake: int

    @property
    def job_id(self) -> Bytes32 | None:
        """None: it changes nothing of the job."""
        return None


# ---------------------------------------------------------------- Arbitration


@dataclass(frozen=True)
class ArbiterNamed(Event):
    EVENT = EventType("ArbiterNamed(address indexed arbiter)")
    arbiter: Address


@dataclass(frozen=True)
class ArbiterDismissed(Event):
    EVENT = EventType("ArbiterDismissed(address indexed arbiter)")
    arbiter: Address


@dataclass(frozen=True)
class ArbiterJoined(Event):
    EVENT = EventType("ArbiterJoined(address indexed arbiter,uint8 seat,uint104 stake)")
    arbiter: Address
    seat: int
    stake: int


@dataclass(frozen=True)
class ArbiterLeft(Event):
    EVENT = EventType("ArbiterLeft(address indexed arbiter,uint40 at)")
    arbiter: Address
    at: int


@dataclass(frozen=True)
class ArbiterStakeReleased(Event):
    EVENT = EventType("StakeReleased(address indexed arbiter,uint104 stake)")
    arbiter: Address
    stake: int


@dataclass(frozen=True)
class ArbiterFeesWithdrawn(Event):
    EVENT = EventType("FeesWithdrawn(address indexed arbiter,address indexed to,uint104 amount)")
    arbiter: Address
    to: Address
    amount: int


@dataclass(frozen=True)
class ArbiterPenalised(Event):
    EVENT = EventType("ArbiterPenalised(address indexed arbiter,uint256 indexed disputeId,uint8 round,uint104 amount)")
    arbiter: Address
    dispute_id: int
    round: int
    amount: int


@dataclass(frozen=True)
class DisputeCreation(Event):
    EVENT = EventType("DisputeCreation(uint256 indexed disputeId,address indexed arbitrable)")
    dispute_id: int
    arbitrable: Address


@dataclass(frozen=True)
class AppealDecision(Event):
    EVENT = EventType("AppealDecision(uint256 indexed disputeId,address indexed arbitrable)")
    dispute_id: int
    arbitrable: Address


@dataclass(frozen=True)
class Ruling(Event):
    EVENT = EventType("Ruling(address indexed arbitrable,uint256 indexed disputeId,uint256 ruling)")
    arbitrable: Address
    dispute_id: int
    ruling: int


@dataclass(frozen=True)
class MetaEvidence(Event):
    EVENT = EventType("MetaEvidence(uint256 indexed metaEvidenceId,string evidence)")
    meta_evidence_id: int
    evidence: str


@dataclass(frozen=True)
class Dispute(Event):
    EVENT = EventType(
        "Dispute(address indexed arbitrator,uint256 indexed disputeId,uint256 metaEvidenceId,uint256 evidenceGroupId)"
    )
    arbitrator: Address
    dispute_id: int
    meta_evidence_id: int
    evidence_group_id: int


@dataclass(frozen=True)
class Evidence(Event):
    EVENT = EventType(
        "Evidence(address indexed arbitrator,uint256 indexed evidenceGroupId,address indexed party,string evidence)"
    )
    arbitrator: Address
    evidence_group_id: int
    party: Address
    evidence: str


@dataclass(frozen=True)
class DisputeOpened(Event):
    EVENT = EventType("DisputeOpened(uint256 indexed disputeId,bytes32 indexed job)")
    dispute_id: int
    job: Bytes32

    @property
    def job_id(self) -> Bytes32 | None:
        """None: it changes nothing of the job."""
        return None


@dataclass(frozen=True)
class RoundBegun(Event):
    EVENT = EventType(
        "RoundBegun(uint256 indexed disputeId,uint8 round,uint40 commitBy,uint40 revealBy,uint40 appealBy)"
    )
    dispute_id: int
    round: int
    commit_by: int
    reveal_by: int
    appeal_by: int


@dataclass(frozen=True)
class PanelDrawn(Event):
    EVENT = EventType("PanelDrawn(uint256 indexed disputeId,uint8 round,uint256 seated)")
    dispute_id: int
    round: int
    seated: int


@dataclass(frozen=True)
class VoteCommitted(Event):
    EVENT = EventType("VoteCommitted(uint256 indexed disputeId,uint8 round,address indexed arbiter)")
    dispute_id: int
    round: int
    arbiter: Address


@dataclass(frozen=True)
class VoteRevealed(Event):
    EVENT = EventType(
        "VoteRevealed(uint256 indexed disputeId,uint8 round,address indexed arbiter,uint64 units,uint16 slashBps)"
    )
    dispute_id: int
    round: int
    arbiter: Address
    units: int
    slash_bps: int


@dataclass(frozen=True)
class DisputeVoid(Event):
    EVENT = EventType("DisputeVoid(uint256 indexed disputeId)")
    dispute_id: int


# ---------------------------------------------------------------- Timelock (TimelockController of OpenZeppelin)


@dataclass(frozen=True)
class CallScheduled(Event):
    EVENT = EventType(
        "CallScheduled(bytes32 indexed id,uint256 indexed index,address target,uint256 value,"
        "bytes data,bytes32 predecessor,uint256 delay)"
    )
    id: Bytes32
    index: int
    target: Address
    value: int
    data: bytes
    predecessor: Bytes32
    delay: int


@dataclass(frozen=True)
class CallExecuted(Event):
    EVENT = EventType("CallExecuted(bytes32 indexed id,uint256 indexed index,address target,uint256 value,bytes data)")
    id: Bytes32
    index: int
    target: Address
    value: int
    data: bytes


@dataclass(frozen=True)
class CallSalt(Event):
    EVENT = EventType("CallSalt(bytes32 indexed id,bytes32 salt)")
    id: Bytes32
    salt: Bytes32


@dataclass(frozen=True)
class CallCancelled(Event):
    EVENT = EventType("Cancelled(bytes32 indexed id)")
    id: Bytes32


@dataclass(frozen=True)
class MinDelayChange(Event):
    EVENT = EventType("MinDelayChange(uint256 oldDuration,uint256 newDuration)")
    old_duration: int
    new_duration: int


@dataclass(frozen=True)
class RoleGranted(Event):
    EVENT = EventType("RoleGranted(bytes32 indexed role,address indexed account,address indexed sender)")
    role: Bytes32
    account: Address
    sender: Address


@dataclass(frozen=True)
class RoleRevoked(Event):
    EVENT = EventType("RoleRevoked(bytes32 indexed role,address indexed account,address indexed sender)")
    role: Bytes32
    account: Address
    sender: Address


@dataclass(frozen=True)
class RoleAdminChanged(Event):
    EVENT = EventType(
        "RoleAdminChanged(bytes32 indexed role,bytes32 indexed previousAdminRole,bytes32 indexed newAdminRole)"
    )
    role: Bytes32
    previous_admin_role: Bytes32
    new_admin_role: Bytes32


COMMITTEE_EVENTS: Final[tuple[type[Event], ...]] = (
    MemberNamed,
    MemberDismissed,
    MemberJoined,
    MemberServing,
    MemberLeaving,
    MemberRetired,
    MemberLeft,
    BlockRecorded,
    FeeClaimed,
    MemberFeesWithdrawn,
    MemberSlashed,
)
ARBITRATION_EVENTS: Final[tuple[type[Event], ...]] = (
    ArbiterNamed,
    ArbiterDismissed,
    ArbiterJoined,
    ArbiterLeft,
    ArbiterStakeReleased,
    ArbiterFeesWithdrawn,
    ArbiterPenalised,
    DisputeCreation,
    AppealDecision,
    Ruling,
    MetaEvidence,
    Dispute,
    Evidence,
    DisputeOpened,
    RoundBegun,
    PanelDrawn,
    VoteCommitted,
    VoteRevealed,
    DisputeVoid,
)
TIMELOCK_EVENTS: Final[tuple[type[Event], ...]] = (
    CallScheduled,
    CallExecuted,
    CallSalt,
    CallCancelled,
    MinDelayChange,
    RoleGranted,
    RoleRevoked,
    RoleAdminChanged,
)
