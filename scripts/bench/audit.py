"""The auditor's costs: a trade's proof (size, build, verification).

Prints one JSON object. Seconds are of this machine as busy as it is: medians of several runs; sizes and counts stand by themselves.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the parties that trade are the tests'

from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger  # noqa: E402  # after the path is known

from computility.chain.connection import ChainConnection  # noqa: E402
from computility.chain.local_chain import LocalChain, LocalChainSettings  # noqa: E402
from computility.services.proof_builder import ProofBuilder  # noqa: E402
from computility.services.trade_proof import verify_bundle  # noqa: E402

RUNS = 15
ValueT = TypeVar("ValueT")


def main() -> None:
    """Trade, prove and verify."""
    console = Console(stderr=True)
    report: dict[str, Any] = {"bench": "audit", "python": sys.version.split()[0]}
    with (
        tempfile.TemporaryDirectory(prefix="computility-bench-") as folder,
        LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain,
    ):
        ledger = deploy_ledger(chain, Path(folder))
        with console.status("proving a trade sent singly"):
            report["proof"] = _proof(ledger)
    print(json.dumps(report, indent=2))


def _proof(ledger: LedgerOnChain) -> dict[str, Any]:
    terms = ledger.open()
    ledger.attest(terms)
    job = terms.job_id(ledger.deployments.domain)
    builder = ProofBuilder(ChainConnection(ledger.rpc), ledger.deployments)
    build_s, (bundle, _) = _median(lambda: builder.build(job))
    verify_s, trade = _median(lambda: verify_bundle(bundle))
    return {
        "bytes": len(bundle),
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
