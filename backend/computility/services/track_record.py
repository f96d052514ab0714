"""What a provider has to show before a verifier: its jobs that were run again and came out the same. From the chain and the journal alone."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidMessage, NodeMisbehaved
from computility.domain.evidence import parse_evidence
from computility.domain.identifiers import Address, Bytes32, parse_bytes32
from computility.domain.job import JobState, Outcome
from computility.domain.rating import KNOWN_ANSWERS, Rating
from computility.domain.statements import StatementKind, read_statement
from computility.domain.terms import Terms
from computility.execution.content_store import ContentStore
from computility.services.job_watch import WatchedJob
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount
from computility.verification.reexecution import SAME

LOOKED_AT: Final = 400
"""Closed jobs of a provider, the newest first, among which checks are looked for."""
_RATINGS: Final = 200
_REMEMBERED: Final = 10_000
_JUDGED: Final = frozenset({"attested", "finalized"})


class TrackRecords:
    """One verifier's view of its providers. All members of a committee see the same, as only what was closed before a job opened counts for it.

    The node says which jobs there are, and what was attested of them; that they passed on these terms is read from the chain.
    """

    def __init__(self, account: TradingAccount, node: NodeClient, content: ContentStore) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._run_again: dict[Bytes32, bool] = {}
        self._lock = threading.Lock()

    def gave_wrong_answers(self, provider: Address, members: Collection[Address]) -> bool:
        """Whether one of the members found, by a job whose answer it knew, that the provider made a result up, and its word on that still holds.

        Raises:
            NodeError, ChainError: one of them does not answer.
        """
        now = self._account.chain_time()
        for row in self._node.of_provider(StatementKind.RATING, provider, limit=_RATINGS):
            statement = read_statement(row, self._account.ledger.domain)
            rating = statement.message
            if (
                isinstance(rating, Rating)
                and (rating.provider, rating.attribute, rating.value) == (provider, KNOWN_ANSWERS, 0)
                and statement.signer in members
                and rating.valid_until > now
            ):
                return True
        return False

    def passed(self, job: WatchedJob, wanted: int) -> tuple[Bytes32, ...]:
        """The newest ``wanted`` checks that the job's provider passed before this job opened and after its last fail; fewer where there are fewer.

        Raises:
            NodeError, ChainError: one of them does not answer.
        """
        found: list[Bytes32] = []
        rows = self._node.jobs_newest_first(
            LOOKED_AT, provider=job.terms.provider, verifier=job.terms.verifier, state="closed"
        )
        for row in rows:
            if len(found) == wanted or row["closed_block"] is None:
                break
            if row["closed_block"] >= job.chain.opened_in or row["closed_by"] not in _JUDGED:
                continue
            if row["outcome"] == "fail":
                break
            if row["outcome"] == "pass" and row["evidence"] and self._was_run_again(row, job):
                found.append(parse_bytes32(row["id"]))
        return tuple(found)

    def _was_run_again(self, row: Mapping[str, Any], job: WatchedJob) -> bool:
        identifier = parse_bytes32(row["id"])
        with self._lock:
            known = self._run_again.get(identifier)
        if known is not None:
            return known
        terms = Terms.from_json(row["terms"])
        if terms.job_id(self._account.ledger.domain) != identifier:
            raise NodeMisbehaved(f"the node tells other terms for job {identifier} than its parties signed")
        if (terms.provider, terms.verifier) != (job.terms.provider, job.terms.verifier):
            raise NodeMisbehaved(f"job {identifier} is not of the parties that were asked for")
        on_chain = self._account.job(identifier)
        passed = on_chain.state is JobState.CLOSED and on_chain.outcome == Outcome.PASS
        checked = passed and self._evidence_says_so(parse_bytes32(row["evidence"]), identifier)
        with self._lock:
            if len(self._run_again) >= _REMEMBERED:
                self._run_again.clear()
            self._run_again[identifier] = checked
        return checked

    def _evidence_says_so(self, digest: Bytes32, job: Bytes32) -> bool:
        try:
            evidence = parse_evidence(self._content.get(content_id_of_digest(digest)))
        except (ContentError, InvalidMessage):
            return False
        return evidence.job == job and evidence.verdict is Verdict.PASS and evidence.reason == SAME
