"""What the ledger and the journal still need of a node's content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from computility.domain.attestation import Attestation
from computility.domain.identifiers import Bytes32
from computility.domain.job import JobRecord, JobState
from computility.domain.statements import StatementKind
from computility.services.content_sweep import NeededJob
from computility.services.journal import Journal
from computility.services.ledger import Ledger

_PAGE: Final = 200


def needed_jobs(ledger: Ledger, journal: Journal, *, now: int, keep_s: int) -> Iterator[NeededJob]:
    """Every job that is not closed, and those that closed less than ``keep_s`` seconds before ``now``."""
    cursor: str | None = None
    while True:
        page = ledger.jobs(
            buyer=None, provider=None, verifier=None, states=frozenset(JobState), limit=_PAGE, cursor=cursor
        )
        for job in page.items:
            record = job.record
            over = record.state is JobState.CLOSED and (record.closed_at or now) < now - keep_s
            if not over and (needed := _needed(record, journal)) is not None:
                yield needed
        if page.next is None:
            return
        cursor = page.next


def _needed(record: JobRecord, journal: Journal) -> NeededJob | None:
    if record.terms is None:
        # It was cancelled before it opened.
        return None
    results = [submission.result for submission in journal.submissions(record.id)]
    evidence = []
    for entry in journal.about(StatementKind.ATTESTATION, record.id):
        message = entry.statement.message
        if isinstance(message, Attestation):
            results.append(message.result)
            evidence.append(message.evidence)
    for digest, into in ((record.result, results), (record.evidence, evidence)):
        if digest is not None:
            into.append(Bytes32(digest))
    return NeededJob(record.id, tuple(dict.fromkeys([record.terms.spec, *results, *evidence])))
