"""Statistics and surveillance read however many rows there are, some at a time, and say what all of them add up to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import select
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.ledger_on_chain import BUYER, PROVIDER, LedgerOnChain, index_all

from computility.domain.identifiers import address_from_bytes
from computility.domain.statistics import TOTAL, Scope, Tally, concentration
from computility.services.ledger_history import read_history
from computility.services.ledger_source import RpcSource
from computility.services.ledger_walk import walk
from computility.services.stored_statistics import UNKNOWN_KIND, StoredStatistics
from computility.services.surveillance.facts import facts_of
from computility.services.surveillance.stored_facts import stored_facts
from computility.store.engine import Database
from computility.store.ledgers import LIVE, LedgerRow
from computility.store.statistics import MARKET_SUBJECT, StatisticsRow

DAYS = (20_000, 20_001, 20_003)
SELLERS = 2_345


def volume_of(day: int, number: int) -> int:
    return ((number * 7 + day) % 1_000 + 1) * 10**20


def provider(number: int) -> bytes:
    return bytes(12) + number.to_bytes(20, "big")


def with_many_sums(database: Database) -> None:
    """Sums of many providers and resources, on three days."""
    with database.unit_of_work() as session:
        ledger = session.exec(select(LedgerRow).where(LedgerRow.state == LIVE)).one().id
        rows: list[dict[str, Any]] = []
        for day in DAYS:
            rows.append(row(ledger, Scope.MARKET, day, MARKET_SUBJECT, Tally(closed=1)))
            for number in range(SELLERS):
                volume = volume_of(day, number)
                tally = Tally(
                    closed=1, units=5, volume=volume, price_low=volume // 5, price_high=volume // 5, block=number
                )
                rows.append(row(ledger, Scope.PROVIDER, day, provider(number), tally))
                rows.append(row(ledger, Scope.RESOURCE, day, bytes(28) + number.to_bytes(4, "big"), tally))
        session.connection().execute(insert(StatisticsRow), rows)


def row(ledger: int | None, scope: Scope, day: int, subject: bytes, tally: Tally) -> dict[str, Any]:
    return {"ledger": ledger, "scope": int(scope), "day": day, "subject": subject, **tally._asdict()}


@pytest.fixture
def filled(ledger: LedgerOnChain, new_database: OpenDatabase) -> Database:
    database = new_database()
    index_all(indexer_of(ledger, database))
    with_many_sums(database)
    return database


def test_sums_of_many_providers__are_added_up_whole__however_many_are_read_in_one_go(
    ledger: LedgerOnChain, filled: Database
) -> None:
    # Pages that end with a day, within one, and one of all.
    for at_once in (SELLERS // 5, 100, 1_000_000):
        assert_added_up(ledger, filled, at_once)


def assert_added_up(ledger: LedgerOnChain, filled: Database, at_once: int) -> None:
    stored = StoredStatistics(filled, ledger.deployments, lambda: (), at_once=at_once)
    days = stored.days(Scope.MARKET, None, limit=10, cursor=None)
    assert [found.day for found in days.items if found.day in DAYS] == sorted(DAYS, reverse=True)
    for found in days.items:
        if found.day in DAYS:
            assert found.sellers == concentration(volume_of(found.day, number) for number in range(SELLERS))

    period = stored.concentration(DAYS[0], DAYS[1])
    sold = {number: volume_of(DAYS[0], number) + volume_of(DAYS[1], number) for number in range(SELLERS)}
    assert period.spread == concentration(sold.values())
    largest = sorted(sold.items(), key=lambda item: (-item[1], item[0]))[:10]
    assert period.top == tuple((address_from_bytes(provider(number)[12:]), volume) for number, volume in largest)

    prices = [price for price in stored.prices(None, limit=10, cursor=None).items if price.day in DAYS]
    assert [(price.day, price.kind) for price in prices] == [(day, UNKNOWN_KIND) for day in sorted(DAYS, reverse=True)]
    for price in prices:
        volumes = [volume_of(price.day, number) for number in range(SELLERS)]
        assert (price.volume, price.units, price.jobs) == (sum(volumes), 5 * SELLERS, SELLERS)
        assert (price.low, price.high) == (min(volumes) // 5, max(volumes) // 5)


def test_a_market_without_sellers__has_no_concentration(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    index_all(indexer_of(ledger, database))
    stored = StoredStatistics(database, ledger.deployments, lambda: ())
    assert stored.total().items == ()
    assert stored.concentration(DAYS[0], DAYS[-1]).spread == concentration(())
    assert TOTAL not in DAYS


def test_surveillance__reads_every_deposit_and_withdrawal__and_keeps_one_fact_a_pair(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    buyer, seller = ledger.accounts[BUYER], ledger.accounts[PROVIDER]
    for amount in range(1, 6):
        buyer.deposit(amount)
        seller.withdraw(amount)
    database = new_database()
    index_all(indexer_of(ledger, database))
    history = read_history(ledger.deployments, walk(RpcSource(ledger.rpc, ledger.deployments)))
    on_chain: Counter[tuple[str, str]] = Counter()
    for fact in facts_of(history).funding:
        on_chain[fact.account, fact.source] += fact.amount
    assert on_chain[buyer.address, buyer.address] == 15
    for at_once in (1, 2, 1_000_000):
        facts = stored_facts(database, ledger.deployments.chain_id, at_once=at_once)
        assert len(facts.funding) == len(on_chain)
        assert {(fact.account, fact.source): fact.amount for fact in facts.funding} == dict(on_chain)
        assert facts.funders == facts_of(history).funders
