"""One account's dealings with the verifier committee: join, rotate, leave, panels, fees, proofs of a wrong word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Attestation
from computility.domain.identifiers import Address, Bytes32, parse_address
from computility.domain.statements import SignedStatement
from computility.domain.terms import Terms
from computility.services.attestation_aggregate import packed_signatures
from computility.services.trading_account import TradingAccount, raw_values, terms_values

BLOCKS_IN_REACH: Final = 256
"""So many blocks back a contract can still ask for a hash."""


class Duty(IntEnum):
    """As ``IVerifierCommittee.Duty``."""

    NONE = 0
    JOINING = 1
    SERVING = 2
    LEAVING = 3
    LEFT = 4


@dataclass(frozen=True)
class CommitteeRules:
    """As ``IVerifierCommittee.Rules``: times in seconds, the stake in atoms of credit."""

    threshold: int
    panel_size: int
    stake: int
    rotation_delay: int
    unbonding: int
    claim_window: int
    arbiter: Address


@dataclass(frozen=True)
class Share:
    """A job's fee as it is shared: ``closes_at`` zero while nobody claimed it; ``open`` while this member has not taken its share."""

    job: Bytes32
    fee: int
    sharers: int
    closes_at: int
    open: bool


class CommitteeSeat:
    """A member, or somebody who wants to be one. Every method raises ``ChainError`` where contract or chain refuse."""

    def __init__(self, account: TradingAccount) -> None:
        self._account = account
        self._contract = account.contract("VerifierCommittee")
        self.address = self._contract.address

    @cached_property
    def rules(self) -> CommitteeRules:
        """What the committee was made with."""
        threshold, panel_size, stake, rotation_delay, unbonding, claim_window, arbiter = self._contract.read("rules")
        return CommitteeRules(
            int(threshold),
            int(panel_size),
            int(stake),
            int(rotation_delay),
            int(unbonding),
            int(claim_window),
            parse_address(arbiter),
        )

    def duty(self) -> tuple[Duty, int]:
        """What the account does in the committee, and since when."""
        _, duty, _, since, *_ = self._contract.read("memberOf", self._account.address)
        return Duty(duty), int(since)

    def members(self) -> tuple[Address, ...]:
        """Those who serve."""
        return tuple(parse_address(member) for member in self._contract.read("members"))

    def panel(self, job: Bytes32) -> tuple[Address, ...]:
        """The members who are drawn for a job; nobody in the block of its opening."""
        return tuple(parse_address(member) for member in self._contract.read("panelOf", bytes.fromhex(job[2:])))

    # ---------------------------------------------------------------- coming and going

    def join(self) -> list[Receipt]:
        """Stake, where the account has not, and begin to serve, where the rotation delay is over."""
        sent = []
        duty, _ = self.duty()
        if duty is Duty.NONE:
            self._account.demand_credits(self.rules.stake)
            sent.append(self._account.send(self._account.credit, "approve", self._contract.address, self.rules.stake))
            sent.append(self._account.send(self._contract, "join"))
        return [*sent, *self.rotate_if_due()]

    def leave(self) -> list[Receipt]:
        """Ask to serve no longer; stop, where the rotation delay is over."""
        duty, _ = self.duty()
        sent = [self._account.send(self._contract, "leave")] if duty in (Duty.JOINING, Duty.SERVING) else []
        return [*sent, *self.rotate_if_due()]

    def rotate_if_due(self) -> list[Receipt]:
        """Carry out what was asked for, if its time has come."""
        due = self.rotation_due()
        if due is None or self._account.chain_time() < due:
            return []
        return [self._account.send(self._contract, "rotate", self._account.address)]

    def rotation_due(self) -> int | None:
        """When the account begins or ends to serve, in UTC seconds; None if nothing is under way."""
        duty, since = self.duty()
        return since + self.rules.rotation_delay if duty in (Duty.JOINING, Duty.LEAVING) else None

    def release(self) -> Receipt:
        """Take the stake back."""
        return self._account.send(self._contract, "release")

    # ---------------------------------------------------------------- panels

    def keep_panel(self, job: Bytes32, opened_in: int, blocks_old: int) -> Receipt | None:
        """Record the block of a job's opening, if there was a choice, it is ``blocks_old`` blocks old and nobody did; None if there is no need."""
        head = self._account.rpc.block_number()
        if not blocks_old <= head - opened_in < BLOCKS_IN_REACH:
            return None
        if len(self.panel(job)) < self.rules.panel_size or len(self.members()) <= self.rules.panel_size:
            return None
        if any(self._contract.read("recordedBlock", opened_in)):
            return None
        return self._account.send(self._contract, "recordBlock", opened_in)

    # ---------------------------------------------------------------- fees and proofs

    def share(self, job: Bytes32) -> Share:
        """How a job's fee is shared."""
        fee, sharers, unpaid, closes_at, _ = self._contract.read("claimOf", bytes.fromhex(job[2:]))
        _, _, seat, *_ = self._contract.read("memberOf", self._account.address)
        return Share(job, int(fee), int(sharers), int(closes_at), bool(unpaid >> seat & 1))

    def claim(self, terms: Terms, attestation: Attestation, signed: Iterable[SignedStatement]) -> Receipt:
        """Show the committee who signed what earned a job's fee."""
        return self._present("claim", terms, attestation, signed)

    def slash(self, terms: Terms, attestation: Attestation, signed: Iterable[SignedStatement]) -> Receipt:
        """Show who signed what a ruling proved wrong: a tenth of their stakes is the caller's."""
        return self._present("slash", terms, attestation, signed)

    def withdraw_fees(self, jobs: Sequence[Bytes32]) -> Receipt:
        """Pay the account's shares of these jobs out to its wallet."""
        ids = [bytes.fromhex(job[2:]) for job in jobs]
        return self._account.send(self._contract, "withdrawFees", ids, self._account.address)

    def _present(
        self, function: str, terms: Terms, attestation: Attestation, signed: Iterable[SignedStatement]
    ) -> Receipt:
        return self._account.send(
            self._contract,
            function,
            terms_values(terms),
            raw_values(attestation.values()),
            packed_signatures(signed),
        )
