"""Jobs with all that surrounds them: events, submissions, attestations, outputs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from computility.domain.errors import UnknownJob
from computility.domain.identifiers import Address, Bytes32, parse_address, parse_bytes32
from computility.domain.job import JobState
from computility.domain.resource import parse_resource
from computility.domain.statements import Ask, StatementKind
from computility.services.attestation_aggregate import Aggregate, Bench, aggregate
from computility.services.journal import Journal, JournalEntry
from computility.services.ledger import Ledger, LedgerEvent, LedgerJob
from computility.services.pages import PageOf
from computility.services.verdict_reason import VerdictReason


@dataclass(frozen=True)
class JobView:
    """A job, and what the ask behind it tells of resource and environment, where this node knows that ask."""

    job: LedgerJob
    resource: str | None
    environment: str | None


@dataclass(frozen=True)
class AttestationsView:
    """One page of a job's attestations, and the best that they make together, with the reason that its evidence gives."""

    page: PageOf[JournalEntry]
    aggregate: Aggregate | None
    reason: VerdictReason | None = None


class Trades:
    """Reads of jobs. ``bench_of`` says who may sign for a job's verifier, and how many have to; ``reason_of`` what evidence says."""

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        bench_of: Callable[[Bytes32, Address], Bench],
        reason_of: Callable[[Bytes32], VerdictReason | None],
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._bench_of = bench_of
        self._reason_of = reason_of

    def job(self, job_id: str) -> JobView:
        """One job.

        Raises:
            UnknownJob: no event of this chain names it, as far as the node has read.
        """
        return self._view(self._known(parse_bytes32(job_id)))

    def jobs(
        self,
        *,
        buyer: str | None,
        provider: str | None,
        verifier: str | None,
        states: Collection[str],
        limit: int,
        cursor: str | None,
    ) -> PageOf[JobView]:
        """Jobs, the newest first."""
        page = self._ledger.jobs(
            buyer=parse_address(buyer) if buyer else None,
            provider=parse_address(provider) if provider else None,
            verifier=parse_address(verifier) if verifier else None,
            states=[JobState[state.upper()] for state in states],
            limit=limit,
            cursor=cursor,
        )
        return page.map(self._view)

    def job_events(self, job_id: str, *, limit: int, cursor: str | None) -> PageOf[LedgerEvent]:
        """Every event behind a job.

        Raises:
            UnknownJob: as ``job``.
        """
        job = self._known(parse_bytes32(job_id))
        return self._ledger.job_events(job.record.id, limit=limit, cursor=cursor)

    def events(
        self, *, name: str | None, account: str | None, from_block: int | None, limit: int, cursor: str | None
    ) -> PageOf[LedgerEvent]:
        """Events of all contracts, the newest first."""
        return self._ledger.events(
            name=name,
            account=parse_address(account) if account else None,
            from_block=from_block,
            limit=limit,
            cursor=cursor,
        )

    def challenges(self, job_id: str, *, limit: int, cursor: str | None) -> PageOf[JournalEntry]:
        """Verifiers' challenges to a job, in the order of arrival. Raises as ``job``."""
        job = self._known(parse_bytes32(job_id))
        return self._journal.page_about(StatementKind.CHALLENGE, job.record.id, limit=limit, cursor=cursor)

    def meter(
        self, job_id: str, kind: StatementKind, *, limit: int, cursor: str | None, after: int = 0
    ) -> PageOf[JournalEntry]:
        """Readings of a lease's meter, or the buyer's contests of them, in the order of arrival; with ``after`` readings that follow the one of that
        number.

        Raises:
            UnknownJob: as ``job``.
            InvalidMessage: there is no such reading.
        """
        job = self._known(parse_bytes32(job_id))
        if after and cursor is None:
            return self._journal.readings_after(job.record.id, after, limit=limit)
        return self._journal.page_about(kind, job.record.id, limit=limit, cursor=cursor)

    def submissions(self, job_id: str, *, limit: int, cursor: str | None) -> PageOf[JournalEntry]:
        """What was submitted for a job.

        Raises:
            UnknownJob: as ``job``.
        """
        job = self._known(parse_bytes32(job_id))
        return self._journal.page_about(StatementKind.SUBMISSION, job.record.id, limit=limit, cursor=cursor)

    def attestations(self, job_id: str, *, limit: int, cursor: str | None) -> AttestationsView:
        """What was attested of a job, and the attestation to send.

        Raises:
            UnknownJob: as ``job``.
            ChainError: the committee's panel has to be asked for, and the chain does not answer.
        """
        job = self._known(parse_bytes32(job_id))
        page = self._journal.page_about(StatementKind.ATTESTATION, job.record.id, limit=limit, cursor=cursor)
        every = self._journal.about(StatementKind.ATTESTATION, job.record.id)
        if not every or job.record.terms is None:
            return AttestationsView(page, None)
        bench = self._bench_of(job.record.id, job.record.terms.verifier)
        found = aggregate((entry.statement for entry in every), bench)
        return AttestationsView(page, found, self._reason_of(found.attestation.evidence) if found else None)

    def _known(self, job: Bytes32) -> LedgerJob:
        found = self._ledger.job(job)
        if found is None:
            raise UnknownJob(f"no job {job} is on this chain, as far as the node has read it: try again after a block")
        return found

    def _view(self, job: LedgerJob) -> JobView:
        ask = self._ask_behind(job)
        return JobView(job, ask.resource if ask else None, ask.environment if ask else None)

    def _ask_behind(self, job: LedgerJob) -> Ask | None:
        terms = job.record.terms
        request = self._journal.quote_request(terms.order) if terms else None
        ask = self._journal.ask(request.ask) if request else None
        # The order in the terms is the parties' word; the resource's id is what they signed.
        if terms is None or ask is None or parse_resource(ask.resource).id != terms.resource:
            return None
        return ask
