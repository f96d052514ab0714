"""Every query that the API asks again and again goes through an index, on both databases."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlmodel import Session, SQLModel
from tests.integration.indexer.conftest import OpenDatabase, indexer_of
from tests.integration.indexer.full_tables import ACCOUNT, GROWING, JOB, NOT_GROWING, NOW, ROWS, filled
from tests.integration.ledger_on_chain import LedgerOnChain, index_all

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
from computility.store.engine import Database

OTHER = Address("0x" + "5e" * 20)

Ask = Callable[[Session, ChainId, Address, Bytes32], Any]

QUERIES: dict[str, Ask] = {
    "jobs, the newest first": lambda s, c, _a, _j: jobs.page_of_jobs(s, c, limit=20),
    "jobs of a buyer": lambda s, c, a, _j: jobs.page_of_jobs(s, c, buyer=a, limit=20),
    "jobs of a provider": lambda s, c, a, _j: jobs.page_of_jobs(s, c, provider=a, limit=20),
    "jobs of a verifier": lambda s, c, a, _j: jobs.page_of_jobs(s, c, verifier=a, limit=20),
    "live jobs": lambda s, c, _a, _j: jobs.page_of_jobs(s, c, states=[JobState.OPEN], limit=20),
    "a job": lambda s, c, _a, j: jobs.find_job(s, c, j),
    "live jobs of providers": lambda s, c, a, _j: jobs.live_jobs_of(s, c, [a, OTHER]),
    "events, the newest first": lambda s, c, _a, _j: raw_logs.page_of_logs(s, c, limit=20),
    "events of a name": lambda s, c, _a, _j: raw_logs.page_of_logs(s, c, name="JobOpened", limit=20),
    "events, the second page": lambda s, c, _a, _j: raw_logs.page_of_logs(
        s, c, from_block=1, before=(104_000, 9), limit=20
    ),
    "events of a name, the second page": lambda s, c, _a, _j: raw_logs.page_of_logs(
        s, c, name="JobOpened", from_block=1, before=(104_000, 9), limit=20
    ),
    "events of an account": lambda s, c, a, _j: raw_logs.page_of_logs(s, c, account=a, limit=20),
    "events of a job": lambda s, c, _a, j: raw_logs.logs_of_job(s, c, j),
    "the last events of accounts": lambda s, c, a, _j: raw_logs.last_blocks_of_accounts(s, c, [a, OTHER]),
    "days of the market": lambda s, c, _a, _j: statistics.page_of_days(
        s, c, Scope.MARKET, statistics.MARKET_SUBJECT, before=30_000, limit=20
    ),
    "sums of every resource": lambda s, c, _a, _j: statistics.page_of_subjects(
        s, c, Scope.RESOURCE, TOTAL, after=bytes(32), limit=20
    ),
    "sums of providers in all": lambda s, c, a, _j: statistics.totals_of_providers(s, c, [a, OTHER]),
    "sums of every provider by day": lambda s, c, _a, _j: statistics.tallies_of_days(
        s, c, Scope.PROVIDER, 10_010, 30_000, after=None, limit=20
    ),
    "volumes of every provider by day, the second page": lambda s, c, _a, _j: statistics.volumes_of_days(
        s, c, Scope.PROVIDER, 10_010, 30_000, after=(10_015, bytes(32)), limit=20
    ),
    "past scores": lambda s, c, a, _j: statistics.page_of_history(s, c, a, a, 0, before=30_000, limit=20),
    "members": lambda s, c, a, _j: institutions.page_of_members(s, c, a, after=a, limit=20),
    "disputes, the newest first": lambda s, c, a, _j: institutions.page_of_disputes(
        s, c, before=(4_000, a, bytes(32)), limit=20
    ),
    "the dispute of a job": lambda s, c, _a, j: institutions.page_of_disputes(s, c, job=j, limit=20),
    "votes of a dispute": lambda s, c, a, _j: institutions.votes_of(s, c, a, bytes(32)),
    "operations, the newest first": lambda s, c, a, j: institutions.page_of_operations(
        s, c, before=(4_000, a, j), limit=20
    ),
    "roles of timelocks, the second page": lambda s, c, a, j: institutions.page_of_roles(
        s, c, after=(a, j, a), limit=20
    ),
    "a dispute": lambda s, c, a, _j: institutions.find_dispute(s, c, a, 7),
    "live jobs of a provider, listed": lambda s, c, a, _j: jobs.page_of_jobs(
        s, c, provider=a, states=[JobState.OPEN], limit=20
    ),
    "events of a job, the second page": lambda s, c, _a, j: raw_logs.logs_of_job(s, c, j, (3, 1), 20),
    "events of an account and a name, the second page": lambda s, c, a, _j: raw_logs.page_of_logs(
        s, c, name="JobOpened", account=a, before=(104_000, 9), limit=20
    ),
    "the last events of jobs": lambda s, c, _a, j: raw_logs.last_blocks_of_jobs(s, c, [j]),
    "a balance": lambda s, c, a, _j: accounts.balance_of(s, c, a),
    "scores": lambda s, c, a, _j: scores.standings_among(s, c, a, [a, OTHER], 1),
    "providers by address": lambda s, c, a, _j: providers.providers_among(s, c, a, [a, OTHER]),
    "providers": lambda s, c, a, _j: providers.page_of_providers(s, c, a, after=a, limit=20),
    "rewards": lambda s, c, a, _j: rewards.rewards_among(s, c, a, [a, OTHER]),
    "the head": lambda s, c, _a, _j: blocks.blocks_down_from(s, c, 5, 1),
    "a statement": lambda s, c, a, j: statements.find(s, c, j, a),
    "the withdrawals of asks": lambda s, c, _a, j: statements.withdrawals_among(s, c, [j, Bytes32("0x" + "5e" * 32)]),
    "the answer to a request": lambda s, c, _a, j: statements.answer_to(s, c, j),
    "statements about a job": lambda s, c, _a, j: statements.about(s, c, StatementKind.SUBMISSION, j),
    "the last statement about a job": lambda s, c, _a, j: statements.last_about(s, c, StatementKind.SUBMISSION, j),
    "a page of statements about a job": lambda s, c, _a, j: statements.page_about(
        s, c, StatementKind.SUBMISSION, j, 3, 20
    ),
    "a page of statements of a kind": lambda s, c, _a, _j: statements.page_of(s, c, StatementKind.RATING, 3, 20),
    "a reading of a meter": lambda s, c, _a, j: statements.reading(s, c, j, 3),
    "statements that concern a provider": lambda s, c, a, _j: statements.page_of_provider(
        s, c, StatementKind.RATING, a, 10**6, 20
    ),
    "ratings of providers": lambda s, c, a, _j: statements.ratings_at(s, c, [a, OTHER], NOW),
    "resources of a provider": lambda s, c, a, _j: statements.urns_of(s, c, a),
    "resources of the newest asks": lambda s, c, _a, _j: statements.newest_urns(s, c, 20),
    "open asks": lambda s, c, _a, _j: statements.open_asks(
        s, c, NOW, resource_kind=None, environment=None, provider=None, after=("1", 1), limit=20
    ),
    "open asks of a provider": lambda s, c, a, _j: statements.count_open_asks(s, c, a, NOW),
    "requests for a provider": lambda s, c, a, _j: statements.quote_requests(
        s, c, NOW, buyer=None, provider=a, status="pending", after=None, limit=20
    ),
    "pending requests of a buyer": lambda s, c, a, _j: statements.count_pending_requests(s, c, NOW, buyer=a),
    "statements of a signer about a job": lambda s, c, a, j: statements.count_by(s, c, StatementKind.ATTESTATION, j, a),
    "requests of a buyer that were answered": lambda s, c, a, _j: statements.quote_requests(
        s, c, NOW, buyer=a, provider=None, status="quoted", after=3, limit=20
    ),
    "open asks of one kind, the second page": lambda s, c, _a, _j: statements.open_asks(
        s, c, NOW, resource_kind="cpu", environment="e", provider=None, after=("1", 1), limit=20
    ),
    "jobs of a buyer, the second page": lambda s, c, a, j: jobs.page_of_jobs(
        s, c, buyer=a, before=(104_000, j), limit=20
    ),
    "live jobs, the second page": lambda s, c, _a, j: jobs.page_of_jobs(
        s, c, states=[JobState.OPEN], before=(104_000, j), limit=20
    ),
}
SORTED_BY_DESIGN = {
    # By price: of those that are open now, which the index finds; an index by price would lead through all that ever were.
    "open asks",
    "open asks of one kind, the second page",
    # By age: of those that wait, or have not expired.
    "ratings of providers",
    "requests for a provider",
    # The newest first: of those that one provider has live.
    "live jobs of a provider, listed",
}
_MOST_ROWS = ROWS // 20
"""That one step of a plan may read or throw away."""
_MOST_STEPS = 2 * ROWS
"""Of SQLite's machine: a walk through one of the tables takes five for each row, and more."""
_STEPS_AT_ONCE = 500
NOT_ASKED_BY_A_REQUEST = {
    # The indexer's, of one block or of a stretch of blocks.
    "logs_above", "blocks_from", "remove_logs_above", "forget_lists_of_jobs", "emitters_of", "keep_emitters",
    "jobs_among", "digests_between", "blocks_at_rest", "seal_to", "remove_blocks_above", "remove_empty_blocks_between", "remove_chain",
    # Of whoever reads everything: audits, surveillance, exports, tests.
    "all_jobs", "all_accounts", "all_fees", "all_scores", "all_providers", "all_rewards", "all_statistics", "all_history", "all_members",
    "all_disputes", "all_votes", "all_operations", "all_roles", "all_of", "count_logs", "count_blocks",
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


def test_every_table__is_full_or_known_to_stay_small() -> None:
    assert set(SQLModel.metadata.tables) == GROWING | NOT_GROWING
    assert not GROWING & NOT_GROWING


def test_every_query_of_the_api__is_answered_by_an_index_of_full_tables(
    ledger: LedgerOnChain, new_database: OpenDatabase
) -> None:
    database = new_database()
    filled(ledger, database)
    found = {name: wrong for name in QUERIES if (wrong := complaints(ledger, database, name))}
    assert not found, "\n".join(line for name, lines in found.items() for line in (f"== {name}", *lines))


def test_a_query_whose_index_is_gone__is_complained_of(ledger: LedgerOnChain, new_database: OpenDatabase) -> None:
    database = new_database()
    filled(ledger, database, ("jobs", "disputes", "statements"))
    names = ("open asks", "the dispute of a job", "jobs of a buyer")
    assert [name for name in names if complaints(ledger, database, name)] == []
    with database.engine.connect().execution_options(writes=True) as connection, connection.begin():
        for index in ("ix_statements_open", "ix_disputes_of_job", "ix_jobs_buyer"):
            connection.exec_driver_sql(f"DROP INDEX {index}")
    assert [name for name in names if complaints(ledger, database, name)] == list(names)


def complaints(ledger: LedgerOnChain, database: Database, name: str) -> list[str]:
    """Where a query reads a whole table, throws most of what it reads away, or puts in order what an index has in order; with the plan."""
    asked: list[tuple[str, Any]] = []
    wrong: list[str] = []
    with database.unit_of_work() as session:
        connection = session.connection()

        def note(*given: Any) -> None:
            asked.append((given[2], given[3]))

        event.listen(connection, "before_cursor_execute", note)
        QUERIES[name](session, ledger.deployments.chain_id, ACCOUNT, JOB)
        event.remove(connection, "before_cursor_execute", note)
        selects = [(statement, parameters) for statement, parameters in asked if "SELECT" in statement]
        assert selects, name
        complain = _on_postgresql if database.engine.dialect.name == "postgresql" else _on_sqlite
        for statement, parameters in selects:
            wrong += complain(connection, statement, parameters, name in SORTED_BY_DESIGN)
    return wrong


def _on_postgresql(connection: Connection, statement: str, parameters: Any, sorts: bool) -> list[str]:
    explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "
    plan = [str(row[-1]).strip() for row in connection.exec_driver_sql(explain + statement, parameters)]
    whole = [line for line in plan if (found := re.search(r"Seq Scan on (\S+)", line)) and _grows(found[1])]
    much = [
        line
        for line in plan
        if (found := re.search(r"(?:Rows Removed by [\w ]+: |actual rows=)([\d.]+)", line))
        and float(found[1]) > _MOST_ROWS
    ]
    ordered = [line for line in plan if line.startswith("Sort Key: ") and not line.startswith("Sort Key: ledgers.")]
    wrong = whole + much + ([] if sorts else ordered)
    return [*wrong, "of:", *plan] if wrong else []


def _on_sqlite(connection: Connection, statement: str, parameters: Any, sorts: bool) -> list[str]:
    plan = [str(row[-1]) for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)]
    whole = [line for line in plan if (found := re.match(r"SCAN (\S+)", line)) and _grows(found[1])]
    ordered = [line for line in plan if "USE TEMP B-TREE" in line]
    counted = itertools.count()
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: next(counted) < 0, _STEPS_AT_ONCE)
    connection.exec_driver_sql(statement, parameters).all()
    driver.set_progress_handler(None, 0)
    steps = next(counted) * _STEPS_AT_ONCE
    wrong = whole + ([] if sorts else ordered) + ([f"{steps} steps"] if steps > _MOST_STEPS else [])
    return [*wrong, "of:", *plan] if wrong else []


def _grows(table: str) -> bool:
    # A partition's or an alias's number.
    return re.sub(r"_\d+$", "", table) in GROWING


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
