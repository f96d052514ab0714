"""Committees, panels and timelocks folded in memory: what an auditor holds the store's rows against."""

from __future__ import annotations

from computility.domain.event import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32
from computility.domain.institution_events import TIMELOCK_EVENTS
from computility.domain.institutions import (
    DisputeRecord,
    MemberRecord,
    OperationRecord,
    RoleRecord,
    VoteRecord,
    dispute_after,
    dispute_of,
    member_after,
    member_of,
    operation_after,
    role_after,
    role_of,
    vote_after,
    vote_of,
)


class InstitutionBooks:
    """By the institution's address, and by account, dispute, vote (dispute, round, arbiter), operation or role (role, account)."""

    def __init__(self) -> None:
        self.members: dict[tuple[Address, Address], MemberRecord] = {}
        self.disputes: dict[tuple[Address, int], DisputeRecord] = {}
        self.votes: dict[tuple[Address, int, int, Address], VoteRecord] = {}
        self.operations: dict[tuple[Address, Bytes32], OperationRecord] = {}
        self.roles: dict[tuple[Address, Bytes32, Address], RoleRecord] = {}

    def fold(self, event: Event, origin: EventOrigin) -> None:
        """Apply one event.

        Raises:
            ChainMisbehaved: it does not follow what came before.
        """
        at = origin.address
        if isinstance(event, TIMELOCK_EVENTS):
            if (role := role_of(event)) is not None:
                self.roles[at, *role] = role_after(self.roles.get((at, *role)), event, origin)
            identifier = getattr(event, "id", None)
            operation = operation_after(self.operations.get((at, identifier)), event, origin) if identifier else None
            if operation is not None:
                self.operations[at, operation.id] = operation
            return
        if (account := member_of(event)) is not None:
            self.members[at, account] = member_after(self.members.get((at, account)), account, event, origin)
        if (number := dispute_of(event)) is not None:
            dispute = dispute_after(self.disputes.get((at, number)), event, origin)
            if dispute is not None:
                self.disputes[at, number] = dispute
        if (vote := vote_of(event)) is not None:
            self.votes[at, *vote] = vote_after(self.votes.get((at, *vote)), event, origin)
