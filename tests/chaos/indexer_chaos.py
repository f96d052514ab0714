"""What is done to an indexer at random, and how its store is judged afterwards. Shared by a test and by ``make bench BENCH=chaos``."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.integration.ledger_on_chain import BUYER, CREDIT, PROVIDER, RESULT, LedgerOnChain, index_all, rows_of

from computility.chain.rpc import RpcClient
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow, FeesRow
from computility.store.blocks import CursorRow
from computility.store.engine import open_database
from computility.store.institutions import DisputeRow, MemberRow, OperationRow, RoleRow, VoteRow
from computility.store.jobs import JobRow
from computility.store.providers import ProviderRow
from computility.store.raw_logs import BlockLogsRow, EmitterRow, EventAccountRow, EventJobRow, EventNameRow
from computility.store.rewards import RewardRow
from computility.store.scores import ScoreRow
from computility.store.statistics import ScoreHistoryRow, StatisticsRow

_DEEPEST: Final = 64
_OF_THE_BUILD: Final = ("ledger", "undo_floor", "sealed", "safe", "final")
TABLES: Final = (
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
    EmitterRow,
    CursorRow,
)
"""What the chain alone decides."""
OF_ITS_OWN: Final = frozenset({"blocks", "undo", "ledgers", "statements"})
"""The tables that tell what a store has seen on its way, or hold what is on no chain."""


def reorganise_at_random(ledger: LedgerOnChain, url: str, times: int, chance: random.Random) -> None:
    """Reorganise the chain under an indexer, up to 64 blocks deep, some below what it keeps images of."""
    database = open_database(url)
    indexer = Indexer(ledger.rpc, database, ledger.deployments, finality_depth=chance.choice((5, 100)), most_blocks=16)
    for _ in range(times):
        fork = ledger.snapshot()
        height = ledger.rpc.block_number()
        something_happens(ledger, chance)
        ledger.mine(chance.randint(0, _DEEPEST - 4))
        index_all(indexer)
        if chance.random() < 0.3:
            # Only a part of it was seen, and a part of the other side.
            something_happens(ledger, chance)
            indexer.step()
        depth = ledger.rpc.block_number() - height
        ledger.revert(fork)
        something_happens(ledger, chance)
        ledger.mine(chance.choice((0, 1, max(0, depth - 2), depth)))
        if chance.random() < 0.7:
            index_all(indexer)
    index_all(indexer)
    database.close()


def kill_at_random(
    ledger: LedgerOnChain, url: str, times: int, chance: random.Random, restart: Callable[[], None] | None = None
) -> None:
    """Kill the indexer's process at random instants while it folds, and let another go on. ``restart``: of the database, under some of them."""
    context = multiprocessing.get_context("fork")
    for _ in range(times):
        something_happens(ledger, chance)
        ledger.mine(chance.randint(0, 3))
        child = context.Process(target=_follow, args=(ledger, url))
        child.start()
        time.sleep(chance.uniform(0.0, 0.4))
        if restart is not None and chance.random() < 0.3:
            restart()
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        child.close()


def differing_tables(ledger: LedgerOnChain, url: str, folder: Path) -> list[str]:
    """Tables of a store that, once it has come to the head, differ from those of one that was indexed from nothing."""
    database, fresh = open_database(url), open_database(f"sqlite:///{folder}/{uuid.uuid4().hex}.sqlite")
    for each in (database, fresh):
        index_all(Indexer(ledger.rpc, each, ledger.deployments))
    differing = [str(table.__tablename__) for table in TABLES if _rows(database, table) != _rows(fresh, table)]
    database.close()
    fresh.close()
    return differing


def something_happens(ledger: LedgerOnChain, chance: random.Random) -> None:
    """A trade or a movement."""
    what = chance.randrange(6)
    buyer, provider = ledger.accounts[BUYER], ledger.accounts[PROVIDER]
    if what == 0:
        ledger.attest(ledger.open())
    elif what == 1:
        ledger.open()
    elif what == 2:
        buyer.deposit(CREDIT // 100)
    elif what == 3:
        disputed = ledger.open()
        provider.propose(disputed, 70, RESULT)
        buyer.dispute(disputed)
    elif what == 4:
        provider.stake_reward(CREDIT // 100)
    else:
        ledger.mine(2)


def _follow(ledger: LedgerOnChain, url: str) -> None:
    # A connection that was open before the fork is the parent's.
    rpc = RpcClient(ledger.rpc.url)
    Indexer(rpc, open_database(url), ledger.deployments, poll_interval_s=0.01, most_blocks=1).run(threading.Event())


def _rows(database: Any, table: Any) -> list[dict[str, Any]]:
    # An account whose every amount fell back to nothing says nothing.
    return [
        {name: value for name, value in row.items() if name not in _OF_THE_BUILD}
        for row in rows_of(database, table)
        if (row.get("free"), row.get("locked")) != (0, 0) and row.get("amount") != 0
    ]
