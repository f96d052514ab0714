"""Committees, panels, disputes and timelocks as the store has them, with how settled each row is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.domain.errors import InvalidMessage, UnknownDispute
from computility.domain.identifiers import Address, Bytes32, parse_address, parse_bytes32
from computility.domain.institutions import (
    DisputeRecord,
    DisputeStatus,
    MemberRecord,
    OperationRecord,
    RoleRecord,
    VoteRecord,
)
from computility.services.confirmations import confirmations
from computility.services.ledger import Confirmation
from computility.services.pages import PageOf, page_of, read_cursor
from computility.store import institutions
from computility.store.engine import Database
from computility.store.institutions import DisputeRow


@dataclass(frozen=True)
class Vote:
    """What one arbiter did in one round."""

    round: int
    arbiter: Address
    record: VoteRecord
    confirmation: Confirmation


@dataclass(frozen=True)
class Dispute:
    """A dispute before the panel at ``institution``; ``votes`` only where one dispute is asked for."""

    institution: Address
    record: DisputeRecord
    confirmation: Confirmation
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True)
class Member:
    """A member of ``institution``."""

    institution: Address
    record: MemberRecord
    confirmation: Confirmation


@dataclass(frozen=True)
class Operation:
    """An operation of the timelock at ``institution``."""

    institution: Address
    record: OperationRecord
    confirmation: Confirmation


@dataclass(frozen=True)
class HeldRole:
    """Whether an account has a role of the timelock at ``institution``."""

    institution: Address
    record: RoleRecord
    confirmation: Confirmation


class StoredInstitutions:
    """Reads of the newest generation's institutions, and of the disputes, operations and roles of all."""

    def __init__(self, database: Database, deployments: Deployments) -> None:
        self._database = database
        self._deployments = deployments
        self._chain_id = deployments.chain_id

    def members(self, contract: str, *, limit: int, cursor: str | None) -> PageOf[Member]:
        """Members of the committee (``VerifierCommittee``) or of the panel (``Arbitration``), by address.

        Raises:
            DeploymentMissing: there is none.
        """
        after = read_cursor(cursor, str)
        institution = self._deployments.newest.address_of(contract)
        with self._database.unit_of_work() as session:
            rows = institutions.page_of_members(
                session, self._chain_id, institution, after=parse_address(after[0]) if after else None, limit=limit + 1
            )
            settled = confirmations(session, self._chain_id)
            return page_of(rows, limit, lambda row: (row.account,)).map(
                lambda row: Member(Address(row.institution), row.record(), settled(row.block))
            )

    def disputes(
        self, *, job: Bytes32 | None, statuses: Collection[DisputeStatus], limit: int, cursor: str | None
    ) -> PageOf[Dispute]:
        """Disputes before panels, the newest first."""
        before = read_cursor(cursor, int, str, str)
        with self._database.unit_of_work() as session:
            rows = institutions.page_of_disputes(
                session,
                self._chain_id,
                job=job,
                statuses=statuses,
                before=(before[0], parse_address(before[1]), _bytes(before[2])) if before else None,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda row: (row.opened_at, row.institution, row.id.hex()))
            return page.map(lambda row: self._dispute(session, row))

    def dispute(self, number: int) -> Dispute:
        """A dispute of the newest panel, with its votes.

        Raises:
            UnknownDispute: no event tells of it.
            DeploymentMissing: there is no panel.
        """
        panel = self._deployments.newest.address_of("Arbitration")
        with self._database.unit_of_work() as session:
            row = institutions.find_dispute(session, self._chain_id, panel, number)
            if row is None:
                raise UnknownDispute(f"no dispute {number} is on this chain, as far as the node has read it")
            votes = institutions.votes_of(session, self._chain_id, panel, row.id)
            found = self._dispute(session, row)
            settled = confirmations(session, self._chain_id)
            cast = tuple(Vote(vote.round, Address(vote.arbiter), vote.record(), settled(vote.block)) for vote in votes)
            return Dispute(found.institution, found.record, found.confirmation, cast)

    def operations(self, *, limit: int, cursor: str | None) -> PageOf[Operation]:
        """Operations of timelocks, those that were scheduled last first."""
        before = read_cursor(cursor, int, str, str)
        with self._database.unit_of_work() as session:
            rows = institutions.page_of_operations(
                session,
                self._chain_id,
                before=(before[0], parse_address(before[1]), parse_bytes32(before[2])) if before else None,
                limit=limit + 1,
            )
            settled = confirmations(session, self._chain_id)
            return page_of(rows, limit, lambda row: (row.scheduled_at, row.institution, row.id)).map(
                lambda row: Operation(Address(row.institution), row.record(), settled(row.block))
            )

    def roles(self, *, limit: int, cursor: str | None) -> PageOf[HeldRole]:
        """Roles of timelocks, those that were revoked too, by timelock, role and account."""
        after = read_cursor(cursor, str, str, str)
        with self._database.unit_of_work() as session:
            rows = institutions.page_of_roles(
                session,
                self._chain_id,
                after=(parse_address(after[0]), parse_bytes32(after[1]), parse_address(after[2])) if after else None,
                limit=limit + 1,
            )
            settled = confirmations(session, self._chain_id)
            return page_of(rows, limit, lambda row: (row.institution, row.role, row.account)).map(
                lambda row: HeldRole(Address(row.institution), row.record(), settled(row.block))
            )

    def _dispute(self, session: Session, row: DisputeRow) -> Dispute:
        settled = confirmations(session, self._chain_id)
        return Dispute(Address(row.institution), row.record(), settled(row.block))


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidMessage("the cursor is not one that this list gave out: begin again without one") from None
