"""A committee member's fees: shows the committee who signed what earned them, and takes the member's shares."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from computility.chain.transaction_sender import Receipt
from computility.domain.attestation import Attestation
from computility.domain.errors import StatementRefused
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.statements import SignedStatement, read_statement
from computility.domain.terms import Terms
from computility.services.committee_seat import CommitteeSeat
from computility.services.job_watch import JobWatch
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount

_POLL_S: Final = 0.25
_MOST_A_TRANSACTION: Final = 50


@dataclass(frozen=True)
class Collected:
    """What was sent: claims, and one or more withdrawals; and the shares that are not fixed yet, by job, with the second after which they are."""

    claims: tuple[Receipt, ...]
    withdrawals: tuple[Receipt, ...]
    waiting: Mapping[Bytes32, int]


class CommitteeFees:
    """Fees of one member. Methods raise ``ChainError`` and ``NodeError``."""

    def __init__(self, account: TradingAccount, node: NodeClient, seat: CommitteeSeat) -> None:
        self._account = account
        self._node = node
        self._seat = seat

    def collect(self, wait_s: float = 0.0) -> Collected:
        """Claim whatever this member signed and nobody claimed, and withdraw the shares that are fixed; wait so long for those that are not yet."""
        shares, claims = {}, []
        for row in self._node.jobs(verifier=self._seat.address, state="closed"):
            job = parse_bytes32(row["id"])
            if not row["verifier_paid"] or int(row["verifier_paid"]) == 0:
                continue
            share = self._seat.share(job)
            now = self._account.chain_time()
            if not share.open and (share.closes_at == 0 or now <= share.closes_at):
                receipt = self._claim(job, Terms.from_json(row["terms"]))
                if receipt is None:
                    continue
                claims.append(receipt)
                share = self._seat.share(job)
            if share.open:
                shares[job] = share.closes_at
        give_up = time.monotonic() + wait_s
        while any(self._account.chain_time() <= closes for closes in shares.values()) and time.monotonic() < give_up:
            time.sleep(_POLL_S)
        now = self._account.chain_time()
        fixed = [job for job, closes_at in shares.items() if closes_at < now]
        withdrawals = [
            self._seat.withdraw_fees(fixed[first : first + _MOST_A_TRANSACTION])
            for first in range(0, len(fixed), _MOST_A_TRANSACTION)
        ]
        waiting = {job: closes_at for job, closes_at in shares.items() if closes_at >= now}
        return Collected(tuple(claims), tuple(withdrawals), waiting)

    def slash(self, job: Bytes32) -> Receipt:
        """Prove that a ruling found what members signed of a job wrong. Shows every signature of the job that the node knows of.

        Raises:
            StatementRefused: the node knows of no attestation of this job by a member.
            ContractReverted: the ruling proves nothing of the kind.
        """
        watched = JobWatch(self._account, self._node, 0).one(job)
        found = self._signed(job)
        if found is None:
            raise StatementRefused(f"no attestation of job {job} was published here: ask the node of its verifiers")
        return self._seat.slash(watched.terms, *found)

    def _claim(self, job: Bytes32, terms: Terms) -> Receipt | None:
        found = self._signed(job)
        if found is None or all(statement.signer != self._account.address for statement in found[1]):
            return None
        return self._seat.claim(terms, *found)

    def _signed(self, job: Bytes32) -> tuple[Attestation, list[SignedStatement]] | None:
        page = self._node.attestations(job)
        aggregate: Mapping[str, Any] | None = page["aggregate"]
        if aggregate is None or not aggregate["complete"]:
            return None
        statements = [read_statement(row, self._account.ledger.domain) for row in page["items"]]
        signed = [
            statement
            for statement in statements
            if statement.id == aggregate["digest"] and statement.signer in aggregate["signers"]
        ]
        return Attestation.from_json(aggregate["attestation"]), signed
