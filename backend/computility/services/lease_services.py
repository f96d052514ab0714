"""How providers served their leases, from the ledger and the meters in the journal: of the newest, since a record of years says little of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError, InvalidMessage
from computility.domain.identifiers import Address, Bytes32, parse_address
from computility.domain.job import JobRecord, JobState, Outcome
from computility.domain.lease_service import LeaseService, ServiceOfLeases, service_of
from computility.domain.metered_lease import MeterReading
from computility.domain.specification import parse_specification
from computility.domain.statements import StatementKind
from computility.execution.content_store import ContentStore
from computility.services.journal import Journal, JournalEntry
from computility.services.ledger import Confirmation, Ledger
from computility.verification.lease_heartbeat import LeasePolicy, lease_policy_of

NEWEST_LEASES: Final = 50
_NEWEST_JOBS: Final = 400
_PAGE: Final = 100


@dataclass(frozen=True)
class LeaseServiceView:
    """A provider's leases, and how settled what the chain says of them is."""

    provider: Address
    service: ServiceOfLeases
    confirmation: Confirmation


class LeaseServices:
    """Reads of leases. ``clock`` is the chain's time."""

    def __init__(self, ledger: Ledger, journal: Journal, content: ContentStore, clock: Callable[[], int]) -> None:
        self._ledger = ledger
        self._journal = journal
        self._content = content
        self._clock = clock

    def of_provider(self, address: str) -> LeaseServiceView:
        """The provider's newest leases, 50 at most, among its newest 400 jobs."""
        provider, found = parse_address(address), list[LeaseService]()
        cursor: str | None = None
        for _ in range(_NEWEST_JOBS // _PAGE):
            page = self._ledger.jobs(
                buyer=None, provider=provider, verifier=None, states=frozenset(JobState), limit=_PAGE, cursor=cursor
            )
            for job in page.items:
                lease = self._lease(job.record)
                if lease is not None and len(found) < NEWEST_LEASES:
                    found.append(self._service(job.record, lease, provider))
            cursor = page.next
            if cursor is None or len(found) == NEWEST_LEASES:
                break
        return LeaseServiceView(provider, service_of(found), self._ledger.confirmation_of(provider))

    def _lease(self, record: JobRecord) -> LeasePolicy | None:
        terms = record.terms
        # The buyer of a lease is its verifier: only of such jobs the specification is read.
        if terms is None or record.opened_at is None or terms.verifier not in (terms.buyer, terms.payer):
            return None
        try:
            return lease_policy_of(
                parse_specification(self._content.get(content_id_of_digest(terms.spec))).verification
            )
        except (ContentError, InvalidMessage):
            # It was swept, or is none.
            return None

    def _service(self, record: JobRecord, lease: LeasePolicy, provider: Address) -> LeaseService:
        first = self._journal.page_about(StatementKind.METER_READING, record.id, limit=1, cursor=None).items
        last = self._journal.last_about(StatementKind.METER_READING, record.id)
        opened_ms = (record.opened_at or 0) * 1000
        newest = _reading(last, record.id, provider)
        return LeaseService(
            opened_ms=opened_ms,
            first=_reading(first[0] if first else None, record.id, provider),
            last=newest,
            silent_ms=self._silent_ms(record, lease, newest.at_ms if newest is not None else opened_ms, newest),
            contested=self._journal.last_about(StatementKind.METER_CONTEST, record.id) is not None,
        )

    def _silent_ms(self, record: JobRecord, lease: LeasePolicy, since_ms: int, last: MeterReading | None) -> int:
        """After the last reading of a lease that goes on, or that its buyer ended. A lease that ended by a claim ended because its buyer fell silent,
        or with the provider's consent: what passed then were windows."""
        if last is not None and last.is_last:
            return 0
        if record.state is JobState.OPEN:
            until = self._clock()
        elif record.outcome is Outcome.PASS or last is None:
            until = record.closed_at or self._clock()
        else:
            return 0
        silent_ms = until * 1000 - since_ms
        return silent_ms if silent_ms > lease.interval_s * 1000 else 0


def _reading(entry: JournalEntry | None, job: Bytes32, provider: Address) -> MeterReading | None:
    if entry is None or entry.statement.signer != provider:
        return None
    message = entry.statement.message
    return message if isinstance(message, MeterReading) and message.job == job else None
