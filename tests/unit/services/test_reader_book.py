"""Who may tell a reader key, and which of them stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.services import order_book_parties as given
from tests.unit.services.order_book_parties import (
    BUYER,
    COMMITTEE,
    DOMAIN,
    MEMBER,
    NOW,
    PROVIDER,
    STRANGER,
    VERIFIER,
    Book,
    Party,
    open_book,
)

from computility.domain.errors import LimitReached, SignerMismatch, StatementRefused
from computility.domain.identifiers import Bytes32
from computility.domain.reader_notice import ReaderNotice
from computility.services.reader_book import LEAST_BETWEEN_S, ReaderBook

KEY = Bytes32("0x" + "4b" * 32)


class Readers:
    """The door, beside an order book on the same journal."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.door = ReaderBook(
            DOMAIN, book.journal, book.ledger, lambda _: (MEMBER.address,), lambda: COMMITTEE, book.feed, book.clock
        )

    def tell(self, who: Party, key: Bytes32 = KEY, at: int = 0) -> bool:
        """Whether it is new."""
        return self.door.accept(who.sign(ReaderNotice(who.address, key, at or self.book.clock.now))).created

    def keys_of(self, who: Party) -> list[str]:
        """What it told, the newest first."""
        page = self.door.of_account(who.address, limit=9, cursor=None)
        return [entry.statement.message.to_json()["key"] for entry in page.items]


@pytest.fixture
def readers(tmp_path: Path) -> Readers:
    return Readers(open_book(tmp_path))


def test_a_provider_and_a_member_of_the_committee__tell_their_keys(readers: Readers) -> None:
    assert readers.tell(PROVIDER)
    assert readers.tell(MEMBER)
    assert readers.keys_of(PROVIDER) == readers.keys_of(MEMBER) == [KEY]


def test_a_verifier__is_heard_once_an_ask_names_it(readers: Readers) -> None:
    with pytest.raises(StatementRefused, match="nobody has to seal"):
        readers.tell(VERIFIER)
    readers.book.door.accept_ask(PROVIDER.sign(given.ask(verifiers=(VERIFIER.address,))))
    assert readers.tell(VERIFIER)


@pytest.mark.parametrize("who", [BUYER, STRANGER])
def test_nobody_else__fills_the_journal(readers: Readers, who: Party) -> None:
    with pytest.raises(StatementRefused):
        readers.tell(who)


def test_a_key_for_somebody_else__is_refused(readers: Readers) -> None:
    forged = STRANGER.sign(ReaderNotice(PROVIDER.address, KEY, NOW))
    with pytest.raises(SignerMismatch):
        readers.door.accept({**forged, "signer": None})


def test_the_newest_stands__and_comes_a_minute_later_at_least(readers: Readers) -> None:
    other = Bytes32("0x" + "4c" * 32)
    assert readers.tell(PROVIDER)
    assert not readers.tell(PROVIDER), "the same again is the same"
    with pytest.raises(LimitReached):
        readers.tell(PROVIDER, other)
    readers.book.clock.now += LEAST_BETWEEN_S
    assert readers.tell(PROVIDER, other)
    assert readers.keys_of(PROVIDER) == [other, KEY]


def test_a_notice_from_another_time__is_refused(readers: Readers) -> None:
    with pytest.raises(StatementRefused, match="take the time"):
        readers.tell(PROVIDER, at=NOW - 86_400)
