"""Asks and quote requests in the API's words."""

from __future__ import annotations

from computility.api.presenters.resource import resource_parts
from computility.api.schemas.market import AskPage, AskRow, QuoteRequestPage, QuoteRequestRow
from computility.api.schemas.statements import AskStatement, QuoteRequestStatement, QuoteStatement, RefusalStatement
from computility.api.statement_exchange import outgoing
from computility.services.market import AskView, RequestView
from computility.services.pages import PageOf


def ask_row(view: AskView) -> AskRow:
    """One ask."""
    return AskRow(
        ask=outgoing(view.entry, AskStatement),
        resource=resource_parts(view.resource),
        status=view.status,
        provider_score_bps=view.provider_score_bps,
        provider_active=view.provider_active,
        open_jobs=view.open_jobs,
        capacity_left=view.capacity_left,
        rating_micro_cu=None if view.rating_micro_cu is None else str(view.rating_micro_cu),
        confirmation=view.confirmation,
    )


def ask_page(page: PageOf[AskView]) -> AskPage:
    """One page of asks."""
    return AskPage(items=[ask_row(view) for view in page.items], next=page.next)


def quote_request_row(view: RequestView) -> QuoteRequestRow:
    """One request and its answer."""
    return QuoteRequestRow(
        request=outgoing(view.entry, QuoteRequestStatement),
        status=view.status,
        quote=outgoing(view.quote, QuoteStatement) if view.quote else None,
        refusal=outgoing(view.refusal, RefusalStatement) if view.refusal else None,
    )


def quote_request_page(page: PageOf[RequestView]) -> QuoteRequestPage:
    """One page of requests."""
    return QuoteRequestPage(items=[quote_request_row(view) for view in page.items], next=page.next)
