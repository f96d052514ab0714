"""What a trade costs and how long it takes: gas of each step and in all, seconds from open to settled, for several trades of a run.

Prints one JSON object. Seconds are of this machine as busy as it is; compare runs by their ratio to ``job_alone_s``, gas and counts by themselves.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from computility.chain.local_chain import free_port
from computility.cli.demo.stage import CREDIT, Stage, set_stage
from computility.domain.content_id import content_id_of
from computility.domain.identifiers import Bytes32
from computility.domain.job_specification import JobSpecification, Limits
from computility.execution.content_store import FileContentStore
from computility.execution.wasm.executor import WasmExecutor
from computility.services.buyer import Buyer
from computility.services.program import Program

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = CHECKOUT / "examples" / "path_tracer"
TRADES = 5
MIB = 1024 * 1024
LIMITS = Limits(fuel=12_000_000_000, memory_bytes=64 * MIB, output_bytes=8 * MIB, output_files=16)


def main() -> None:
    """Trade one after the other, and report."""
    console = Console(stderr=True)
    scene = (EXAMPLE / "scenes" / "demo.scene").read_bytes()
    program = Program(
        "path_tracer.wasm", (EXAMPLE / "path_tracer.wasm").read_bytes(), ["demo.scene"], {"demo.scene": scene}
    )
    with tempfile.TemporaryDirectory(prefix="computility-bench-") as name:
        folder = Path(name)
        with set_stage(folder, CHECKOUT, free_port(), "anvil", console.print) as stage:
            account = stage.accounts["buyer"]
            swap_gas = [receipt.gas_used for receipt in account.swap_reserve(50 * CREDIT)]
            buyer = Buyer(account, stage.node)
            runs = [_trade(stage, buyer, program) for _ in track(range(TRADES), "trading", console=console)]
            alone = _alone(buyer, stage, program, folder)
    print(json.dumps(_report(runs, swap_gas, alone), indent=2))


def _trade(stage: Stage, buyer: Buyer, program: Program) -> dict[str, Any]:
    offer = buyer.offers()[0]
    now = stage.accounts["buyer"].chain_time()
    specification = buyer.upload(program, offer.ask.environment, LIMITS, "0x" + "5e" * 32, now)
    asked = time.monotonic()
    quoted = buyer.request_quote(offer, specification, verifier=stage.committee)
    answered = time.monotonic()
    opened = buyer.open(quoted)
    started = time.monotonic()
    for _ in buyer.follow(quoted.job, 120):
        pass
    settled = time.monotonic()
    row = buyer.closed_row(quoted.job)
    return {
        "quote_s": answered - asked,
        "open_to_settled_s": settled - started,
        "open_gas": opened.gas_used,
        "settle_gas": _gas(stage, row["closed_tx"]),
        "units": int(row["units"]),
    }


def _gas(stage: Stage, transaction: Bytes32) -> int:
    return int(stage.accounts["buyer"].rpc.call("eth_getTransactionReceipt", transaction)["gasUsed"], 16)


def _alone(buyer: Buyer, stage: Stage, program: Program, folder: Path) -> float:
    """Seconds of one run of the job with nobody else on stage at work."""
    offer = buyer.offers()[0]
    store = FileContentStore(str(folder / "alone"), 64 * MIB)
    for data in (program.module, *(program.inputs or {}).values()):
        assert store.put(data) == content_id_of(data)
    specification: JobSpecification = buyer.upload(program, offer.ask.environment, LIMITS, "0x" + "5e" * 32, 1)
    started = time.monotonic()
    WasmExecutor().run(specification, store)
    return time.monotonic() - started


def _report(runs: list[dict[str, Any]], swap_gas: list[int], alone: float) -> dict[str, Any]:
    median = {name: statistics.median(run[name] for run in runs) for name in ("quote_s", "open_to_settled_s")}
    return {
        "bench": "trade",
        "python": sys.version.split()[0],
        "trades": len(runs),
        "units": runs[0]["units"],
        "gas": {
            "swap": sum(swap_gas),
            "open": sorted({run["open_gas"] for run in runs}),
            "settle": sorted({run["settle_gas"] for run in runs}),
        },
        "transactions_open_to_settled": 2,
        "quote_s": round(median["quote_s"], 3),
        "open_to_settled_s": round(median["open_to_settled_s"], 3),
        "job_alone_s": round(alone, 3),
        "open_to_settled_by_job_alone": round(median["open_to_settled_s"] / alone, 2),
    }


if __name__ == "__main__":
    main()
