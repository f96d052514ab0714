"""The sums of the trades by day, as the store keeps them: of market, resources and providers; prices by kind of resource; scores as they were."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, TypeVar

from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Address, Bytes32, address_from_bytes
from computility.domain.resource import parse_resource
from computility.domain.scores import Role
from computility.domain.standing import Standing
from computility.domain.statistics import TOTAL, Concentration, Scope, Tally, concentration
from computility.services.confirmations import confirmations
from computility.services.ledger import Confirmation
from computility.services.pages import PageOf, page_of, read_cursor
from computility.store import statistics
from computility.store.engine import Database
from computility.store.statistics import MARKET_SUBJECT, Place, StatisticsRow

MOST_DAYS: Final = 366
"""Over which concentration is added up at once."""
_AT_ONCE: Final = 5_000
"""Sums that are read in one go: however many there are, only what they add up to is kept."""
UNKNOWN_KIND: Final = "unknown"

_TOP: Final = 10
SumT = TypeVar("SumT", bound=tuple[Any, ...])

UrnsOf = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Sum:
    """A tally of one subject on a day, or (``day`` None) in all; ``subject`` is a resource's id, a provider's address, or None for the market."""

    day: int | None
    subject: str | None
    tally: Tally
    confirmation: Confirmation
    sellers: Concentration | None = None
    """Of the market only: how its volume is spread over providers."""


@dataclass(frozen=True)
class PriceOfDay:
    """What a kind of resource cost on a day: the mean weighted by units, and the extremes. Atoms a unit."""

    day: int
    kind: str
    mean: int
    low: int
    high: int
    units: int
    volume: int
    jobs: int
    confirmation: Confirmation


@dataclass(frozen=True)
class ScoreOfDay:
    """An account's standing as a day left it."""

    day: int
    standing: Standing
    confirmation: Confirmation


@dataclass(frozen=True)
class PeriodConcentration:
    """How the volume of some days is spread over providers, and those with the most (atoms of credit)."""

    spread: Concentration
    top: tuple[tuple[Address, int], ...]
    confirmation: Confirmation


class StoredStatistics:
    """Reads of the statistics. ``urns`` are those of all asks: they tell of which kind a resource is."""

    def __init__(self, database: Database, deployments: Deployments, urns: UrnsOf, *, at_once: int = _AT_ONCE) -> None:
        self._database = database
        self._deployments = deployments
        self._chain_id = deployments.chain_id
        self._urns = urns
        self._at_once = at_once

    def days(self, scope: Scope, subject: str | None, *, limit: int, cursor: str | None) -> PageOf[Sum]:
        """The days of the market, of a resource or of a provider, the newest first."""
        before = read_cursor(cursor, int)
        with self._database.unit_of_work() as session:
            rows = statistics.page_of_days(
                session,
                self._chain_id,
                scope,
                _key(scope, subject),
                before=before[0] if before else None,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda row: (row.day,))
            sums = self._sums(session, page.items)
            if scope is Scope.MARKET and page.items:
                sellers = self._sellers(session, page.items[-1].day, page.items[0].day)
                sums = [_with_sellers(found, sellers) for found in sums]
            return PageOf(tuple(sums), page.next)

    def subjects(self, scope: Scope, day: int | None, *, limit: int, cursor: str | None) -> PageOf[Sum]:
        """Every resource or provider with its sums of a day, or of all days, by the number that it is."""
        after = read_cursor(cursor, str)
        with self._database.unit_of_work() as session:
            rows = statistics.page_of_subjects(
                session,
                self._chain_id,
                scope,
                TOTAL if day is None else day,
                after=_hex(after[0]) if after else None,
                limit=limit + 1,
            )
            page = page_of(rows, limit, lambda row: (row.subject.hex(),))
            return PageOf(tuple(self._sums(session, page.items)), page.next)

    def total(self) -> PageOf[Sum]:
        """The market in all: one sum, none before the first job."""
        with self._database.unit_of_work() as session:
            rows = statistics.page_of_subjects(session, self._chain_id, Scope.MARKET, TOTAL, after=None, limit=1)
            sums = self._sums(session, rows)
            sellers = self._sellers(session, TOTAL, TOTAL) if sums else {}
            return PageOf(tuple(_with_sellers(found, sellers) for found in sums))

    def concentration(self, since: int, until: int) -> PeriodConcentration:
        """Of the volume of the days from ``since`` to ``until``, both included; and the providers with the most, ten at most.

        Raises:
            InvalidMessage: more than a year at once, or none.
        """
        if not 0 <= until - since < MOST_DAYS:
            raise InvalidMessage(f"ask for at least one day and for at most {MOST_DAYS}")
        with self._database.unit_of_work() as session:
            sold: dict[bytes, int] = defaultdict(int)
            newest = -1
            for _, provider, volume, block in self._provider_days(session, since, until):
                sold[provider] += volume
                newest = max(newest, block)
            confirmation = confirmations(session, self._chain_id)(newest)
        largest = heapq.nsmallest(_TOP, sold.items(), key=lambda item: (-item[1], item[0]))
        top = tuple((address_from_bytes(provider[12:]), volume) for provider, volume in largest if volume)
        return PeriodConcentration(concentration(sold.values()), top, confirmation)

    def prices(self, kind: str | None, *, limit: int, cursor: str | None) -> PageOf[PriceOfDay]:
        """What each kind of resource cost, day by day, the newest first; ``limit`` counts days."""
        kinds = {str(resource.id): resource.kind for resource in (parse_resource(urn) for urn in self._urns())}
        before = read_cursor(cursor, int)
        with self._database.unit_of_work() as session:
            rows = statistics.page_of_days(
                session,
                self._chain_id,
                Scope.MARKET,
                MARKET_SUBJECT,
                before=before[0] if before else None,
                limit=limit + 1,
            )
            days = page_of(rows, limit, lambda row: (row.day,))
            if not days.items:
                return PageOf(())
            settled = confirmations(session, self._chain_id)
            sums: dict[tuple[int, str], Tally] = {}
            since, until = days.items[-1].day, days.items[0].day
            for day, resource, tally in _all_of(
                lambda after: statistics.tallies_of_days(
                    session, self._chain_id, Scope.RESOURCE, since, until, after=after, limit=self._at_once
                )
            ):
                key = day, kinds.get("0x" + resource.hex(), UNKNOWN_KIND)
                sums[key] = sums.get(key, Tally()).plus(tally)
        found = [
            PriceOfDay(
                day,
                of,
                mean,
                tally.price_low,
                tally.price_high,
                tally.units,
                tally.volume,
                tally.closed,
                settled(tally.block),
            )
            for (day, of), tally in sorted(sums.items(), key=lambda item: (-item[0][0], item[0][1]))
            if (mean := tally.mean_price) is not None and kind in (None, of)
        ]
        return PageOf(tuple(found), days.next)

    def score_history(self, account: Address, role: Role, *, limit: int, cursor: str | None) -> PageOf[ScoreOfDay]:
        """An account's standings with the newest escrow, the newest day first."""
        before = read_cursor(cursor, int)
        escrow = self._deployments.newest.address_of("JobEscrow")
        with self._database.unit_of_work() as session:
            rows = statistics.page_of_history(
                session,
                self._chain_id,
                escrow,
                account,
                int(role),
                before=before[0] if before else None,
                limit=limit + 1,
            )
            settled = confirmations(session, self._chain_id)
            return page_of(rows, limit, lambda row: (row.day,)).map(
                lambda row: ScoreOfDay(row.day, row.record(), settled(row.block))
            )

    def _sums(self, session: Session, rows: Iterable[StatisticsRow]) -> list[Sum]:
        settled = confirmations(session, self._chain_id)
        return [
            Sum(
                None if row.day == TOTAL else row.day,
                _subject(Scope(row.scope), row.subject),
                row.tally(),
                settled(row.block),
            )
            for row in rows
        ]

    def _sellers(self, session: Session, since: int, until: int) -> dict[int, Concentration]:
        """How the volume of each day is spread over providers."""
        return {
            day: concentration(volume for _, _, volume, _ in rows)
            for day, rows in itertools.groupby(self._provider_days(session, since, until), key=itemgetter(0))
        }

    def _provider_days(self, session: Session, since: int, until: int) -> Iterator[tuple[int, bytes, int, int]]:
        """Day, provider, volume and block of every sum."""
        return _all_of(
            lambda after: statistics.volumes_of_days(
                session, self._chain_id, Scope.PROVIDER, since, until, after=after, limit=self._at_once
            )
        )


def _all_of(page_after: Callable[[Place | None], list[SumT]]) -> Iterator[SumT]:
    """The sums of all pages; each begins with its day and its subject."""
    after: Place | None = None
    while page := page_after(after):
        yield from page
        after = page[-1][0], page[-1][1]


def _with_sellers(found: Sum, sellers: Mapping[int, Concentration]) -> Sum:
    spread = sellers.get(TOTAL if found.day is None else found.day) or concentration(())
    return Sum(found.day, found.subject, found.tally, found.confirmation, spread)


def _key(scope: Scope, subject: str | None) -> bytes:
    return MARKET_SUBJECT if subject is None else bytes.fromhex(subject[2:]).rjust(32, b"\0")


def _subject(scope: Scope, subject: bytes) -> str | None:
    if scope is Scope.MARKET:
        return None
    return Bytes32("0x" + subject.hex()) if scope is Scope.RESOURCE else address_from_bytes(subject[12:])


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise InvalidMessage("the cursor is not one that this list gave out: begin again without one") from None
