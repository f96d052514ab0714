"""What the institutions' events say: members of committees and panels, disputes with their votes, operations and roles of a timelock. Pure
folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Literal

from computility.domain import institution_events as on
from computility.domain.errors import ChainMisbehaved
from computility.domain.event import Event, EventOrigin
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, keccak_bytes32

_UNITS_BITS: Final = 64
_LATEST_S: Final = 2**40 - 1
"""The last UTC second that a time of the ledger is shown as: for an operation, never."""


class Seat(IntEnum):
    """How a member stands. As ``IVerifierCommittee.Duty``; an arbiter serves as soon as it has joined."""

    NONE = 0
    JOINING = 1
    SERVING = 2
    LEAVING = 3
    LEFT = 4


@dataclass(frozen=True)
class MemberRecord:
    """A member of a committee or a panel. Amounts are atoms of credit, times UTC seconds; ``place`` is its seat, None before it had one."""

    account: Address
    named: bool = False
    seat: Seat = Seat.NONE
    place: int | None = None
    stake: int = 0
    since: int = 0
    fees_withdrawn: int = 0
    lost: int = 0
    votes: int = 0
    missed: int = 0
    block: int = 0


def member_after(record: MemberRecord | None, account: Address, event: Event, origin: EventOrigin) -> MemberRecord:
    """A member after one of its events. ``missed`` counts penalties for votes that were not revealed; ``lost`` is what it lost of its stake."""
    before = record or MemberRecord(account)
    at: dict[str, Any] = {"since": origin.timestamp, "block": origin.block_number}
    match event:
        case on.MemberNamed() | on.ArbiterNamed():
            return replace(before, named=True, block=origin.block_number)
        case on.MemberDismissed() | on.ArbiterDismissed():
            return replace(before, named=False, block=origin.block_number)
        case on.MemberJoined():
            return replace(before, seat=Seat.JOINING, stake=event.stake, **at)
        case on.ArbiterJoined():
            return replace(before, seat=Seat.SERVING, place=event.seat, stake=event.stake, **at)
        case on.MemberServing():
            return replace(before, seat=Seat.SERVING, place=event.seat, **at)
        case on.MemberLeaving():
            return replace(before, seat=Seat.LEAVING, **at)
        case on.ArbiterLeft() | on.MemberRetired():
            return replace(before, seat=Seat.LEFT, **at)
        case on.MemberLeft() | on.ArbiterStakeReleased():
            return replace(before, seat=Seat.NONE, stake=0, **at)
        case on.MemberSlashed():
            return replace(before, seat=Seat.LEFT, stake=0, lost=before.lost + event.stake, **at)
        case on.ArbiterPenalised():
            return replace(
                before,
                stake=before.stake - event.amount,
                lost=before.lost + event.amount,
                missed=before.missed + 1,
                block=origin.block_number,
            )
        case on.MemberFeesWithdrawn() | on.ArbiterFeesWithdrawn():
            return replace(before, fees_withdrawn=before.fees_withdrawn + event.amount, block=origin.block_number)
        case on.VoteRevealed():
            return replace(before, votes=before.votes + 1, block=origin.block_number)
        case _:
            raise ChainMisbehaved(f"{type(event).__name__} is no event of a member")


def member_of(event: Event) -> Address | None:
    """The member whose record an event changes, if any."""
    if isinstance(event, _OF_A_MEMBER):
        account: Address = getattr(event, event.EVENT.indexed[0].python_name)
        return account
    return event.arbiter if isinstance(event, on.VoteRevealed) else None


_OF_A_MEMBER: Final = (
    on.MemberNamed,
    on.MemberDismissed,
    on.MemberJoined,
    on.MemberServing,
    on.MemberLeaving,
    on.MemberRetired,
    on.MemberLeft,
    on.MemberFeesWithdrawn,
    on.MemberSlashed,
    on.ArbiterNamed,
    on.ArbiterDismissed,
    on.ArbiterJoined,
    on.ArbiterLeft,
    on.ArbiterStakeReleased,
    on.ArbiterFeesWithdrawn,
    on.ArbiterPenalised,
)


class DisputeStatus(IntEnum):
    """As ``IArbitration.Status``."""

    OPEN = 1
    RULED = 2
    VOID = 3


@dataclass(frozen=True)
class DisputeRecord:
    """A dispute before a panel. Times are those of the newest round, UTC seconds; ``votes`` and ``commitments`` are counted over all rounds.

    ``units`` and ``slash_bps`` are the ruling's, None without one.
    """

    id: int
    job: Bytes32
    status: DisputeStatus
    rounds: int
    opened_at: int
    ended_at: int | None = None
    commit_by: int = 0
    reveal_by: int = 0
    appeal_by: int = 0
    seats_drawn: int = 0
    commitments: int = 0
    votes: int = 0
    evidence: int = 0
    penalties: int = 0
    units: int | None = None
    slash_bps: int | None = None
    block: int = 0


def dispute_of(event: Event) -> int | None:
    """The dispute that an event of ``Arbitration`` is about, if any."""
    if isinstance(event, on.Evidence):
        return event.evidence_group_id
    found: int | None = getattr(event, "dispute_id", None)
    return found


def dispute_after(record: DisputeRecord | None, event: Event, origin: EventOrigin) -> DisputeRecord | None:
    """A dispute after one of its events; None before ``DisputeOpened``, which says what it is about (ERC-792's own events come first).

    Raises:
        ChainMisbehaved: it cannot follow: one before it is missing, or it came twice.
    """
    if isinstance(event, on.DisputeOpened):
        if record is not None:
            raise ChainMisbehaved(f"dispute {event.dispute_id} was opened twice")
        return DisputeRecord(
            event.dispute_id, event.job, DisputeStatus.OPEN, 0, origin.timestamp, block=origin.block_number
        )
    if isinstance(event, on.DisputeCreation | on.Dispute):
        return record
    if record is None:
        raise ChainMisbehaved(
            f"{type(event).__name__} of dispute {dispute_of(event)} does not follow what was read before it"
        )
    seen = replace(record, block=origin.block_number)
    match event:
        case on.RoundBegun():
            return replace(
                seen,
                rounds=event.round + 1,
                commit_by=event.commit_by,
                reveal_by=event.reveal_by,
                appeal_by=event.appeal_by,
            )
        case on.PanelDrawn():
            return replace(seen, seats_drawn=seen.seats_drawn + event.seated.bit_count())
        case on.VoteCommitted():
            return replace(seen, commitments=seen.commitments + 1)
        case on.VoteRevealed():
            return replace(seen, votes=seen.votes + 1)
        case on.Evidence():
            return replace(seen, evidence=seen.evidence + 1)
        case on.ArbiterPenalised():
            return replace(seen, penalties=seen.penalties + event.amount)
        case on.Ruling():
            # One word: 1 + units · 2^16 + slashBps (``Arbitration.currentRuling``).
            units, slash_bps = divmod(event.ruling - 1, 1 << 16)
            if units >> _UNITS_BITS:
                raise ChainMisbehaved(f"dispute {event.dispute_id} was ruled {event.ruling}, which no panel can rule")
            return replace(
                seen, status=DisputeStatus.RULED, ended_at=origin.timestamp, units=units, slash_bps=slash_bps
            )
        case on.DisputeVoid():
            return replace(seen, status=DisputeStatus.VOID, ended_at=origin.timestamp)
        case _:
            return seen


@dataclass(frozen=True)
class VoteRecord:
    """What one arbiter did in one round. None for what it has not done; ``penalty`` is what not revealing cost it."""

    committed_at: int | None = None
    revealed_at: int | None = None
    units: int | None = None
    slash_bps: int | None = None
    penalty: int = 0
    block: int = 0


def vote_of(event: Event) -> tuple[int, int, Address] | None:
    """The dispute, round and arbiter whose vote an event tells of, if any."""
    if isinstance(event, on.VoteCommitted | on.VoteRevealed | on.ArbiterPenalised):
        return event.dispute_id, event.round, event.arbiter
    return None


def vote_after(record: VoteRecord | None, event: Event, origin: EventOrigin) -> VoteRecord:
    """A vote after one of its events. A commitment may be replaced until the commitments are due."""
    seen = replace(record or VoteRecord(), block=origin.block_number)
    match event:
        case on.VoteCommitted():
            return replace(seen, committed_at=origin.timestamp)
        case on.VoteRevealed():
            return replace(seen, revealed_at=origin.timestamp, units=event.units, slash_bps=event.slash_bps)
        case on.ArbiterPenalised():
            return replace(seen, penalty=event.amount)
        case _:
            raise ChainMisbehaved(f"{type(event).__name__} is no event of a vote")


@dataclass(frozen=True)
class OperationRecord:
    """An operation of a timelock: calls that take effect together, after a delay. ``ready_at`` in UTC seconds."""

    id: Bytes32
    calls: tuple[tuple[str, str], ...]
    """Target and calldata (0x hex) of each call, by its index."""
    scheduled_at: int
    ready_at: int
    executed_at: int | None = None
    cancelled_at: int | None = None
    block: int = 0

    @property
    def status(self) -> Literal["waiting", "executed", "cancelled"]:
        """What became of it."""
        if self.cancelled_at is not None:
            return "cancelled"
        return "waiting" if self.executed_at is None else "executed"


def operation_after(record: OperationRecord | None, event: Event, origin: EventOrigin) -> OperationRecord | None:
    """An operation after one of its events; None for an event of none.

    Raises:
        ChainMisbehaved: it cannot follow.
    """
    match event:
        case on.CallScheduled():
            # An operation that was cancelled may be scheduled again.
            begun = record is not None and record.cancelled_at is None and event.index > 0
            calls = record.calls if record is not None and begun else ()
            return OperationRecord(
                event.id,
                (*calls, (event.target, "0x" + event.data.hex())),
                origin.timestamp,
                # A proposer may choose any delay, also one that no column holds.
                min(origin.timestamp + event.delay, _LATEST_S),
                block=origin.block_number,
            )
        case on.CallExecuted():
            # What anybody could execute without a delay was never scheduled.
            return None if record is None else replace(record, executed_at=origin.timestamp, block=origin.block_number)
        case on.CallCancelled():
            if record is None:
                raise ChainMisbehaved(f"operation {event.id} was cancelled before it was scheduled")
            return replace(record, cancelled_at=origin.timestamp, block=origin.block_number)
        case _:
            return record


@dataclass(frozen=True)
class RoleRecord:
    """Whether an account has a role of a timelock, since when and by whom it was granted or revoked last. ``since`` in UTC seconds.

    Whoever is the executor as the zero address stands for everybody.
    """

    role: Bytes32
    account: Address
    held: bool
    since: int
    by: Address
    block: int = 0

    @property
    def name(self) -> str | None:
        """What the role is called; None of one that no timelock knows."""
        return ROLE_NAMES.get(self.role)


ROLE_NAMES: Final[Mapping[Bytes32, str]] = {
    ZERO_BYTES32: "admin",
    **{keccak_bytes32(f"{name.upper()}_ROLE".encode()): name for name in ("proposer", "canceller", "executor")},
}
"""As OpenZeppelin's ``TimelockController`` names them; the admin grants and revokes all of them."""


def role_of(event: Event) -> tuple[Bytes32, Address] | None:
    """The role and the account that an event grants or revokes, if any. ``RoleAdminChanged`` is none: no timelock of ours can emit it."""
    if isinstance(event, on.RoleGranted | on.RoleRevoked):
        return event.role, event.account
    return None


def role_after(record: RoleRecord | None, event: Event, origin: EventOrigin) -> RoleRecord:
    """A role after one of its events.

    Raises:
        ChainMisbehaved: it cannot follow: what is held is not granted, what is not held is not revoked.
    """
    if not isinstance(event, on.RoleGranted | on.RoleRevoked):
        raise ChainMisbehaved(f"{type(event).__name__} is no event of a role")
    granted = isinstance(event, on.RoleGranted)
    if granted is (record is not None and record.held):
        raise ChainMisbehaved(
            f"{type(event).__name__} of role {event.role} of {event.account} does not follow what was read before it"
        )
    return RoleRecord(event.role, event.account, granted, origin.timestamp, event.sender, origin.block_number)
