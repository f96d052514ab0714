"""1,000 random reorganisations up to 64 blocks deep and 1,000 kills at random instants: how many rows differ from a clean rebuild.

Goes in rounds of 25, each on a chain and a store of its own, and writes down after each how far it has come, so that a run that is broken off goes on
from there (``--again`` begins anew). Prints one JSON object; ``differing`` should be empty.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

CHECKOUT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.chaos.indexer_chaos import differing_tables, kill_at_random, reorganise_at_random  # noqa: E402  # the path is set above
from tests.integration.ledger_on_chain import deploy_ledger  # noqa: E402

from computility.chain.local_chain import LocalChain, LocalChainSettings  # noqa: E402

_ROUND: Final = 25
_STATE: Final = CHECKOUT / ".cache" / "chaos.json"


def main() -> None:
    """Go on until all rounds are done, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=1_000)
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    state: dict[str, Any] = {"rounds": 0, "differing": []}
    if _STATE.exists() and not options.again:
        state = json.loads(_STATE.read_text())
    wanted = -(-options.times // _ROUND)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("rounds", total=wanted, completed=state["rounds"])
        while state["rounds"] < wanted:
            number = state["rounds"]
            state["differing"] += [f"round {number}: {table}" for table in _round(number)]
            state["rounds"] += 1
            _STATE.parent.mkdir(parents=True, exist_ok=True)
            _STATE.write_text(json.dumps(state))
            progress.advance(task)
    times = state["rounds"] * _ROUND
    print(
        json.dumps(
            {"bench": "chaos", "reorganisations": times, "kills": times, "differing": state["differing"]}, indent=2
        )
    )


def _round(number: int) -> list[str]:
    chance = random.Random(number)  # noqa: S311  # a round can be run again
    with (
        tempfile.TemporaryDirectory(prefix="computility-chaos-") as name,
        LocalChain(LocalChainSettings(block_time_s=0)) as chain,
    ):
        folder = Path(name)
        ledger = deploy_ledger(chain, folder / "deployments")
        url = f"sqlite:///{folder}/node.sqlite"
        reorganise_at_random(ledger, url, _ROUND, chance)
        differing = differing_tables(ledger, url, folder)
        kill_at_random(ledger, url, _ROUND, chance)
        return differing + differing_tables(ledger, url, folder)


if __name__ == "__main__":
    main()
