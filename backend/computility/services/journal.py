"""The journal of signed statements, as the order book and its readers use it: one call, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from computility.domain.errors import Conflict, InvalidMessage
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.rating import Rating
from computility.domain.statements import Ask, AskWithdrawal, QuoteRequest, SignedStatement, StatementKind, Submission
from computility.services.pages import PageOf, page_of, read_cursor
from computility.store import statements
from computility.store.statements import StatementRow


@dataclass(frozen=True)
class JournalEntry:
    """A statement that was accepted, and the second of its arrival."""

    statement: SignedStatement
    received_at: int


@dataclass(frozen=True)
class Accepted:
    """The entry, and whether this very call made it."""

    entry: JournalEntry
    created: bool


class Journal:
    """The statements of one chain. ``unit_of_work`` opens a session that commits when its block ends."""

    def __init__(self, chain_id: ChainId, unit_of_work: Callable[[], AbstractContextManager[Session]]) -> None:
        self._chain_id = chain_id
        self._unit_of_work = unit_of_work

    def find(self, identifier: Bytes32, signer: Address | None = None) -> Accepted | None:
        """A statement by its digest; of an attestation, that of one signer."""
        with self._unit_of_work() as session:
            row = statements.find(session, self._chain_id, identifier, signer)
            return Accepted(_entry(row), created=False) if row else None

    def add(self, signed: SignedStatement, received_at: int, provider: Address | None = None) -> Accepted:
        """Write a statement down.

        Raises:
            Conflict: another one stands in its place, or the very same arrived at the same moment.
        """
        row = statements.row_of(self._chain_id, signed, received_at, provider)
        try:
            with self._unit_of_work() as session:
                session.add(row)
        except IntegrityError as error:
            raise Conflict("another statement came first, and the first stands: read it before you go on") from error
        return Accepted(JournalEntry(signed, received_at), created=True)

    def ask(self, identifier: Bytes32) -> Ask | None:
        """An ask by its digest."""
        found = self.find(identifier)
        message = found.entry.statement.message if found else None
        return message if isinstance(message, Ask) else None

    def quote_request(self, identifier: Bytes32) -> QuoteRequest | None:
        """A quote request by its digest."""
        found = self.find(identifier)
        message = found.entry.statement.message if found else None
        return message if isinstance(message, QuoteRequest) else None

    def withdrawn(self, asks: Iterable[Bytes32]) -> set[Bytes32]:
        """Those of some asks that were withdrawn."""
        with self._unit_of_work() as session:
            rows = statements.withdrawals_among(session, self._chain_id, asks)
            withdrawals = [_entry(row).statement.message for row in rows]
        return {message.ask for message in withdrawals if isinstance(message, AskWithdrawal)}

    def answer_to(self, request: Bytes32) -> JournalEntry | None:
        """The quote or the refusal that answers a request."""
        with self._unit_of_work() as session:
            row = statements.answer_to(session, self._chain_id, request)
            return _entry(row) if row else None

    def submissions(self, job: Bytes32) -> list[Submission]:
        """What was submitted for a job."""
        found = [entry.statement.message for entry in self.about(StatementKind.SUBMISSION, job)]
        return [message for message in found if isinstance(message, Submission)]

    def about(self, kind: StatementKind, subject: Bytes32) -> list[JournalEntry]:
        """Every statement of a kind about one thing, in the order of arrival."""
        with self._unit_of_work() as session:
            return [_entry(row) for row in statements.about(session, self._chain_id, kind, subject)]

    def page_of_provider(
        self, kind: StatementKind, provider: Address, *, limit: int, cursor: str | None
    ) -> PageOf[JournalEntry]:
        """Statements of a kind that concern one provider, the newest first."""
        before = read_cursor(cursor, int)
        with self._unit_of_work() as session:
            rows = statements.page_of_provider(
                session, self._chain_id, kind, provider, before[0] if before else None, limit + 1
            )
            return page_of(rows, limit, lambda row: (row.sequence,)).map(_entry)

    def ratings_at(self, providers: Collection[Address], now: int) -> dict[Address, list[Rating]]:
        """Ratings that hold, by provider, the newest first."""
        found: dict[Address, list[Rating]] = {provider: [] for provider in providers}
        with self._unit_of_work() as session:
            for row in statements.ratings_at(session, self._chain_id, providers, now):
                rating = _entry(row).statement.message
                if isinstance(rating, Rating):
                    found[rating.provider].append(rating)
        return found

    def last_about(self, kind: StatementKind, subject: Bytes32) -> JournalEntry | None:
        """The newest of ``about``."""
        with self._unit_of_work() as session:
            row = statements.last_about(session, self._chain_id, kind, subject)
            return _entry(row) if row else None

    def page_of(self, kind: StatementKind, *, limit: int, cursor: str | None) -> PageOf[JournalEntry]:
        """Statements of a kind, the oldest first."""
        after = read_cursor(cursor, int)
        with self._unit_of_work() as session:
            rows = statements.page_of(session, self._chain_id, kind, after[0] if after else None, limit + 1)
            return page_of(rows, limit, lambda row: (row.sequence,)).map(_entry)

    def page_about(
        self, kind: StatementKind, subject: Bytes32, *, limit: int, cursor: str | None
    ) -> PageOf[JournalEntry]:
        """One page of ``about``."""
        after = read_cursor(cursor, int)
        with self._unit_of_work() as session:
            rows = statements.page_about(session, self._chain_id, kind, subject, after[0] if after else None, limit + 1)
            return page_of(rows, limit, lambda row: (row.sequence,)).map(_entry)

    def readings_after(self, job: Bytes32, sequence: int, *, limit: int) -> PageOf[JournalEntry]:
        """The first page of a meter's readings that follow one of them; ``page_about`` gives the rest.

        Raises:
            InvalidMessage: there is no such reading.
        """
        with self._unit_of_work() as session:
            last = statements.reading(session, self._chain_id, job, sequence)
            if last is None:
                raise InvalidMessage(f"the meter of job {job} has no reading {sequence}: read it from its beginning")
            kind = StatementKind.METER_READING
            rows = statements.page_about(session, self._chain_id, kind, job, last.sequence, limit + 1)
            return page_of(rows, limit, lambda row: (row.sequence,)).map(_entry)

    def urns_of(self, provider: Address) -> list[str]:
        """Resources that a provider ever offered in an ask."""
        with self._unit_of_work() as session:
            return list(statements.urns_of(session, self._chain_id, provider))

    def newest_urns(self, limit: int) -> list[str]:
        """Resources of the newest ``limit`` asks."""
        with self._unit_of_work() as session:
            return list(statements.newest_urns(session, self._chain_id, limit))

    def count_attestations(self, job: Bytes32, signer: Address) -> int:
        """Attestations of one signer to a job."""
        with self._unit_of_work() as session:
            return statements.count_by(session, self._chain_id, StatementKind.ATTESTATION, job, signer)

    def count_open_asks(self, provider: Address, now: int) -> int:
        """Open asks of one provider."""
        with self._unit_of_work() as session:
            return statements.count_open_asks(session, self._chain_id, provider, now)

    def count_pending_requests(self, now: int, *, buyer: Address | None = None, provider: Address | None = None) -> int:
        """Requests that wait for an answer."""
        with self._unit_of_work() as session:
            return statements.count_pending_requests(session, self._chain_id, now, buyer=buyer, provider=provider)

    def open_asks(
        self,
        now: int,
        *,
        resource_kind: str | None,
        environment: str | None,
        provider: Address | None,
        limit: int,
        cursor: str | None,
    ) -> PageOf[JournalEntry]:
        """Open asks, the cheapest unit first."""
        after = read_cursor(cursor, str, int)
        with self._unit_of_work() as session:
            rows = statements.open_asks(
                session,
                self._chain_id,
                now,
                resource_kind=resource_kind,
                environment=environment,
                provider=provider,
                after=(after[0], after[1]) if after else None,
                limit=limit + 1,
            )
            return page_of(rows, limit, lambda row: (row.price, row.sequence)).map(_entry)

    def quote_requests(
        self,
        now: int,
        *,
        buyer: Address | None,
        provider: Address | None,
        status: str | None,
        limit: int,
        cursor: str | None,
    ) -> PageOf[JournalEntry]:
        """Quote requests, the oldest first."""
        after = read_cursor(cursor, int)
        with self._unit_of_work() as session:
            rows = statements.quote_requests(
                session,
                self._chain_id,
                now,
                buyer=buyer,
                provider=provider,
                status=status,
                after=after[0] if after else None,
                limit=limit + 1,
            )
            return page_of(rows, limit, lambda row: (row.sequence,)).map(_entry)


def _entry(row: StatementRow) -> JournalEntry:
    return JournalEntry(row.statement(), row.received_at)
