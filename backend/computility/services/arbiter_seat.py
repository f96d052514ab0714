"""One account's dealings with the arbitration: sit as an arbiter, or bring, appeal and carry out a dispute as anybody may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from computility.chain.connection import DeployedContract
from computility.chain.transaction_sender import Receipt
from computility.domain.errors import StatementRefused
from computility.domain.identifiers import Address, Bytes32, parse_address
from computility.domain.terms import Terms
from computility.services.trading_account import TradingAccount, terms_values

BRING_WITHIN_S: Final = 600
"""So much longer than the panel needs is the ruling window that agents ask for, so that there is time to bring the dispute."""


class DisputeStatus(IntEnum):
    """As ``IArbitration.Status``."""

    NONE = 0
    OPEN = 1
    RULED = 2
    VOID = 3


@dataclass(frozen=True)
class Round:
    """The running round of a dispute: times in UTC seconds, ``panel`` empty before the lots are drawn."""

    number: int
    commit_by: int
    reveal_by: int
    appeal_by: int
    size: int
    votes: int
    panel: tuple[Address, ...]


@dataclass(frozen=True)
class DisputeView:
    """A dispute as it stands. ``ruling`` is (units, share of the bond slashed in basis points), None while there is none."""

    id: int
    job: Bytes32
    status: DisputeStatus
    deadline: int
    round: Round
    ruling: tuple[int, int] | None

    def phase(self, now: int) -> str:
        """What is to be done at a time."""
        if self.status is not DisputeStatus.OPEN:
            return self.status.name.lower()
        if now <= self.round.commit_by:
            return "commit" if self.round.panel else "draw"
        if now <= self.round.reveal_by:
            return "reveal"
        if self.ruling is None:
            return "close"
        return "appeal" if now <= self.round.appeal_by and self.round.votes else "execute"


@dataclass(frozen=True)
class Vote:
    """An arbiter's vote, and the salt that hides it until it is revealed."""

    units: int
    slash_bps: int
    salt: Bytes32


class ArbiterSeat:
    """Every method raises ``ChainError`` where contract or chain refuse."""

    def __init__(self, account: TradingAccount, contract: DeployedContract | None = None) -> None:
        self._account = account
        self._contract = contract or account.contract("Arbitration")
        self.address = self._contract.address

    # ---------------------------------------------------------------- an arbiter

    def join(self) -> list[Receipt]:
        """Stake what is missing and be seated from now on; nothing where the account is already."""
        _, active, _, _, _, stake, _ = self._contract.read("arbiterOf", self._account.address)
        if active:
            return []
        missing = int(self._contract.read("rules")[0]) - int(stake)
        self._account.demand_credits(missing)
        approved = self._account.send(self._account.credit, "approve", self.address, missing)
        return [approved, self._account.send(self._contract, "join")]

    def leave(self) -> Receipt:
        """Be seated no longer."""
        return self._account.send(self._contract, "leave")

    def release(self) -> Receipt:
        """Take the stake back."""
        return self._account.send(self._contract, "release")

    def withdraw_fees(self) -> Receipt:
        """Pay what was earned out to the wallet."""
        return self._account.send(self._contract, "withdrawFees", self._account.address)

    def fees(self) -> int:
        """What was earned and not paid out, in atoms."""
        return int(self._contract.read("arbiterOf", self._account.address)[6])

    # ---------------------------------------------------------------- a dispute

    def cost(self) -> int:
        """The least arbiter's fee of a job, in atoms."""
        return int(self._contract.read("arbitrationCost"))

    def time_needed(self) -> int:
        """The least ruling window of a job, in seconds."""
        return int(self._contract.read("timeNeeded"))

    def bring(self, terms: Terms) -> Receipt:
        """Bring a disputed job to the panel."""
        return self._account.send(self._contract, "createDispute", terms_values(terms))

    def dispute_of(self, job: Bytes32) -> DisputeView | None:
        """The dispute of a job; None if it was never brought."""
        dispute = int(self._contract.read("disputeOfJob", bytes.fromhex(job[2:])))
        if dispute == 0:
            return None
        status, rounds, _, _, _, _, _, _, deadline = self._contract.read("caseOf", dispute)
        number = int(rounds) - 1
        _, commit_by, reveal_by, appeal_by, size, votes, *_ = self._contract.read("roundOf", dispute, number)
        panel = tuple(parse_address(member) for member in self._contract.read("panelOf", dispute, number))
        decided, units, slash_bps = self._contract.read("rulingOf", dispute)
        return DisputeView(
            id=dispute,
            job=job,
            status=DisputeStatus(status),
            deadline=int(deadline),
            round=Round(number, int(commit_by), int(reveal_by), int(appeal_by), int(size), int(votes), panel),
            ruling=(int(units), int(slash_bps)) if decided else None,
        )

    def required(self, job: Bytes32) -> DisputeView:
        """The dispute of a job.

        Raises:
            StatementRefused: it was never brought.
        """
        found = self.dispute_of(job)
        if found is None:
            raise StatementRefused(f"job {job} was not brought to the panel: `computility arbiter bring {job}`")
        return found

    def draw(self, dispute: DisputeView) -> Receipt:
        """Let the lots fall."""
        return self._account.send(self._contract, "draw", dispute.id)

    def vote(self, dispute: DisputeView, units: int, slash_bps: int) -> tuple[Vote, Receipt]:
        """Commit to a vote. Its salt follows from the key and the round, so a vote can be revealed with nothing but the key and the vote itself."""
        vote = Vote(units, slash_bps, self._salt(dispute))
        commitment = self._contract.read(
            "commitmentOf",
            dispute.id,
            dispute.round.number,
            self._account.address,
            units,
            slash_bps,
            bytes.fromhex(vote.salt[2:]),
        )
        return vote, self._account.send(self._contract, "commit", dispute.id, commitment)

    def reveal(self, dispute: DisputeView, units: int, slash_bps: int) -> Receipt:
        """Show the vote that was committed."""
        salt = bytes.fromhex(self._salt(dispute)[2:])
        return self._account.send(self._contract, "reveal", dispute.id, units, slash_bps, salt)

    def appeal(self, dispute: DisputeView) -> list[Receipt]:
        """Take a dispute to a larger panel, as a party of its job, for the appeal's cost."""
        cost = int(self._contract.read("appealCost", dispute.id))
        self._account.demand_credits(cost)
        approved = self._account.send(self._account.credit, "approve", self.address, cost)
        return [approved, self._account.send(self._contract, "appeal", dispute.id)]

    def execute(self, dispute: DisputeView, terms: Terms) -> Receipt:
        """Carry the ruling out; where there is none, close the dispute."""
        if dispute.ruling is None:
            return self._account.send(self._contract, "close", dispute.id)
        return self._account.send(self._contract, "executeRuling", dispute.id, terms_values(terms))

    def _salt(self, dispute: DisputeView) -> Bytes32:
        chain = self._account.ledger.domain.chain_number
        return self._account.secret(f"computility vote {chain} {self.address} {dispute.id} {dispute.round.number}")
