"""What the market shows of the order book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import tests.unit.services.order_book_parties as given
from sqlalchemy import event
from tests.unit.services.order_book_parties import (
    BUYER,
    COMMITTEE,
    DOMAIN,
    NOW,
    OTHER_PROVIDER,
    PROVIDER,
    Book,
    Party,
    open_book,
)

from computility.domain import errors
from computility.domain.job import ClosedBy, Outcome
from computility.domain.statements import AskWithdrawal, Refusal
from computility.services.accounts import Accounts
from computility.services.market import Market

_GPU = "urn:computility:gpu:h100:1x:80g:eu-west:boreal:0002:gpu-s"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return open_book(tmp_path)


@pytest.fixture
def market(book: Book) -> Market:
    return Market(book.journal, book.ledger, book.exclusions, book.clock)


def _prices(market: Market, **filters: str) -> list[int]:
    chosen = {"resource_kind": None, "environment": None, "provider": None, **filters}
    prices: list[int] = []
    cursor: str | None = None
    while True:
        page = market.open_asks(**chosen, limit=2, cursor=cursor)
        prices += [view.entry.statement.message.to_json()["unitPrice"] for view in page.items]
        cursor = page.next
        if cursor is None:
            return [int(price) for price in prices]


def test_open_asks__come_by_price_page_by_page(book: Book, market: Market) -> None:
    for nonce, price in enumerate([30, 10**25, 5, 30, 9]):
        book.door.accept_ask(PROVIDER.sign(given.ask(nonce=nonce, unit_price=price)))

    assert _prices(market) == [5, 9, 30, 30, 10**25]


def test_asks_of_a_provider_that_is_shut_out__are_left_out_and_said_to_be(book: Book, market: Market) -> None:
    fallen = given.ask(nonce=1, unit_price=1)
    book.door.accept_ask(PROVIDER.sign(fallen))
    kept = PROVIDER.sign(fallen)["id"]
    for nonce in (2, 3):
        book.door.accept_ask(OTHER_PROVIDER.sign(given.ask(OTHER_PROVIDER, nonce=nonce, unit_price=nonce)))
    terms = replace(given.terms(given.request(fallen), fallen), verifier=COMMITTEE)
    book.open_job(terms, closed=True, outcome=Outcome.FAIL, closed_by=ClosedBy.FINALIZED, closed_at=NOW - 10)

    assert _prices(market) == [2, 3]
    assert market.ask(kept).status == "excluded"


def test_filters__narrow_the_market(book: Book, market: Market) -> None:
    book.door.accept_ask(PROVIDER.sign(given.ask(unit_price=1)))
    book.door.accept_ask(OTHER_PROVIDER.sign(given.ask(OTHER_PROVIDER, unit_price=2, resource=_GPU)))
    book.door.accept_ask(PROVIDER.sign(given.ask(unit_price=3, environment="wasi-p1/other/1")))

    assert _prices(market, resource_kind="gpu") == [2]
    assert _prices(market, environment="wasi-p1/other/1") == [3]
    assert _prices(market, provider=PROVIDER.address.lower()) == [1, 3]


def test_withdrawn_and_expired_asks__are_shown_as_such_and_not_offered(book: Book, market: Market) -> None:
    gone, over = given.ask(nonce=1), given.ask(nonce=2, valid_until=NOW + 5)
    for ask in (gone, over):
        book.door.accept_ask(PROVIDER.sign(ask))
    withdrawal = AskWithdrawal(PROVIDER.address, gone.digest(DOMAIN), NOW)
    book.door.accept_withdrawal(gone.digest(DOMAIN), PROVIDER.sign(withdrawal))
    book.clock.now += 5

    assert _prices(market) == []
    assert market.ask(gone.digest(DOMAIN)).status == "withdrawn"
    assert market.ask(over.digest(DOMAIN)).status == "expired"


def test_capacity__falls_with_every_open_job(book: Book, market: Market) -> None:
    ask = given.ask()
    book.door.accept_ask(PROVIDER.sign(ask))
    assert market.ask(ask.digest(DOMAIN)).capacity_left == 2

    for nonce in range(3):
        book.open_job(given.terms(given.request(ask), ask, nonce=nonce))

    view = market.ask(ask.digest(DOMAIN))
    assert (view.open_jobs, view.capacity_left) == (3, 0)


def _counted(book: Book, read: Callable[[], Any]) -> int:
    """How many questions a reading takes."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        if "SELECT" in given[2]:
            asked.append(given[2])

    event.listen(book.database.engine, "before_cursor_execute", note)
    read()
    event.remove(book.database.engine, "before_cursor_execute", note)
    return len(asked)


def test_pages__take_as_many_questions_however_long_they_are(book: Book, market: Market) -> None:
    accounts = Accounts(book.ledger, book.journal, cast("Any", None), book.clock)
    parties = [Party(bytes([40 + n]) * 32) for n in range(10)]
    for party in parties:
        book.register(party)
        for nonce in (1, 2):
            book.door.accept_ask(party.sign(given.ask(party, nonce=nonce)))

    def asks(limit: int) -> int:
        return len(
            market.open_asks(resource_kind=None, environment=None, provider=None, limit=limit, cursor=None).items
        )

    def providers(limit: int) -> int:
        return len(accounts.providers(limit=limit, cursor=None).items)

    assert (asks(20), providers(12)) == (20, 12)
    assert _counted(book, lambda: asks(20)) == _counted(book, lambda: asks(1))
    # What each offered is asked for by itself.
    assert _counted(book, lambda: providers(12)) == _counted(book, lambda: providers(2)) + 10


def test_requests__are_found_by_what_became_of_them(book: Book, market: Market) -> None:
    ask = given.ask()
    book.door.accept_ask(PROVIDER.sign(ask))
    requests = [given.request(ask, nonce=nonce, valid_until=NOW + 10 + nonce) for nonce in range(4)]
    for request in requests:
        book.door.accept_quote_request(BUYER.sign(request))
    book.door.accept_quote(PROVIDER.sign(given.quote(requests[0], ask)))
    refusal = Refusal(PROVIDER.address, requests[1].digest(DOMAIN), "no-capacity", "", NOW)
    book.door.accept_refusal(PROVIDER.sign(refusal))
    book.clock.now += 12

    def found(status: str) -> list[int]:
        page = market.quote_requests(provider=PROVIDER.address, buyer=None, status=status, limit=10, cursor=None)  # type: ignore[arg-type]  # from the parameters below
        assert {view.status for view in page.items} <= {status}
        return [view.entry.statement.message.to_json()["nonce"] for view in page.items]

    assert [found(status) for status in ("quoted", "refused", "expired", "pending")] == [[0], [1], [2], [3]]
    assert market.quote_request(requests[0].digest(DOMAIN)).quote is not None
    assert market.quote_request(requests[1].digest(DOMAIN)).refusal is not None
    assert market.quote(given.terms(requests[0], ask).job_id(DOMAIN)).statement.signer == PROVIDER.address


def test_requests_of_others__are_not_shown(book: Book, market: Market) -> None:
    ask = given.ask()
    book.door.accept_ask(PROVIDER.sign(ask))
    book.door.accept_quote_request(BUYER.sign(given.request(ask)))

    for provider, buyer in ((OTHER_PROVIDER.address, None), (None, PROVIDER.address)):
        page = market.quote_requests(provider=provider, buyer=buyer, status=None, limit=10, cursor=None)
        assert page.items == ()


def test_what_was_never_published__is_unknown_under_its_own_name(book: Book, market: Market) -> None:
    request = given.request(given.ask())
    book.door.accept_ask(PROVIDER.sign(given.ask()))
    with pytest.raises(errors.UnknownAsk):
        market.ask(request.digest(DOMAIN))
    # An ask is there under this id, and it is neither a request nor a quote.
    with pytest.raises(errors.UnknownQuoteRequest):
        market.quote_request(given.ask().digest(DOMAIN))
    with pytest.raises(errors.UnknownQuote):
        market.quote(given.ask().digest(DOMAIN))
