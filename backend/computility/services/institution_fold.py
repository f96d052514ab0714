"""Folds the events of committees, panels and timelocks into their rows, and knows to which job's story each belongs."""

from __future__ import annotations

from collections.abc import Sequence

from computility.domain.event import Event, EventOrigin
from computility.domain.institution_events import TIMELOCK_EVENTS, DisputeOpened
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
from computility.services.incoming import IncomingLog
from computility.services.log_kinds import LogKind
from computility.services.projected_rows import Rows


class InstitutionFold:
    """Rows by the institution's address, and by account, dispute, vote, operation or role."""

    def __init__(
        self,
        members: Rows[MemberRecord],
        disputes: Rows[DisputeRecord],
        votes: Rows[VoteRecord],
        operations: Rows[OperationRecord],
        roles: Rows[RoleRecord],
    ) -> None:
        self._members = members
        self._disputes = disputes
        self._votes = votes
        self._operations = operations
        self._roles = roles

    def apply(self, kind: LogKind, event: Event, origin: EventOrigin) -> None:
        """Fold one event.

        Raises:
            ChainMisbehaved: it does not follow what was folded before.
        """
        at = kind.address_bytes
        if isinstance(event, TIMELOCK_EVENTS):
            if (granted := role_of(event)) is not None:
                key = at, bytes.fromhex(granted[0][2:]), bytes.fromhex(granted[1][2:])
                self._roles.put(key, role_after(self._roles.get(key), event, origin))
            identifier = getattr(event, "id", None)
            if identifier is not None:
                place = at, bytes.fromhex(identifier[2:])
                operation = operation_after(self._operations.get(place), event, origin)
                if operation is not None:
                    self._operations.put(place, operation)
            return
        if (account := member_of(event)) is not None:
            member = at, bytes.fromhex(account[2:])
            self._members.put(member, member_after(self._members.get(member), account, event, origin))
        if (number := dispute_of(event)) is not None:
            brought = at, number.to_bytes(32, "big")
            dispute = dispute_after(self._disputes.get(brought), event, origin)
            if dispute is not None:
                self._disputes.put(brought, dispute)
        if (vote := vote_of(event)) is not None:
            of, round_number, arbiter = vote
            cast = at, of.to_bytes(32, "big"), round_number, bytes.fromhex(arbiter[2:])
            self._votes.put(cast, vote_after(self._votes.get(cast), event, origin))

    def job_told(
        self, kind: LogKind, topics: bytes, block: Sequence[IncomingLog], kinds: Sequence[LogKind]
    ) -> bytes | None:
        """The job among whose events one is listed, though it changes nothing of the job's record. ``block`` are all logs of its block."""
        if kind.told_in is not None:
            return topics[kind.told_in]
        if kind.dispute_in is None:
            return None
        number = topics[kind.dispute_in]
        dispute = self._disputes.get((kind.address_bytes, number))
        if dispute is not None:
            return bytes.fromhex(dispute.job[2:])
        return _job_of_dispute(kind, number, block, kinds)


def _job_of_dispute(of: LogKind, number: bytes, block: Sequence[IncomingLog], kinds: Sequence[LogKind]) -> bytes | None:
    # ERC-792's and ERC-1497's events of a new dispute come before the one that says what it is about, in the same transaction.
    for _, _, kind_number, topics, _ in block:
        kind = kinds[kind_number]
        if (
            kind.event is DisputeOpened
            and kind.address_bytes == of.address_bytes
            and kind.dispute_in is not None
            and kind.told_in is not None
            and topics[kind.dispute_in] == number
        ):
            return topics[kind.told_in]
    return None
