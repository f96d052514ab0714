"""Every query that the API asks again and again goes through an index, on both databases."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.ledger_on_chain import BUYER, PROVIDER, LedgerOnChain, index_all

from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.job import JobState
from computility.domain.statements import StatementKind
from computility.domain.statistics import TOTAL, Scope
from computility.store import (
    accounts,
    blocks,
    institutions,
    jobs,
    providers,
    raw_logs,
    rewards,
    scores,
    statements,
    statistics,
)

Ask = Callable[[Session, ChainId, Address, Bytes32], Any]

QUERIES: dict[str, Ask] = {
    "jobs, the newest first": lambda s, c, _a, _j: jobs.page_of_jobs(s, c, limit=20),
    "jobs of a buyer": lambda s, c, a, _j: jobs.page_of_jobs(s, c, buyer=a, limit=20),
    "jobs of a provider": lambda s, c, a, _j: jobs.page_of_jobs(s, c, provider=a, limit=20),
    "jobs of a verifier": lambda s, c, a, _j: jobs.page_of_jobs(s, c, verifier=a, limit=20),
    "live jobs": lambda s, c, _a, _j: jobs.page_of_jobs(s, c, states=[JobState.OPEN], limit=20),
    "a job": lambda s, c, _a, j: jobs.find_job(s, c, j),
    "live jobs of a provider": lambda s, c, a, _j: jobs.count_live_jobs(s, c, a),
    "events, the newest first": lambda s, c, _a, _j: raw_logs.page_of_logs(s, c, limit=20),
    "events of a name": lambda s, c, _a, _j: raw_logs.page_of_logs(s, c, name="JobOpened", limit=20),
    "events, the second page": lambda s, c, _a, _j: raw_logs.page_of_logs(s, c, from_block=1, before=(9, 9), limit=20),
    "events of a name, the second page": lambda s, c, _a, _j: raw_logs.page_of_logs(
        s, c, name="JobOpened", from_block=1, before=(9, 9), limit=20
    ),
    "events of an account": lambda s, c, a, _j: raw_logs.page_of_logs(s, c, account=a, limit=20),
    "events of a job": lambda s, c, _a, j: raw_logs.logs_of_job(s, c, j),
    "the last event of an account": lambda s, c, a, _j: raw_logs.last_block_of_account(s, c, a),
    "days of the market": lambda s, c, _a, _j: statistics.page_of_days(
        s, c, Scope.MARKET, statistics.MARKET_SUBJECT, before=30_000, limit=20
    ),
    "sums of every resource": lambda s, c, _a, _j: statistics.page_of_subjects(
        s, c, Scope.RESOURCE, TOTAL, after=bytes(32), limit=20
    ),
    "sums of every provider by day": lambda s, c, _a, _j: statistics.tallies_of_days(
        s, c, Scope.PROVIDER, 20_000, 30_000, limit=20
    ),
    "past scores": lambda s, c, a, _j: statistics.page_of_history(s, c, a, a, 0, before=30_000, limit=20),
    "members": lambda s, c, a, _j: institutions.page_of_members(s, c, a, after=a, limit=20),
    "disputes, the newest first": lambda s, c, a, _j: institutions.page_of_disputes(
        s, c, before=(1, a, bytes(32)), limit=20
    ),
    "the dispute of a job": lambda s, c, _a, j: institutions.page_of_disputes(s, c, job=j, limit=20),
    "votes of a dispute": lambda s, c, a, _j: institutions.votes_of(s, c, a, bytes(32)),
    "operations, the newest first": lambda s, c, a, j: institutions.page_of_operations(
        s, c, before=(1, a, j), limit=20
    ),
    "a dispute": lambda s, c, a, _j: institutions.find_dispute(s, c, a, 7),
    "live jobs of a provider, listed": lambda s, c, a, _j: jobs.page_of_jobs(
        s, c, provider=a, states=[JobState.OPEN], limit=20
    ),
    "events of a job, the second page": lambda s, c, _a, j: raw_logs.logs_of_job(s, c, j, (3, 1), 20),
    "events of an account and a name, the second page": lambda s, c, a, _j: raw_logs.page_of_logs(
        s, c, name="JobOpened", account=a, before=(9, 9), limit=20
    ),
    "the last events of jobs": lambda s, c, _a, j: raw_logs.last_blocks_of_jobs(s, c, [j]),
    "a balance": lambda s, c, a, _j: accounts.balance_of(s, c, a),
    "a score": lambda s, c, a, _j: scores.find_standing(s, c, a, a, 1),
    "a provider": lambda s, c, a, _j: providers.find_provider(s, c, a, a),
    "providers": lambda s, c, a, _j: providers.page_of_providers(s, c, a, after=a, limit=20),
    "a reward": lambda s, c, a, _j: rewards.find_reward(s, c, a, a),
    "the head": lambda s, c, _a, _j: blocks.blocks_down_from(s, c, 5, 1),
    "a statement": lambda s, c, a, j: statements.find(s, c, j, a),
    "the withdrawal of an ask": lambda s, c, _a, j: statements.withdrawal_of(s, c, j),
    "the answer to a request": lambda s, c, _a, j: statements.answer_to(s, c, j),
    "statements about a job": lambda s, c, _a, j: statements.about(s, c, StatementKind.SUBMISSION, j),
    "the last statement about a job": lambda s, c, _a, j: statements.last_about(s, c, StatementKind.SUBMISSION, j),
    "a page of statements about a job": lambda s, c, _a, j: statements.page_about(
        s, c, StatementKind.SUBMISSION, j, 3, 20
    ),
    "a page of statements of a kind": lambda s, c, _a, _j: statements.page_of(s, c, StatementKind.RATING, 3, 20),
    "a reading of a meter": lambda s, c, _a, j: statements.reading(s, c, j, 3),
    "statements that concern a provider": lambda s, c, a, _j: statements.page_of_provider(
        s, c, StatementKind.RATING, a, 9, 20
    ),
    "ratings of a provider": lambda s, c, a, _j: statements.ratings_at(s, c, a, 9),
    "resources of a provider": lambda s, c, a, _j: statements.urns_of(s, c, a),
    "resources of the newest asks": lambda s, c, _a, _j: statements.newest_urns(s, c, 20),
    "open asks": lambda s, c, _a, _j: statements.open_asks(
        s, c, 9, resource_kind=None, environment=None, provider=None, after=("1", 1), limit=20
    ),
    "open asks of a provider": lambda s, c, a, _j: statements.count_open_asks(s, c, a, 9),
    "requests for a provider": lambda s, c, a, _j: statements.quote_requests(
        s, c, 9, buyer=None, provider=a, status="pending", after=None, limit=20
    ),
    "pending requests of a buyer": lambda s, c, a, _j: statements.count_pending_requests(s, c, 9, buyer=a),
    "statements of a signer about a job": lambda s, c, a, j: statements.count_by(s, c, StatementKind.ATTESTATION, j, a),
}
NOT_ASKED_BY_A_REQUEST = {
    # The indexer's, of one block or of a stretch of blocks.
    "logs_above", "blocks_from", "remove_logs_above", "emitters_of", "keep_emitters",
    "jobs_among", "digests_between", "seal_to", "remove_blocks_above", "remove_empty_blocks_between",
    # Of whoever reads everything: audits, surveillance, exports, tests.
    "all_jobs", "all_accounts", "all_fees", "all_scores", "all_providers", "all_rewards", "all_statistics", "all_history", "all_members",
    "all_disputes", "all_votes", "all_operations", "all_of", "count_logs", "count_blocks",
    # By primary key, through the session.
    "cursor_of",
    # No queries.
    "row_of",
}  # fmt: skip


def test_no_query__is_left_out() -> None:
    known = {name for ask in QUERIES.values() for name in ask.__code__.co_names}
    modules = (accounts, blocks, institutions, jobs, providers, raw_logs, rewards, scores, statements, statistics)
    queries = {
        name
        for module in modules
        for name, found in vars(module).items()
        if inspect.isfunction(found) and found.__module__ == module.__name__ and not name.startswith("_")
    }
    assert queries - known - NOT_ASKED_BY_A_REQUEST == set()
    assert NOT_ASKED_BY_A_REQUEST & known == set()


def test_every_query_of_the_api__goes_through_an_index(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    terms = ledger.open()
    database = new_database()
    index_all(indexer_of(ledger, database))
    postgresql = database.engine.dialect.name == "postgresql"
    explain = "EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN "
    job = terms.job_id(ledger.deployments.domain)
    asked: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append((a[2], a[3])))
    scanned = {}
    for name, ask in QUERIES.items():
        with database.unit_of_work() as session:
            if postgresql:
                # Of a handful of rows the planner would rather read all.
                session.execute(text("SET LOCAL enable_seqscan = off"))
            asked.clear()
            ask(
                session,
                ledger.deployments.chain_id,
                ledger.accounts[PROVIDER if "provider" in name else BUYER].address,
                job,
            )
            of_this_query = [(statement, parameters) for statement, parameters in asked if "SELECT" in statement]
            plan = [
                str(row[-1])
                for statement, parameters in of_this_query
                for row in session.connection().exec_driver_sql(explain + statement, parameters)
            ]
        found = [
            line
            for line in plan
            if ("Seq Scan" if postgresql else "SCAN") in line and "ledgers" not in line and "CONSTANT ROW" not in line
        ]
        if found:
            scanned[name] = plan
    assert not scanned
    assert len(QUERIES) > 10


@pytest.mark.postgresql
def test_events__stand_in_partitions_by_block(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no partitions")
    ledger.open()
    index_all(indexer_of(ledger, database))
    with database.unit_of_work() as session:
        found = session.execute(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'block_logs'::regclass")
        ).scalars()
        assert "block_logs_0" in set(found)
