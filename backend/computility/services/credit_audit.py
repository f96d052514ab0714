"""Whether a provider was credible when a verifier believed it: an auditor's second look, at the chain and at evidence that is stored."""

from __future__ import annotations

from collections.abc import Iterator

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.log_decoding import decode_log, parse_raw_log
from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import InvalidMessage, UnknownJob
from computility.domain.events import JobOpened
from computility.domain.evidence import parse_evidence
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, parse_address
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.execution.content_store import ContentStore
from computility.services.proof_builder import ProofBuilder
from computility.services.track_record import LOOKED_AT
from computility.services.trade_proof import VerifiedTrade
from computility.verification.challenge_seed import ranked
from computility.verification.credible_signing import Credibility
from computility.verification.quorum import QuorumRule
from computility.verification.reexecution import SAME

_JUDGED = frozenset({ClosedBy.ATTESTED, ClosedBy.FINALIZED})


class CreditAudit:
    """Looks at the checks that evidence lists, each proven against block hashes, and for fails that it does not tell of."""

    def __init__(self, chain: ChainConnection, deployments: Deployments, content: ContentStore) -> None:
        self._chain = chain
        self._deployments = deployments
        self._content = content
        self._proofs = ProofBuilder(chain, deployments)

    def holds(self, trade: VerifiedTrade, credibility: Credibility) -> bool:
        """Whether every listed job is a check that the provider had passed when this job opened, and none that it failed came later.

        Raises:
            ContentError: the evidence of a listed job is not there.
            ChainError: the endpoint fails.
        """
        oldest = self._excluded_since(trade)
        for job in credibility.passed:
            try:
                _, earlier = self._proofs.build(job)
            except UnknownJob:
                return False
            if not self._is_check(earlier, trade):
                return False
            oldest = min(oldest, earlier.record.opened_block or 0)
        return not any(self._is_fail(job, trade) for job in self._opened_since(oldest, trade))

    def _excluded_since(self, trade: VerifiedTrade) -> int:
        """The first block whose fails exclude a provider from credit on this job."""
        low, high = 0, trade.record.opened_block or 0
        since = (trade.record.opened_at or 0) - QuorumRule().exclusion_s
        while low < high:
            middle = (low + high) // 2
            header = self._chain.rpc.header(middle)
            if header is None or header.timestamp < since:
                low = middle + 1
            else:
                high = middle
        return low

    def challengers(self, trade: VerifiedTrade) -> list[Address]:
        """Who could challenge a job, in their order: its verifier, or the panel that the committee drew for it.

        Raises:
            ChainError: the endpoint fails.
        """
        if trade.terms.verifier not in {
            made.contracts.get("VerifierCommittee") for made in self._deployments.generations
        }:
            return [trade.terms.verifier]
        committee = self._chain.contract("VerifierCommittee", trade.terms.verifier)
        panel = committee.read("panelOf", bytes.fromhex(trade.job[2:]))
        return ranked(trade.job, (parse_address(member) for member in panel))

    def _is_check(self, earlier: VerifiedTrade, trade: VerifiedTrade) -> bool:
        record = earlier.record
        same_parties = (earlier.terms.provider, earlier.terms.verifier) == (trade.terms.provider, trade.terms.verifier)
        passed = record.state is JobState.CLOSED and record.outcome is Outcome.PASS and record.closed_by in _JUDGED
        if not same_parties or not passed or not _closed_before(record, trade):
            return False
        try:
            evidence = parse_evidence(self._content.get(content_id_of_digest(record.evidence or ZERO_BYTES32)))
        except InvalidMessage:
            return False
        return (evidence.job, evidence.verdict, evidence.reason) == (earlier.job, Verdict.PASS, SAME)

    def _is_fail(self, job: Bytes32, trade: VerifiedTrade) -> bool:
        _, earlier = self._proofs.build(job)
        record = earlier.record
        return record.failed and earlier.terms.verifier == trade.terms.verifier and _closed_before(record, trade)

    def _opened_since(self, block: int, trade: VerifiedTrade) -> Iterator[Bytes32]:
        """Jobs of the provider whose slots say that they failed, of the newest that it opened since a block."""
        contract = self._chain.contract("JobEscrow", trade.escrow)
        asked = {
            "fromBlock": hex(block),
            "toBlock": hex(trade.record.opened_block or block),
            "address": trade.escrow,
            "topics": [None, None, None, "0x" + trade.terms.provider[2:].lower().rjust(64, "0")],
        }
        # Verifiers look through as many closed jobs, so this finds none that they could not see.
        for raw in self._chain.rpc.call("eth_getLogs", asked)[-LOOKED_AT * 3 // 4 :]:
            log = parse_raw_log(raw)
            event = decode_log("JobEscrow", log.topics, log.data)
            if not isinstance(event, JobOpened) or event.job_id is None or event.job_id == trade.job:
                continue
            _, outcome, *_ = contract.read("jobOf", bytes.fromhex(event.job_id[2:]))
            if outcome == Outcome.FAIL:
                yield event.job_id


def _closed_before(record: JobRecord, trade: VerifiedTrade) -> bool:
    return record.closed_block is not None and record.closed_block < (trade.record.opened_block or 0)
