"""What the market shows: asks with their providers' standing, quote requests with their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from computility.domain.errors import UnknownAsk, UnknownQuote, UnknownQuoteRequest
from computility.domain.identifiers import parse_address, parse_bytes32
from computility.domain.rating import INT8_GEMM, Rating
from computility.domain.resource import Resource, parse_resource
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
        views = self._ask_views(page.items)
        return PageOf(tuple(view for view in views if view.status != "excluded"), page.next)

    def ask(self, ask_id: str) -> AskView:
        """One ask.

        Raises:
            UnknownAsk: none was published by this id.
        """
        found = self._journal.find(parse_bytes32(ask_id))
        if found is None or found.entry.statement.kind is not StatementKind.ASK:
            raise UnknownAsk(f"no ask {ask_id} was published here: look at the market for the open ones")
        return self._ask_views([found.entry])[0]

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

    def _ask_views(self, entries: Sequence[JournalEntry]) -> list[AskView]:
        """One for each, by as many questions as for one."""
        asks = [entry.statement.message for entry in entries]
        providers = list(dict.fromkeys(ask.provider for ask in asks if isinstance(ask, Ask)))
        now = self._clock()
        states = self._ledger.states_of(providers)
        ratings = self._journal.ratings_at(providers, now)
        withdrawn = self._journal.withdrawn(entry.statement.id for entry in entries)
        # Few may be shut out, and those are looked into one by one.
        excluded = {
            provider
            for provider, state in states.items()
            if state.may_have_failed and self._exclusions.of(provider, now) is not None
        }
        views = []
        for entry in entries:
            ask = entry.statement.message
            assert isinstance(ask, Ask)
            state, resource = states[ask.provider], parse_resource(ask.resource)
            status: AskStatus = "excluded" if ask.provider in excluded else "open"
            if entry.statement.id in withdrawn:
                status = "withdrawn"
            elif ask.valid_until <= now:
                status = "expired"
            open_jobs = state.live_jobs.get(resource.id, 0)
            views.append(
                AskView(
                    entry=entry,
                    resource=resource,
                    status=status,
                    provider_score_bps=state.standing.slot.score_bps if state.standing else None,
                    provider_active=state.record is not None and state.record.active,
                    open_jobs=open_jobs,
                    capacity_left=max(0, ask.max_concurrent - open_jobs),
                    rating_micro_cu=_rated(ratings[ask.provider], resource),
                    confirmation=state.confirmation,
                )
            )
        return views

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


def _rated(ratings: Iterable[Rating], resource: Resource) -> int | None:
    """Millionths of a compute unit that a device of the resource sustained, as it was rated last; None where no rating holds."""
    values = (rating.value for rating in ratings if rating.resource == resource.id and rating.attribute == INT8_GEMM)
    return next(values, None)
