"""Disputes before an outside court of ERC-792, by the ``CourtArbiter`` that jobs name as their arbiter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from computility.chain.connection import DeployedContract
from computility.chain.log_decoding import parse_raw_log
from computility.chain.transaction_sender import Receipt
from computility.domain.errors import StatementRefused
from computility.domain.identifiers import Address, Bytes32, bytes32, keccak_bytes32, parse_address
from computility.domain.terms import Terms
from computility.services.trading_account import TradingAccount, terms_values

_DISPUTE: Final = keccak_bytes32(b"Dispute(address,uint256,uint256,uint256)")
RULINGS: Final = ("refused", "for the provider", "for the buyer", "shared fee")


@dataclass(frozen=True)
class CourtCase:
    """A job before the court. ``claimed``: units that the provider gets if the court rules for it. ``ruling``: None until there is one."""

    id: int
    job: Bytes32
    requester: Address
    claimed: int
    ruling: str | None
    executed: bool


class Court:
    """Every method that sends raises ``ChainError`` where contract, court or chain refuse."""

    def __init__(self, account: TradingAccount, contract: DeployedContract | None = None) -> None:
        self._account = account
        self._contract = contract or account.contract("CourtArbiter")
        self.address = self._contract.address

    def cost(self) -> int:
        """What the court asks for a dispute, in wei of the chain's coin."""
        return int(self._contract.read("arbitrationCost"))

    def bring(self, terms: Terms) -> tuple[Receipt, int]:
        """Bring a disputed job to the court, and pay for it. Also returns the dispute's number there."""
        receipt = self._account.send(self._contract, "createDispute", terms_values(terms), value=self.cost())
        logs = [parse_raw_log(log) for log in receipt.logs]
        wanted = bytes.fromhex(_DISPUTE[2:])
        ours = next(log for log in logs if log.address == self.address and log.topics[0] == wanted)
        return receipt, int.from_bytes(ours.topics[2])

    def claim(self, dispute: int, terms: Terms, units: int) -> Receipt:
        """As the provider: the units that a ruling for it pays, before the court rules."""
        return self._account.send(self._contract, "claimUnits", dispute, terms_values(terms), units)

    def submit_evidence(self, dispute: int, terms: Terms, evidence: str) -> Receipt:
        """As a party or the verifier: a link for the court (ERC-1497)."""
        return self._account.send(self._contract, "submitEvidence", dispute, terms_values(terms), evidence)

    def execute(self, dispute: int, terms: Terms) -> Receipt:
        """Carry the court's ruling out in the escrow. Anybody may."""
        return self._account.send(self._contract, "executeRuling", dispute, terms_values(terms))

    def case(self, dispute: int) -> CourtCase:
        """A dispute as it stands.

        Raises:
            StatementRefused: the court has none of that number from here.
        """
        raw: Any = self._contract.read("caseOf", dispute)
        job, requester, claimed, ruling, ruled, executed = raw
        if int(requester, 16) == 0:
            raise StatementRefused(
                f"{self.address} has brought no dispute {dispute}: `computility court bring JOB` prints its number"
            )
        return CourtCase(
            dispute,
            bytes32(bytes(job)),
            parse_address(requester),
            int(claimed),
            RULINGS[int(ruling)] if ruled else None,
            bool(executed),
        )
