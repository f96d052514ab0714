"""The journal's door for reader keys: whom one may have to seal a job to says to which key. Raises as `OrderBook` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from computility.domain.eip712 import Eip712Domain
from computility.domain.errors import LimitReached, StatementRefused
from computility.domain.identifiers import Address, parse_address
from computility.domain.reader_notice import ReaderNotice
from computility.domain.statements import Ask, StatementKind
from computility.services.change_feed import ChangeFeed
from computility.services.journal import Accepted, Journal, JournalEntry
from computility.services.ledger import Ledger
from computility.services.pages import PageOf
from computility.services.statement_checks import check_near
from computility.services.statement_door import StatementDoor

LEAST_BETWEEN_S: Final = 60
"""Seconds between two notices of one account: a key changes hardly ever."""
_NEWEST_ASKS: Final = 200


class ReaderBook(StatementDoor):
    """Takes notices of reader keys in, and hands them out. ``committee`` is the node's own."""

    def __init__(
        self,
        domain: Eip712Domain,
        journal: Journal,
        ledger: Ledger,
        members_of: Callable[[Address], tuple[Address, ...]],
        committee: Callable[[], Address | None],
        feed: ChangeFeed,
        clock: Callable[[], int],
    ) -> None:
        super().__init__(domain, journal, ledger, members_of, feed, clock)
        self._committee = committee

    def accept(self, envelope: Mapping[str, Any]) -> Accepted:
        """Take in a key of an active provider, of a member of the committee, or of a verifier that an open ask names."""
        signed, notice = self._read(StatementKind.READER_NOTICE, ReaderNotice, envelope)
        with self._door:
            if known := self._journal.find(signed.id):
                return known
            now = self._clock()
            check_near("at", notice.at, now)
            if not self._may_be_a_reader(notice.account, now):
                raise StatementRefused(
                    f"{notice.account} is no active provider, no member of the committee and no verifier of an open ask: "
                    "nobody has to seal a job to it"
                )
            last = self.of_account(notice.account, limit=1, cursor=None).items
            if last and last[0].received_at > now - LEAST_BETWEEN_S:
                raise LimitReached(f"an account tells its reader key at most every {LEAST_BETWEEN_S} s")
            return self._journal.add(signed, now)

    def of_account(self, account: str, *, limit: int, cursor: str | None) -> PageOf[JournalEntry]:
        """What an account told, the newest first."""
        return self._journal.page_of_provider(
            StatementKind.READER_NOTICE, parse_address(account), limit=limit, cursor=cursor
        )

    def _may_be_a_reader(self, account: Address, now: int) -> bool:
        record = self._ledger.provider(account)
        if record is not None and record.active:
            return True
        committee = self._committee()
        if committee is not None and account in self._members_of(committee):
            return True
        asks = self._journal.open_asks(
            now, resource_kind=None, environment=None, provider=None, limit=_NEWEST_ASKS, cursor=None
        )
        return any(isinstance(ask := entry.statement.message, Ask) and account in ask.verifiers for entry in asks.items)
