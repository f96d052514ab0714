"""What the market shows: asks with their providers' standing, quote requests with their answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from computility.domain.errors import UnknownAsk, UnknownQuote, UnknownQuoteRequest
from computility.domain.identifiers import Address, parse_address, parse_bytes32
from computility.domain.rating import INT8_GEMM, Rating
from computility.domain.resource import Resource, parse_resource
from computility.domain.scores import Role
from computility.domain.statements import Ask, QuoteRequest, StatementKind
from computility.services.exclusions import Exclusions
from computility.services.journal import Journal, JournalEntry
from computility.services.ledger import Confirmation, Ledger
from computility.services.pages import PageOf

AskStatus = Literal["open", "withdrawn", "expired", "excluded"]
RequestStatus = Literal["pending", "quoted", "refused", "expired"]


@dataclass(frozen=True)
class AskView:
    """An ask and what a buyer wants to know of its provider."""

    entry: JournalEntry
    resource: Resource
    status: AskStatus
    provider_score_bps: int | None
    provider_active: bool
    open_jobs: int
    capacity_left: int
    rating_micro_cu: int | None
    confirmation: Confirmation
    """Of what the chain says of the provider."""


@dataclass(frozen=True)
class RequestView:
    """A request and its answer."""

    entry: JournalEntry
    status: RequestStatus
    quote: JournalEntry | None
    refusal: JournalEntry | None


class Market:
    """Reads of the order book."""

    def __init__(self, journal: Journal, ledger: Ledger, exclusions: Exclusions, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._ledger = ledger
        self._exclusions = exclusions
        self._clock = clock

    def open_asks(
        self,
        *,
        resource_kind: str | None,
        environment: str | None,
        provider: str | None,
        limit: int,
        cursor: str | None,
    ) -> PageOf[AskView]:
        """Open asks, the cheapest unit first. Those of providers that are shut out are left out, so that a page may be short of ``limit``."""
        page = self._journal.open_asks(
            self._clock(),
            resource_kind=resource_kind,
            environment=environment,
            provider=parse_address(provider) if provider else None,
            limit=limit,
            cursor=cursor,
        )
        views = page.map(self._ask_view)
        return PageOf(tuple(view for view in views.items if view.status != "excluded"), views.next)

    def ask(self, ask_id: str) -> AskView:
        """One ask.

        Raises:
            UnknownAsk: none was published by this id.
        """
        found = self._journal.find(parse_bytes32(ask_id))
        if found is None or found.entry.statement.kind is not StatementKind.ASK:
            raise UnknownAsk(f"no ask {ask_id} was published here: look at the market for the open ones")
        return self._ask_view(found.entry)

    def quote_requests(
        self, *, provider: str | None, buyer: str | None, status: RequestStatus | None, limit: int, cursor: str | None
    ) -> PageOf[RequestView]:
        """Requests, the oldest first."""
        page = self._journal.quote_requests(
            self._clock(),
            provider=parse_address(provider) if provider else None,
            buyer=parse_address(buyer) if buyer else None,
            status=status,
            limit=limit,
            cursor=cursor,
        )
        return page.map(self._request_view)

    def quote_request(self, request_id: str) -> RequestView:
        """One request.

        Raises:
            UnknownQuoteRequest: none was published by this id.
        """
        found = self._journal.find(parse_bytes32(request_id))
        if found is None or found.entry.statement.kind is not StatementKind.QUOTE_REQUEST:
            raise UnknownQuoteRequest(f"no quote request {request_id} was published here")
        return self._request_view(found.entry)

    def quote(self, job_id: str) -> JournalEntry:
        """The quote that became, or may become, a job.

        Raises:
            UnknownQuote: none was published by this id.
        """
        found = self._journal.find(parse_bytes32(job_id))
        if found is None or found.entry.statement.kind is not StatementKind.QUOTE:
            raise UnknownQuote(f"no quote {job_id} was published here; a job may also come about without this node")
        return found.entry

    def _ask_view(self, entry: JournalEntry) -> AskView:
        ask = entry.statement.message
        assert isinstance(ask, Ask)
        resource = parse_resource(ask.resource)
        open_jobs = self._ledger.count_open_jobs(ask.provider, resource.id)
        standing = self._ledger.standing(ask.provider, Role.PROVIDER)
        provider = self._ledger.provider(ask.provider)
        return AskView(
            entry=entry,
            resource=resource,
            status=self._ask_status(entry, ask),
            provider_score_bps=standing.slot.score_bps if standing else None,
            provider_active=provider is not None and provider.active,
            open_jobs=open_jobs,
            capacity_left=max(0, ask.max_concurrent - open_jobs),
            rating_micro_cu=self._rating(ask.provider, resource),
            confirmation=self._ledger.confirmation_of(ask.provider),
        )

    def _rating(self, provider: Address, resource: Resource) -> int | None:
        """Millionths of a compute unit that a device of the resource sustained, as it was rated last; None where no rating holds."""
        rated = (entry.statement.message for entry in self._journal.ratings_at(provider, self._clock()))
        values = (
            rating.value
            for rating in rated
            if isinstance(rating, Rating) and rating.resource == resource.id and rating.attribute == INT8_GEMM
        )
        return next(values, None)

    def _ask_status(self, entry: JournalEntry, ask: Ask) -> AskStatus:
        if self._journal.withdrawal_of(entry.statement.id):
            return "withdrawn"
        if ask.valid_until <= self._clock():
            return "expired"
        return "open" if self._exclusions.of(ask.provider, self._clock()) is None else "excluded"

    def _request_view(self, entry: JournalEntry) -> RequestView:
        request = entry.statement.message
        assert isinstance(request, QuoteRequest)
        answer = self._journal.answer_to(entry.statement.id)
        if answer is None:
            status: RequestStatus = "pending" if request.valid_until > self._clock() else "expired"
            return RequestView(entry, status, None, None)
        if answer.statement.kind is StatementKind.QUOTE:
            return RequestView(entry, "quoted", answer, None)
        return RequestView(entry, "refused", None, answer)
