"""What an agent sees of a job: the node's row, proved against the chain at the depth to which the agent trusts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from computility.domain.attestation import Attestation
from computility.domain.errors import NodeMisbehaved
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.job import JobState
from computility.domain.statements import SignedStatement, Submission, read_statement
from computility.domain.terms import Terms
from computility.services.node_client import NodeClient
from computility.services.trading_account import JobOnChain, TradingAccount

LIVE_STATES = ("open", "pending", "disputed")


@dataclass(frozen=True)
class WatchedJob:
    """A job that is confirmed on the chain. ``now`` is the chain's time at its head."""

    id: Bytes32
    terms: Terms
    chain: JobOnChain
    now: int


class JobWatch:
    """Reads jobs from a node and believes the chain."""

    def __init__(self, account: TradingAccount, node: NodeClient, confirmations: int) -> None:
        self._account = account
        self._node = node
        self._confirmations = confirmations

    def live(self, **filters: Any) -> list[WatchedJob]:
        """Jobs that are not closed, by the node's filters, the oldest first.

        A job that the chain does not have (yet, or any more after a reorganisation) at the agent's depth is left out.
        """
        rows = self._node.jobs(state=LIVE_STATES, **filters)
        if not rows:
            return []
        header = self._account.rpc.header("latest")
        if header is None:
            return []
        trusted = max(0, header.number - self._confirmations)
        watched = (self._watched(row, trusted, header.timestamp) for row in reversed(rows))
        return [job for job in watched if job.chain.state not in (JobState.NONE, JobState.CLOSED)]

    def one(self, job: Bytes32) -> WatchedJob:
        """One job, whatever its state."""
        header = self._account.rpc.header("latest")
        trusted = max(0, header.number - self._confirmations) if header else 0
        return self._watched(self._node.job(job), trusted, header.timestamp if header else 0)

    def submission(self, job: WatchedJob) -> tuple[SignedStatement, Submission] | None:
        """The provider's first submission, its signature proved; None while there is none. Whatever it submits later binds nobody: by then it may
        have seen what was drawn, or what its verifiers found."""
        for row in self._node.submissions(job.id):
            signed = read_statement(row, self._account.ledger.domain)
            message = signed.message
            if not isinstance(message, Submission) or signed.signer != job.terms.provider or message.job != job.id:
                continue
            return signed, message
        return None

    def aggregate(self, job: WatchedJob) -> tuple[Attestation, str] | None:
        """The attestation that enough verifiers signed, and their signatures as the escrow takes them."""
        aggregate: Mapping[str, Any] | None = self._node.attestations(job.id)["aggregate"]
        if aggregate is None or not aggregate["complete"]:
            return None
        return Attestation.from_json(aggregate["attestation"]), str(aggregate["signatures"])

    def _watched(self, row: Mapping[str, Any], trusted: int, now: int) -> WatchedJob:
        job = parse_bytes32(row["id"])
        terms = Terms.from_json(row["terms"])
        if terms.job_id(self._account.ledger.domain) != job:
            raise NodeMisbehaved(f"the node tells other terms for job {job} than its parties signed: use another node")
        return WatchedJob(job, terms, self._account.job(job, block=trusted), now)
