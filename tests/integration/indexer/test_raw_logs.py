"""Pages of the stored logs, by every path to them, are what picking from all logs by hand gives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from sqlmodel import Session
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.ledger_on_chain import BUYER, CREDIT, PROVIDER, LedgerOnChain, index_all

from computility.domain.errors import StoreError
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, ChainId
from computility.services.concerned_accounts import concerned_accounts
from computility.store import jobs, raw_logs
from computility.store.raw_logs import Position
from computility.store.stored_log import LogPlace, StoredLog

Pages = Callable[[Position | None], list[StoredLog]]


@pytest.fixture
def session(ledger: LedgerOnChain, new_database: OpenDatabase) -> Iterator[Session]:
    """Of a store with a few trades."""
    for _ in range(3):
        ledger.attest(ledger.open())
        ledger.accounts[BUYER].deposit(CREDIT // 100)
    ledger.open()
    database = new_database()
    index_all(indexer_of(ledger, database))
    with database.unit_of_work() as session:
        yield session


def all_pages(page: Pages) -> list[StoredLog]:
    """What one page after another gives."""
    found: list[StoredLog] = []
    while some := page(position(found[-1]) if found else None):
        found += some
    return found


def position(log: StoredLog) -> Position:
    return log.block_number, log.log_index


def concerned(session: Session, chain: ChainId, log: StoredLog) -> set[Address]:
    event = log.event()
    job = jobs.find_job(session, chain, event.job_id) if event.job_id else None
    return concerned_accounts(event, job.record().terms if job else None)


def test_pages__by_any_path__are_those_of_all_logs(ledger: LedgerOnChain, session: Session) -> None:
    chain = ledger.deployments.chain_id
    everything = raw_logs.logs_above(session, chain, -1)
    assert [position(log) for log in everything] == sorted(position(log) for log in everything)
    assert raw_logs.count_logs(session, chain) == len(everything) > 20
    newest_first = everything[::-1]
    middle = everything[len(everything) // 2].block_number
    names = {log.name for log in everything}
    listed = {log.job for log in everything if log.job}
    assert len(names) > 5
    assert len(listed) == 4

    for from_block, limit in itertools.product((None, middle), (1, 7, 1_000)):
        there = [log for log in newest_first if from_block is None or log.block_number >= from_block]

        def pages(
            name: str | None, account: Address | None, lowest: int | None = from_block, limit: int = limit
        ) -> list[StoredLog]:
            return all_pages(
                lambda before: raw_logs.page_of_logs(
                    session, chain, name=name, account=account, from_block=lowest, before=before, limit=limit
                )
            )

        assert pages(None, None) == there
        for name in names:
            assert pages(name, None) == [log for log in there if log.name == name]
        for index in (BUYER, PROVIDER):
            account = ledger.accounts[index].address
            of_account = [log for log in there if account in concerned(session, chain, log)]
            assert pages(None, account) == of_account
            assert pages("JobOpened", account) == [log for log in of_account if log.name == "JobOpened"]
    for job in listed:
        of_job = [log for log in everything if log.job == job]
        assert all_pages(lambda after, job=job: raw_logs.logs_of_job(session, chain, job, after, 2)) == of_job  # type: ignore[misc]  # a default
        assert raw_logs.last_blocks_of_jobs(session, chain, [job]) == {job: of_job[-1].block_number}

    for at_once in (1, 5, 1_000):
        # As a rebuild reads them.
        every = list(dict.fromkeys(log.block_number for log in everything))
        up_to, found = every[-2], list[int]()
        while some := raw_logs.blocks_from(session, chain, found[-1] if found else -1, up_to, at_once):
            assert sum(row.count for row in itertools.islice(some, len(some) - 1)) < at_once
            found += [row.block_number for row in some]
        assert found == every[:-1]


def test_a_log_of_no_known_event__is_told_and_not_left_out() -> None:
    place = LogPlace(ChainId("eip155:31337"), 7, ZERO_BYTES32, 0, {})
    with pytest.raises(StoreError, match=r"log 3 of block 0x0+ is of no known event"):
        place.log((3, bytes(32), bytes.fromhex(ZERO_ADDRESS[2:]), bytes(Bytes32(ZERO_BYTES32), "ascii"), b""), {})
