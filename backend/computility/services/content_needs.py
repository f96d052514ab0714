"""What the ledger and the journal still need of a node's content: the documents from which a sweep follows names.

Of a job that is not closed, or not for long: its specification, its service-level document, what was submitted, attested and settled, the evidence,
and every sample of its meter, since a lease may run for a year. Of what is not a job yet: specifications and service levels of requests, quotes and
asks that are open. And the device lists that providers claim: a round reads the newest however old it is.

Evidence of older verdicts is kept by itself, as records of providers and members are made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from computility.domain.attestation import Attestation
from computility.domain.hardware_claim import HardwareClaim
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.job import JobRecord, JobState, Outcome
from computility.domain.metered_lease import MeterReading
from computility.domain.statements import Ask, Quote, QuoteRequest, StatementKind
from computility.services.content_sweep import DAY_S
from computility.services.journal import Journal, JournalEntry
from computility.services.ledger import Ledger
from computility.services.pages import PageOf
from computility.services.track_record import LOOKED_AT

_PAGE: Final = 200
_JUDGED: Final = (Outcome.PASS, Outcome.FAIL)
_Item = TypeVar("_Item")


def needed_content(ledger: Ledger, journal: Journal, *, now: int, keep_s: int) -> Iterator[Bytes32]:
    """SHA-256 of every document that is needed at ``now``, and by jobs that closed less than ``keep_s`` seconds before. Some come more than once."""
    for digest in _of_everything(ledger, journal, now, keep_s):
        if digest != ZERO_BYTES32:
            yield digest


def evidence_of_records(ledger: Ledger, *, now: int, keep_s: int) -> Iterator[Bytes32]:
    """SHA-256 of evidence of verdicts that closed jobs longer ago than ``keep_s`` seconds: what a verifier reads of providers and members before it
    believes them, and an auditor of a verdict that believed. Of each provider and verifier as many as are looked at; the documents alone, without
    what they name."""
    counted: Counter[tuple[Address, Address]] = Counter()
    for job in _all(
        lambda cursor: ledger.jobs(
            buyer=None,
            provider=None,
            verifier=None,
            states=frozenset({JobState.CLOSED}),
            limit=_PAGE,
            cursor=cursor,
        )
    ):
        record, terms = job.record, job.record.terms
        if terms is None or record.evidence is None or record.outcome not in _JUDGED:
            continue
        parties = terms.provider, terms.verifier
        if (record.closed_at or now) < now - keep_s and counted[parties] < LOOKED_AT:
            counted[parties] += 1
            yield record.evidence


def _of_everything(ledger: Ledger, journal: Journal, now: int, keep_s: int) -> Iterator[Bytes32]:
    # What is not a job yet comes first: what opens meanwhile is then seen here or there.
    yield from _of_the_market(journal, now)
    yield from _of_claims(journal, now - keep_s)
    for job in _all(
        lambda cursor: ledger.jobs(
            buyer=None, provider=None, verifier=None, states=frozenset(JobState), limit=_PAGE, cursor=cursor
        )
    ):
        record = job.record
        if record.state is not JobState.CLOSED or (record.closed_at or now) >= now - keep_s:
            yield from _of_job(record, journal)


def _of_the_market(journal: Journal, now: int) -> Iterator[Bytes32]:
    """Of asks that are open, requests that wait for an answer, and quotes that may be opened, or were a moment ago."""
    asks = _all(
        lambda cursor: journal.open_asks(
            now, resource_kind=None, environment=None, provider=None, limit=_PAGE, cursor=cursor
        )
    )
    for entry in asks:
        if isinstance(ask := entry.statement.message, Ask):
            yield ask.sla
    requests = _all(
        lambda cursor: journal.quote_requests(
            now, buyer=None, provider=None, status="pending", limit=_PAGE, cursor=cursor
        )
    )
    for entry in requests:
        if isinstance(request := entry.statement.message, QuoteRequest):
            yield request.spec
    for entry in _of_kind(journal, StatementKind.QUOTE):
        # A day more, as the chain may take blocks back and open the job again.
        if isinstance(quote := entry.statement.message, Quote) and quote.terms.open_by >= now - DAY_S:
            yield from (quote.terms.spec, quote.terms.sla)


def _of_claims(journal: Journal, lately: int) -> Iterator[Bytes32]:
    newest: dict[Address, Bytes32] = {}
    for entry in _of_kind(journal, StatementKind.HARDWARE_CLAIM):
        if isinstance(claim := entry.statement.message, HardwareClaim):
            newest[claim.provider] = claim.devices
            if entry.received_at >= lately:
                yield claim.devices
    yield from newest.values()


def _of_job(record: JobRecord, journal: Journal) -> Iterator[Bytes32]:
    if record.terms is None:
        # It was cancelled before it opened.
        return
    yield from (record.terms.spec, record.terms.sla)
    yield from (submission.result for submission in journal.submissions(record.id))
    for entry in journal.about(StatementKind.ATTESTATION, record.id):
        if isinstance(attestation := entry.statement.message, Attestation):
            yield from (attestation.result, attestation.evidence)
    readings = _all(
        lambda cursor: journal.page_about(StatementKind.METER_READING, record.id, limit=_PAGE, cursor=cursor)
    )
    for entry in readings:
        if isinstance(reading := entry.statement.message, MeterReading):
            yield reading.sample
    yield from (Bytes32(digest) for digest in (record.result, record.evidence) if digest is not None)


def _of_kind(journal: Journal, kind: StatementKind) -> Iterator[JournalEntry]:
    return _all(lambda cursor: journal.page_of(kind, limit=_PAGE, cursor=cursor))


def _all(page_from: Callable[[str | None], PageOf[_Item]]) -> Iterator[_Item]:
    cursor: str | None = None
    while True:
        page = page_from(cursor)
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
