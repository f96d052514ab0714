"""The auditor's costs: a proof of a trade, alone and in a batch (size, build, verification), and `replay` with `conserve` over a saved ledger.

Prints one JSON object. Seconds are of this machine as busy as it is: medians of several runs; sizes and counts stand by themselves.

Of a million events (`--events 1000000 --skip-proofs --keep FOLDER`) the chain takes most of the time, and 6 GB while it is there; it is gone when
the audit runs. What `--keep` leaves, the store and the saved ledger, `--again FOLDER` audits without a chain.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the parties that trade are the tests'

from scripts.bench.traded_chain import CHAIN, TradedChain, fill, start_ledger  # noqa: E402  # after the path is known
from tests.integration.ledger_on_chain import (  # noqa: E402  # after the path is known
    BUYER,
    PROVIDER,
    RESULT,
    VERIFIER,
    LedgerOnChain,
    deploy_ledger,
)

from computility.chain.connection import ChainConnection  # noqa: E402
from computility.chain.local_chain import LocalChain, LocalChainSettings  # noqa: E402
from computility.chain.rpc import RpcClient  # noqa: E402
from computility.domain.attestation import Attestation, Verdict  # noqa: E402
from computility.domain.identifiers import ZERO_BYTES32, Bytes32  # noqa: E402
from computility.services.auditor import Auditor  # noqa: E402
from computility.services.conservation import Conservation  # noqa: E402
from computility.services.indexer import Indexer  # noqa: E402
from computility.services.ledger_source import FileSource, RpcSource, save_ledger  # noqa: E402
from computility.services.proof_builder import ProofBuilder  # noqa: E402
from computility.services.trade_proof import verify_bundle  # noqa: E402
from computility.store.engine import open_database  # noqa: E402

RUNS = 15
BATCH = 100
ValueT = TypeVar("ValueT")


def main() -> None:
    """Trade, prove and verify; then fill a chain and audit it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="Events of the ledger to replay and conserve.")
    parser.add_argument("--skip-proofs", action="store_true", help="Measure no proofs of trades.")
    parser.add_argument("--keep", type=Path, help="An empty folder for the store and the saved ledger.")
    parser.add_argument("--again", type=Path, help="Only audit what an earlier run kept there, without a chain.")
    parser.add_argument("--passes", type=int, default=3, help="Audits of the same ledger, one after the other.")
    options = parser.parse_args()
    console = Console(stderr=True)
    if options.again:
        print(json.dumps(_one_pass(options.again)))
        return
    if options.keep and options.keep.exists() and any(options.keep.iterdir()):
        parser.error(f"{options.keep} is not empty: --again {options.keep} audits what is there")
    report: dict[str, Any] = {"bench": "audit", "python": sys.version.split()[0]}
    if not options.skip_proofs:
        with (
            tempfile.TemporaryDirectory(prefix="computility-bench-") as folder,
            LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain,
        ):
            ledger = deploy_ledger(chain, Path(folder))
            with console.status("proving a trade sent singly"):
                report["proof"] = _proof(ledger, _traded_alone(ledger))
            with console.status(f"proving one of {BATCH} trades that were opened and attested together"):
                report["proof_of_one_in_a_batch"] = {"batch": BATCH, **_proof(ledger, _traded_in_a_batch(ledger))}
    with tempfile.TemporaryDirectory(prefix="computility-bench-") as name:
        kept = options.keep or Path(name)
        kept.mkdir(parents=True, exist_ok=True)
        with LocalChain(CHAIN) as chain:
            traded = start_ledger(chain, kept / "deployments")
            fill(traded, options.events, max(1, options.events // 100), console)
            with console.status("indexing and saving the ledger"):
                _index_and_save(traded, kept)
        with console.status("replaying and conserving"):
            # In a process that holds nothing else, as on the command line.
            again = [sys.executable, __file__, "--again", str(kept)]
            report["replay_and_conserve"] = [
                json.loads(subprocess.run(again, check=True, stdout=subprocess.PIPE).stdout)
                for _ in range(options.passes)
            ]
    print(json.dumps(report, indent=2))


def _index_and_save(traded: TradedChain, folder: Path) -> None:
    database = open_database(f"sqlite:///{folder}/node.sqlite")
    indexer = Indexer(traded.rpc, database, traded.deployments, timeout_s=60.0)
    while indexer.step():
        pass
    database.close()
    for _ in save_ledger(RpcSource(traded.rpc, traded.deployments), folder / "ledger.gz"):
        pass


def _one_pass(folder: Path) -> dict[str, Any]:
    """Every row of an indexed store and every unit of money, against a file that proves the chain."""
    database = open_database(f"sqlite:///{folder}/node.sqlite")
    source = FileSource(folder / "ledger.gz")
    books = Conservation(source)
    highest = 0

    def look(_done: int, _of: int) -> None:
        """At the other process, while it is there."""
        nonlocal highest
        children = [
            number for path in Path("/proc/self/task").glob("*/children") for number in path.read_text().split()
        ]
        highest = max([highest, *(_peak_mib(int(number)) for number in children)])

    # Nobody is asked: a file knows no contract.
    chain = ChainConnection(RpcClient("http://127.0.0.1:9"))
    started, cpu = time.perf_counter(), os.times()
    report = Auditor(chain, database, source.deployments, source).audit(look, books)
    took, now = time.perf_counter() - started, os.times()
    database.close()
    events = report.counts.events
    return {
        "events": events,
        "blocks": report.counts.blocks,
        "seconds": round(took, 1),
        "us_per_event": round(took / events * 1e6, 1),
        "us_per_event_bar": 60,
        "auditor_cpu_us_per_event": round((now.user + now.system - cpu.user - cpu.system) / events * 1e6, 1),
        "prover_cpu_us_per_event": round(
            (now.children_user + now.children_system - cpu.children_user - cpu.children_system) / events * 1e6, 1
        ),
        "auditor_peak_mib": _peak_mib(os.getpid()),
        "prover_peak_mib": highest,
        "load": round(os.getloadavg()[0], 1),
        "store_matches_chain": report.store_matches_chain,
        "conserved": books.report().conserved,
    }


def _peak_mib(process: int) -> int:
    """The most memory that a process held since it began to run its program. Its resource usage would say what its parent held when it was made."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0  # it has ended
    return next((int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def _traded_alone(ledger: LedgerOnChain) -> Bytes32:
    terms = ledger.open()
    ledger.attest(terms)
    return terms.job_id(ledger.deployments.domain)


def _traded_in_a_batch(ledger: LedgerOnChain) -> Bytes32:
    """``openManyWithPermit`` and ``attestMany`` of a hundred: their receipts hold the events of all. The job in the middle."""
    batch = [ledger.terms(verifier_fee=0, unit_price=10**12, bond=10**15) for _ in range(BATCH)]
    provider, verifier, buyer = (ledger.accounts[who] for who in (PROVIDER, VERIFIER, BUYER))
    _, skipped = buyer.open_many_from_wallet([(terms, provider.sign_terms(terms)) for terms in batch])
    words = []
    for terms in batch:
        job = terms.job_id(ledger.deployments.domain)
        attestation = Attestation(job, Verdict.PASS, RESULT, 60, True, 10_000, ZERO_BYTES32, RESULT)
        words.append((terms, attestation, verifier.sign(attestation).signature))
    _, unattested = provider.attest_many(words, gas=25_000_000)
    if skipped or unattested:
        raise RuntimeError(f"the batch is not whole: {[*skipped.values(), *unattested.values()]}")
    return batch[BATCH // 2].job_id(ledger.deployments.domain)


def _proof(ledger: LedgerOnChain, job: Bytes32) -> dict[str, Any]:
    builder = ProofBuilder(ChainConnection(ledger.rpc), ledger.deployments)
    build_s, (bundle, _) = _median(lambda: builder.build(job))
    verify_s, trade = _median(lambda: verify_bundle(bundle))
    return {
        "bytes": len(bundle),
        "gzip_bytes": len(gzip.compress(bundle)),
        "bytes_bar": 64 * 1024,
        "events": len(trade.events),
        "build_ms": round(build_s * 1000, 1),
        "build_ms_bar": 500,
        "verify_ms": round(verify_s * 1000, 1),
        "verify_ms_bar": 100,
    }


def _median(run: Callable[[], ValueT]) -> tuple[float, ValueT]:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - started)
    return statistics.median(times), result


if __name__ == "__main__":
    main()
