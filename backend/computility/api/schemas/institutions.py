"""Committees, panels, disputes and timelocks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from computility.api.schemas.wire import Address, Amount, Answer, Bps, Bytes32, Confirmation, Page, Time, Units

Seat = Literal["none", "joining", "serving", "leaving", "left"]
DisputeStatus = Literal["open", "ruled", "void"]


class MemberRow(Answer):
    """A verifier of the committee, or an arbiter of the panel."""

    institution: Annotated[Address, Field(description="The contract whose member it is.")]
    account: Address
    named: Annotated[bool, Field(description="By the owner: may join.", examples=[True])]
    seat: Seat
    place: Annotated[int | None, Field(description="Its place among the seats, while it has one.", examples=[0])]
    stake: Amount
    since: Annotated[Time, Field(description="When the seat last changed.")]
    fees_withdrawn: Amount
    lost: Annotated[Amount, Field(description="Taken of its stakes.")]
    votes: Annotated[int, Field(ge=0, description="Revealed; of arbiters.", examples=[4])]
    missed: Annotated[
        int, Field(ge=0, description="Penalties for votes that were not revealed; of arbiters.", examples=[0])
    ]
    confirmation: Confirmation


class MemberPage(Page[MemberRow]):
    """Members, by address."""


class VoteRow(Answer):
    """What one arbiter did in one round. Null for what it has not done."""

    round: Annotated[int, Field(ge=0, examples=[0])]
    arbiter: Address
    committed_at: Time | None
    revealed_at: Time | None
    units: Units | None
    slash_bps: Bps | None
    penalty: Amount
    confirmation: Confirmation


class DisputeRow(Answer):
    """A dispute before a panel. The windows are those of its newest round; what a ruling says is null without one."""

    institution: Annotated[Address, Field(description="The panel's contract.")]
    id: Annotated[str, Field(pattern=r"^[0-9]+$", examples=["1"])]
    job: Bytes32
    status: DisputeStatus
    rounds: Annotated[int, Field(ge=0, examples=[1])]
    opened_at: Time
    ended_at: Time | None
    commit_by: Time
    reveal_by: Time
    appeal_by: Time
    seats_drawn: Annotated[int, Field(ge=0, examples=[3])]
    commitments: Annotated[int, Field(ge=0, examples=[3])]
    votes_revealed: Annotated[int, Field(ge=0, examples=[3])]
    evidence: Annotated[int, Field(ge=0, description="Pieces that parties named.", examples=[1])]
    penalties: Amount
    units: Annotated[Units | None, Field(description="Payable, by the ruling.")]
    slash_bps: Annotated[Bps | None, Field(description="Of the bond, by the ruling.")]
    confirmation: Confirmation


class DisputeWithVotes(DisputeRow):
    """A dispute, with what each arbiter did."""

    votes: list[VoteRow]


class DisputePage(Page[DisputeRow]):
    """Disputes, the newest first."""


class OperationCall(Answer):
    """One call that an operation makes."""

    target: Address
    data: Annotated[str, Field(pattern=r"^0x([0-9a-f]{2})*$", examples=["0x8456cb59"])]


class OperationRow(Answer):
    """What was scheduled with a timelock: it takes effect no earlier than ``ready_at``, if at all."""

    institution: Annotated[Address, Field(description="The timelock.")]
    id: Bytes32
    status: Literal["waiting", "executed", "cancelled"]
    calls: list[OperationCall]
    scheduled_at: Time
    ready_at: Time
    executed_at: Time | None
    cancelled_at: Time | None
    confirmation: Confirmation


class OperationPage(Page[OperationRow]):
    """Operations, those that were scheduled last first."""


class RoleRow(Answer):
    """Whether an account has a role of a timelock: may schedule, cancel or execute what takes effect after a delay, or grant roles."""

    institution: Annotated[Address, Field(description="The timelock.")]
    role: Bytes32
    name: Annotated[
        Literal["admin", "proposer", "canceller", "executor"] | None,
        Field(description="What the role is called; null of one that no timelock knows."),
    ]
    account: Annotated[Address, Field(description="The zero address as executor stands for everybody.")]
    held: Annotated[bool, Field(description="False once it was revoked or renounced.", examples=[True])]
    since: Annotated[Time, Field(description="When it was granted or revoked last.")]
    by: Annotated[Address, Field(description="Who granted or revoked it.")]
    confirmation: Confirmation


class RolePage(Page[RoleRow]):
    """Roles, by timelock, role and account."""
