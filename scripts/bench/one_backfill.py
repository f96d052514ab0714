"""One back-fill as a node does it, for ``indexer.py``: in a process that loads no more than an indexer. Prints one JSON object."""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import threading
import time
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # it comes without types

from computility.chain.deployments import read_deployments
from computility.chain.rpc import RpcClient
from computility.services.indexer import Indexer
from computility.services.projection import Projection
from computility.store import blocks
from computility.store.engine import Database, open_database


def main() -> None:
    """Index up to a block, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rpc_url")
    parser.add_argument("deployments", type=Path)
    parser.add_argument("database_url")
    parser.add_argument("head", type=int)
    parser.add_argument("--raw-only", action="store_true", help="Keep the logs, and fold nothing.")
    options = parser.parse_args()
    print(
        json.dumps(_index(options.rpc_url, options.deployments, options.database_url, options.head, options.raw_only))
    )


class _NothingFolded(Projection):
    """Raw logs, and what they name, alone."""

    def __init__(self, chain_id: Any) -> None:
        super().__init__(chain_id)
        self._quick = ()

    def _apply(self, *_: Any) -> None:
        pass

    def _list_with_job(self, *_: Any) -> bool:
        # Their lists are columns of the jobs.
        return True


def _index(rpc_url: str, deployments: Path, database_url: str, head: int, raw_only: bool) -> dict[str, float]:
    database = open_database(database_url)
    indexer = Indexer(
        RpcClient(rpc_url), database, read_deployments(deployments, 31_337), poll_interval_s=0.05, timeout_s=60.0
    )
    if raw_only:
        indexer._projection = _NothingFolded(indexer._chain_id)
    stop = threading.Event()
    started, cpu_before = time.monotonic(), _cpu_s()
    thread = threading.Thread(target=indexer.run, args=(stop,))
    thread.start()
    # What the indexer itself says has landed: a look into the store takes its interpreter a millisecond.
    wait_until(lambda: indexer.metrics.block._value.get() >= head, thread)
    took, cpu = time.monotonic() - started, _cpu_s() - cpu_before
    wait_until(lambda: (cursor := cursor_of(database, indexer)) is not None and cursor.sealed >= cursor.final, thread)
    sealed = time.monotonic() - started
    cursor = cursor_of(database, indexer)
    if cursor is None or cursor.number < head:
        raise SystemExit(f"the indexer says that it is at block {head}, and the store is not")
    stop.set()
    thread.join()
    events = indexer.metrics.events._value.get()
    database.close()
    return {
        "events": events, "seconds": took, "sealed_seconds": sealed, "cpu_seconds": cpu,
        "sealed_cpu_seconds": _cpu_s() - cpu_before,
    }  # fmt: skip


_PROCESSES: Final = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu_s() -> float:
    """Of this process and of those that it started, whether they have ended or not."""
    found = sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, _PROCESSES))
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            times = child.cpu_times()
            found += times.user + times.system
    return found


def wait_until(done: Any, thread: threading.Thread) -> None:
    """Look every 20 ms, for as long as the indexer's thread lives."""
    while not done():
        if not thread.is_alive():
            raise SystemExit("the indexer ended: see its log above")
        time.sleep(0.02)


def cursor_of(database: Database, indexer: Indexer) -> blocks.CursorRow | None:
    """How far the store is."""
    with database.unit_of_work() as session:
        return blocks.cursor_of(session, indexer._chain_id)


if __name__ == "__main__":
    main()
