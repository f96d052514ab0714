"""The indexer on a real chain: whatever happens there, the store says what a store would that was built from nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import update
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.ledger_on_chain import (
    BUYER,
    CREDIT,
    OTHER_PROVIDER,
    PROVIDER,
    RESULT,
    VERIFIER,
    LedgerOnChain,
    index_all,
    rows_of,
)

from computility.chain.connection import ChainConnection
from computility.domain.attestation import Attestation, Verdict
from computility.domain.errors import ChainReplaced, StoreMoved
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.job import ClosedBy, JobState
from computility.services.auditor import Auditor
from computility.services.fetch_ahead import Follower
from computility.services.forget_ledger import forget_ledger
from computility.services.incoming import Incoming
from computility.services.indexer import Indexer
from computility.services.trading_account import raw_values, terms_values
from computility.store import blocks, raw_logs
from computility.store.accounts import AccountRow, FeesRow
from computility.store.blocks import BlockRow, CursorRow
from computility.store.engine import Database
from computility.store.institutions import DisputeRow, MemberRow, OperationRow, RoleRow, VoteRow
from computility.store.jobs import JobRow, all_jobs
from computility.store.ledgers import LedgerRow
from computility.store.providers import ProviderRow
from computility.store.raw_logs import BlockLogsRow, EmitterRow, EventAccountRow, EventJobRow, EventNameRow
from computility.store.rewards import RewardRow
from computility.store.scores import ScoreRow
from computility.store.statistics import ScoreHistoryRow, StatisticsRow

OF_THE_BUILD = ("ledger", "undo_floor", "sealed", "safe", "final")
"""What a store says of its own making."""
TABLES = (
    JobRow,
    AccountRow,
    FeesRow,
    ProviderRow,
    RewardRow,
    ScoreRow,
    StatisticsRow,
    ScoreHistoryRow,
    MemberRow,
    DisputeRow,
    VoteRow,
    OperationRow,
    RoleRow,
    BlockLogsRow,
    EventAccountRow,
    EventJobRow,
    EventNameRow,
    CursorRow,
)


def assert_as_from_nothing(ledger: LedgerOnChain, database: Database, new_database: OpenDatabase) -> None:
    """The store equals one that was indexed from scratch, and the chain."""
    fresh = new_database()
    index_all(indexer_of(ledger, fresh))
    for table in TABLES:
        # A row whose every amount fell back to nothing says nothing.
        kept, true = (
            [
                {name: value for name, value in row.items() if name not in OF_THE_BUILD}
                for row in rows_of(each, table)
                if (row.get("free"), row.get("locked")) != (0, 0) and row.get("amount") != 0
            ]
            for each in (database, fresh)
        )
        assert kept == true, table.__tablename__
    report = Auditor(ChainConnection(ledger.rpc), fresh, ledger.deployments).audit()
    assert report.store_matches_chain, report.differences


def test_trades_of_every_kind__are_in_the_store_as_on_the_chain(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    ledger.trade_in_every_way()
    database = new_database()
    index_all(indexer_of(ledger, database))

    report = Auditor(ChainConnection(ledger.rpc), database, ledger.deployments).audit()
    assert report.store_matches_chain, report.differences
    assert report.counts.jobs == 7
    with database.unit_of_work() as session:
        jobs = [row.record() for row in all_jobs(session, ledger.deployments.chain_id)]
    assert sorted(job.closed_by for job in jobs if job.closed_by is not None) == [
        ClosedBy.ATTESTED,
        ClosedBy.FINALIZED,
        ClosedBy.FINALIZED,
        ClosedBy.RECLAIMED,
        ClosedBy.DISPUTED_BY_DEFAULT,
        ClosedBy.CANCELLED,
    ]
    assert [job.state for job in jobs].count(JobState.OPEN) == 1
    locked = sum(row["locked"] for row in rows_of(database, AccountRow))
    live = next(job for job in jobs if job.state is JobState.OPEN)
    assert live.terms is not None
    assert locked == live.terms.escrow + live.terms.bond


def test_an_item_that_a_batch_skipped__stops_nothing(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    terms = ledger.open()
    word = Attestation(
        terms.job_id(ledger.deployments.domain), Verdict.PASS, RESULT, 60, True, 10_000, ZERO_BYTES32, RESULT
    )
    provider = ledger.accounts[PROVIDER]
    provider.send(provider.escrow, "attestMany", [(terms_values(terms), raw_values(word.values()), b"no signature")])
    database = new_database()
    index_all(indexer_of(ledger, database))
    with database.unit_of_work() as session:
        skipped = raw_logs.page_of_logs(session, ledger.deployments.chain_id, name="JobSkipped", limit=10)
    assert [log.job for log in skipped] == [None]
    assert [row["state"] for row in rows_of(database, JobRow)] == [JobState.OPEN]


def test_batches__end_as_one_block_at_a_time_does(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    ledger.trade_in_every_way()
    database = new_database()
    index_all(Indexer(ledger.rpc, database, ledger.deployments, most_blocks=1))
    assert_as_from_nothing(ledger, database, new_database)


def test_a_second_pass__changes_nothing(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    ledger.attest(ledger.open())
    database = new_database()
    index_all(indexer_of(ledger, database))
    before = [rows_of(database, table) for table in TABLES]
    assert indexer_of(ledger, database).step() is False
    assert [rows_of(database, table) for table in TABLES] == before


def opening(ledger: LedgerOnChain) -> None:
    ledger.open()


def settlement(ledger: LedgerOnChain) -> None:
    ledger.attest(ledger.open())


def failure(ledger: LedgerOnChain) -> None:
    terms = ledger.open()
    ledger.attest(terms, Verdict.FAIL)
    ledger.pass_time(200)
    ledger.accounts[BUYER].finalize(terms)


def registration(ledger: LedgerOnChain) -> None:
    verifier = ledger.accounts[VERIFIER]
    verifier.send(verifier.reserve(), "mint", verifier.address, 50 * 10**6)
    verifier.swap_reserve(40 * CREDIT)
    verifier.register_provider()


def departure(ledger: LedgerOnChain) -> None:
    provider = ledger.accounts[OTHER_PROVIDER]
    provider.send(provider.registry, "requestExit")


def movements(ledger: LedgerOnChain) -> None:
    ledger.accounts[BUYER].deposit(CREDIT)
    ledger.accounts[PROVIDER].withdraw(CREDIT)
    buyer = ledger.accounts[BUYER]
    buyer.send(buyer.escrow, "collectFees")


def everything(ledger: LedgerOnChain) -> None:
    ledger.trade_in_every_way()


HISTORIES = (opening, settlement, failure, registration, departure, movements, everything)


@pytest.mark.parametrize("orphaned", HISTORIES)
@pytest.mark.parametrize("instead", [opening, everything])
def test_a_reorganisation__leaves_no_trace_of_what_it_orphaned(
    ledger: LedgerOnChain,
    new_database: OpenDatabase,
    orphaned: Callable[[LedgerOnChain], None],
    instead: Callable[[LedgerOnChain], None],
) -> None:
    settlement(ledger)
    shared = ledger.open()
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    fork = ledger.snapshot()
    orphaned(ledger)
    ledger.attest(shared)
    index_all(indexer)
    ledger.revert(fork)
    instead(ledger)
    index_all(indexer)
    assert_as_from_nothing(ledger, database, new_database)


def test_a_chain_that_only_went_back__is_followed_back(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    fork = ledger.snapshot()
    everything(ledger)
    index_all(indexer)
    ledger.revert(fork)
    index_all(indexer)
    assert rows_of(database, JobRow) == []
    assert_as_from_nothing(ledger, database, new_database)


def test_a_reorganisation_deeper_than_a_search__is_found(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    settlement(ledger)
    database = new_database()
    indexer = Indexer(ledger.rpc, database, ledger.deployments, fork_search_blocks=4)
    index_all(indexer)
    fork = ledger.snapshot()
    settlement(ledger)
    ledger.mine(20)
    index_all(indexer)
    ledger.revert(fork)
    ledger.mine(17)
    settlement(ledger)
    index_all(indexer)
    assert_as_from_nothing(ledger, database, new_database)


def test_jobs_that_a_reorganisation_touched__are_told_to_whoever_listens(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    told: list[str] = []
    indexer = Indexer(ledger.rpc, new_database(), ledger.deployments, jobs_changed=told.extend)
    index_all(indexer)
    fork = ledger.snapshot()
    job = ledger.open().job_id(ledger.deployments.domain)
    index_all(indexer)
    assert told == [job]
    ledger.revert(fork)
    index_all(indexer)
    assert told == [job, job]


def test_old_blocks_without_events__are_forgotten_and_a_fork_is_found_nevertheless(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    database = new_database()
    indexer = Indexer(ledger.rpc, database, ledger.deployments, most_blocks=20, keep_blocks=10)
    settlement(ledger)
    fork = ledger.snapshot()
    ledger.mine(100)
    index_all(indexer)
    assert len(rows_of(database, BlockRow)) < 90
    ledger.revert(fork)
    settlement(ledger)
    index_all(indexer)
    assert_as_from_nothing(ledger, database, new_database)


def test_a_confirmation_depth__keeps_the_newest_blocks_out(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    indexer = Indexer(ledger.rpc, database, ledger.deployments, confirmation_depth=3)
    opening(ledger)
    ledger.mine(2)
    index_all(indexer)
    assert rows_of(database, JobRow) == []
    ledger.mine()
    index_all(indexer)
    assert len(rows_of(database, JobRow)) == 1


def test_projections_of_another_version__are_rebuilt_from_the_stored_logs(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    ledger.trade_in_every_way()
    database = new_database()
    index_all(indexer_of(ledger, database))
    with database.unit_of_work() as session:
        session.exec(update(LedgerRow).values(version=0))
        session.exec(update(JobRow).values(generation=99))
    ledger.attest(ledger.open())
    index_all(indexer_of(ledger, database))
    assert_as_from_nothing(ledger, database, new_database)
    assert [row["state"] for row in rows_of(database, LedgerRow)] == ["live"]


def test_a_reorganisation_below_every_image_of_before__is_rebuilt_from_the_stored_logs(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    settlement(ledger)
    database = new_database()
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    fork = ledger.snapshot()
    everything(ledger)
    ledger.mine(10)
    index_all(indexer)
    ledger.revert(fork)
    settlement(ledger)
    ledger.mine(12)
    index_all(indexer)
    assert indexer.metrics.rebuilds._value.get() == 1
    assert_as_from_nothing(ledger, database, new_database)


def test_a_chain_that_was_started_anew__is_said_and_the_store_kept(
    ledger: LedgerOnChain, new_database: OpenDatabase, chain_from_nothing: LedgerOnChain
) -> None:
    settlement(ledger)
    database = new_database()
    index_all(indexer_of(ledger, database))
    before = rows_of(database, JobRow)
    chain_from_nothing.mine(100)
    elsewhere = Indexer(chain_from_nothing.rpc, database, ledger.deployments)
    with pytest.raises(ChainReplaced, match="empty database"):
        elsewhere.step()
    with pytest.raises(ChainReplaced, match="Deploy again"):
        Indexer(chain_from_nothing.rpc, new_database(), ledger.deployments).step()
    assert rows_of(database, JobRow) == before


def test_a_second_writer__is_refused_and_nothing_is_doubled(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    first = indexer_of(ledger, database)
    index_all(first)
    settlement(ledger)
    behind = first._position()
    assert behind is not None
    late = Follower(first.source, behind).next()
    assert isinstance(late, Incoming)
    index_all(indexer_of(ledger, database))
    with pytest.raises(StoreMoved, match="one node"):
        first._take(late, behind)
    assert_as_from_nothing(ledger, database, new_database)


def test_the_block_in_which_the_contracts_were_made__is_read_too(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    newest = ledger.deployments.newest
    timelock = newest.address_of("Timelock")
    made = ledger.rpc.call("eth_getLogs", {"address": timelock, "fromBlock": "0x0", "toBlock": "latest"})
    number, block_hash = int(made[0]["blockNumber"], 16), Bytes32(made[0]["blockHash"])
    # As where all contracts are made in one block: the first that is read holds the roles that the timelock was given.
    deployments = replace(ledger.deployments, generations=(replace(newest, block=number, block_hash=block_hash),))
    database = new_database()
    index_all(Indexer(ledger.rpc, database, deployments))
    with database.unit_of_work() as session:
        granted = raw_logs.page_of_logs(session, deployments.chain_id, name="RoleGranted", limit=100)
    assert {log.block_number for log in granted} == {number}
    assert len(granted) == len([log for log in made if int(log["blockNumber"], 16) == number]) - 1
    assert Auditor(ChainConnection(ledger.rpc), database, deployments).audit().store_matches_chain


def test_a_ledger_that_was_forgotten_meanwhile__is_read_anew_with_what_is_needed_to_read_it(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    database, chain = new_database(), ledger.deployments.chain_id
    ledger.attest(ledger.open())
    ledger.mine(2)
    indexer = indexer_of(ledger, database)
    index_all(indexer)

    def rows() -> list[dict[str, object]]:
        found = [row for table in (AccountRow, JobRow, EmitterRow) for row in rows_of(database, table)]
        return [{**row, "ledger": None} for row in found]

    before = rows()
    forget_ledger(database, chain)
    index_all(indexer)
    assert rows() == before


def test_a_roll_back__never_moves_the_cursor_up(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database, chain = new_database(), ledger.deployments.chain_id
    ledger.mine(3)
    indexer = indexer_of(ledger, database)
    index_all(indexer)
    with database.unit_of_work() as session:
        top, *_, lower = blocks.blocks_down_from(session, chain, ledger.rpc.block_number(), 3)
    with database.bulk_work() as (session, writer):
        indexer._roll_back_to(session, writer, lower)
    # Another indexer, which had this one's lock a moment ago, comes to its own roll-back now.
    with pytest.raises(StoreMoved), database.bulk_work() as (session, writer):
        indexer._roll_back_to(session, writer, top)
    assert rows_of(database, CursorRow)[0]["number"] == lower.number
