"""What providers and members have to show: jobs that were run again and came out the same, fails that stood, words that proved right. From the
chain and the journal alone: nothing is kept that a restart could lose, and an auditor finds the same."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.attestation import Attestation, Verdict
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
from computility.services.service_levels import opened_at
from computility.services.trading_account import TradingAccount
from computility.verification.quorum import QuorumRule
from computility.verification.reexecution import RESULT_DIFFERS, SAME

LOOKED_AT: Final = 400
"""Closed jobs of a provider, the newest first, among which checks are looked for."""
MEMBERS_LOOKED_AT: Final = 64
"""Closed jobs of a committee, the newest first, among which its members' words are looked for."""
_RATINGS: Final = 200
_REMEMBERED: Final = 10_000
_JUDGED: Final = frozenset({"attested", "finalized"})
_STOOD: Final = _JUDGED | {"disputed_by_default"}


@dataclass(frozen=True)
class TrackRecord:
    """The newest checks that a provider passed before a job opened and after its last fail, and whether a fail that stood excludes it."""

    passed: tuple[Bytes32, ...]
    excluded: bool = False


class TrackRecords:
    """One verifier's view of its providers. All members of a committee see the same, as only what was closed before a job opened counts for it.

    The node says which jobs there are, and what was attested of them; that they passed on these terms is read from the chain.
    """

    def __init__(self, account: TradingAccount, node: NodeClient, content: ContentStore) -> None:
        self._account = account
        self._node = node
        self._content = content
        self._run_again: dict[Bytes32, bool] = {}
        self._right_words: dict[Bytes32, frozenset[Address]] = {}
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

    def of(self, job: WatchedJob, wanted: int, rule: QuorumRule) -> TrackRecord:
        """The newest ``wanted`` checks that the job's provider passed, fewer where there are fewer; none where it is excluded.

        Raises:
            NodeError, ChainError: one of them does not answer.
        """
        found: list[Bytes32] = []
        opened = opened_at(self._account.rpc, job)
        failed = False
        rows = self._node.jobs_newest_first(
            LOOKED_AT, provider=job.terms.provider, verifier=job.terms.verifier, state="closed"
        )
        for row in rows:
            if row["closed_block"] is None:
                break
            if row["closed_block"] >= job.chain.opened_in:
                continue
            if self._failed(row):
                if rule.is_excluded(row["closed_at"], opened):
                    return TrackRecord((), excluded=True)
                failed = True
            wants = len(found) < wanted and not failed and row["closed_by"] in _JUDGED
            if wants and row["outcome"] == "pass" and row["evidence"] and self._was_run_again(row, job):
                found.append(parse_bytes32(row["id"]))
        return TrackRecord(tuple(found))

    def _failed(self, row: Mapping[str, Any]) -> bool:
        """As `JobRecord.failed`; that verifiers failed it is read from the chain."""
        ruled = row["closed_by"] == "ruled" and (row["slash_bps"] or 0) > 0
        stood = row["outcome"] == "fail" and row["closed_by"] in _STOOD
        return (ruled or stood) and self._account.job(parse_bytes32(row["id"])).state is JobState.CLOSED

    def of_members(self, job: WatchedJob, panel: Collection[Address], wanted: int) -> dict[Address, int]:
        """How many verdicts each of a panel signed that stood, of jobs of this verifier that closed before this one opened, by a run: ``wanted`` are
        enough. Who signs what others ran without a look is found by planted results (decision 96).

        Raises:
            NodeError: the node does not answer.
        """
        found = dict.fromkeys(panel, 0)
        for row in self._node.jobs_newest_first(MEMBERS_LOOKED_AT, verifier=job.terms.verifier, state="closed"):
            if all(count >= wanted for count in found.values()) or row["closed_block"] is None:
                break
            if row["closed_block"] >= job.chain.opened_in or row["closed_by"] not in _JUDGED or not row["evidence"]:
                continue
            for member in self._right_about(row):
                if member in found:
                    found[member] += 1
        return found

    def _right_about(self, row: Mapping[str, Any]) -> frozenset[Address]:
        """Who signed the verdict by which a job closed, where a run stood behind it."""
        identifier = parse_bytes32(row["id"])
        with self._lock:
            known = self._right_words.get(identifier)
        if known is not None:
            return known
        signers: set[Address] = set()
        evidence = parse_bytes32(row["evidence"])
        if self._evidence_says(evidence, identifier, SAME, RESULT_DIFFERS):
            for item in self._node.attestations(identifier)["items"]:
                statement = read_statement(item, self._account.ledger.domain)
                said = statement.message
                if isinstance(said, Attestation) and (said.job, said.evidence) == (identifier, evidence):
                    signers.add(statement.signer)
        with self._lock:
            if len(self._right_words) >= _REMEMBERED:
                self._right_words.clear()
            self._right_words[identifier] = frozenset(signers)
        return frozenset(signers)

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
        checked = passed and self._evidence_says(parse_bytes32(row["evidence"]), identifier, SAME)
        with self._lock:
            if len(self._run_again) >= _REMEMBERED:
                self._run_again.clear()
            self._run_again[identifier] = checked
        return checked

    def _evidence_says(self, digest: Bytes32, job: Bytes32, *reasons: str) -> bool:
        try:
            evidence = parse_evidence(self._content.get(content_id_of_digest(digest)))
        except (ContentError, InvalidMessage):
            return False
        return evidence.job == job and evidence.verdict is not Verdict.NO_FAULT and evidence.reason in reasons
