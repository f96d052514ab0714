"""``computility demo``: real trades on a local chain, with everybody in a process of their own."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from computility.cli.output import JsonOption, console, print_json, progress_console
from computility.domain.errors import ComputilityError

_EXAMPLE: Final = "path_tracer"
_SCENE: Final = "demo.scene"
# What the two trades that end badly are about: quick, so that they take little from the good one.
_SKETCH: Final = "sketch.scene"
_STAY_FOLDER: Final = Path(".computility/demo")


class DemoFailed(ComputilityError):
    """A trade of the demo did not end as it should."""

    code = "demo-failed"


def command(
    once: Annotated[bool, typer.Option("--once", help="Trade, report, and end, instead of staying up.")] = False,
    port: Annotated[int, typer.Option(help="Port of the web app; another one if it is taken.")] = 8000,
    chain: Annotated[str, typer.Option(help="Local chain to use: anvil or ganache.")] = "anvil",
    folder: Annotated[
        Path | None,
        typer.Option(help="Empty or new folder for keys, database, content and logs; a temporary one with --once."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Trade computing power on a local chain, for real: escrow, execution, verification, payment, audit.

    Starts a chain, deploys the contracts, starts a node, two providers and three verifiers, and performs three trades: a good one, one with a wrong
    result, and one that no verifier answers. Then the web app stays open on localhost until Ctrl-C, and where this machine has bubblewrap a third
    provider runs commands.
    """
    if chain not in ("anvil", "ganache"):
        raise typer.BadParameter("the chain is anvil or ganache")
    from computility.cli.demo.processes import warm_up

    warm_up()
    from computility.chain.local_chain import Backend
    from computility.cli.demo.stage import set_stage
    from computility.cli.demo.trades import Trades

    backend: Backend = "ganache" if chain == "ganache" else "anvil"
    started = time.monotonic()

    def say(line: str) -> None:
        progress_console.print(f"[dim]{time.monotonic() - started:6.1f} s[/]  {line}", soft_wrap=True)

    checkout = Path(__file__).resolve().parents[4]
    program, sketch = _program(checkout, _SCENE), _program(checkout, _SKETCH)
    with (
        _working_folder(folder, temporary=once) as place,
        set_stage(place, checkout, _free_or(port), backend, say) as stage,
    ):
        trades = Trades(stage, program, sketch, say)
        report = trades.perform()
        report["seconds_in_all"] = round(time.monotonic() - started, 2)
        _check(report)
        commands = ""
        if not once:
            trades.save_pictures(place / "pictures", report)
            commands = _offer_commands(stage)
        if as_json:
            print_json(report)
        else:
            _print(report)
        if not once:
            _stay(stage, place, commands)


def _offer_commands(stage: Any) -> str:
    """Have the provider of commands join, if it can. What is to be said of it."""
    from computility.domain.errors import ExecutorUnfit

    try:
        toolset = stage.offer_commands()
    except ExecutorUnfit as error:
        return f"Nobody here runs commands (jobs of kind process): {error}"
    has = ", ".join(f"{name} {version}" for name, version in toolset.items())
    return f"provider-cirrus runs commands besides (jobs of kind process, by /opt/python/bin/python3: {has})."


def _program(checkout: Path, scene: str) -> Any:
    from computility.services.program import Program

    folder = checkout / "examples" / _EXAMPLE
    module = folder / f"{_EXAMPLE}.wasm"
    if not module.is_file():
        raise DemoFailed(f"the example program {module} is missing: run the demo from a checkout of the repository")
    return Program(module.name, module.read_bytes(), [scene], {scene: (folder / "scenes" / scene).read_bytes()})


@contextmanager
def _working_folder(folder: Path | None, *, temporary: bool) -> Iterator[Path]:
    if folder is None and temporary:
        with tempfile.TemporaryDirectory(prefix="computility-demo-") as name:
            yield Path(name)
        return
    place = (folder or _STAY_FOLDER).resolve()
    if folder is None:
        # The demo's own folder, from an earlier demo: its chain is gone, so nothing in it is worth anything.
        shutil.rmtree(place, ignore_errors=True)
    elif place.exists() and any(place.iterdir()):
        raise typer.BadParameter(f"{place} is not empty")
    place.mkdir(parents=True, exist_ok=True)
    yield place


def _free_or(port: int) -> int:
    import socket

    from computility.chain.local_chain import free_port

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return free_port()
        chosen: int = probe.getsockname()[1]
        return chosen


def _check(report: dict[str, Any]) -> None:
    """The demo promises an outcome for each trade; anything else is a failure of the product."""
    expected = {
        "good": ("pass", "attested"),
        "wrong-result": ("fail", "finalized"),
        "no-verifier": ("claim", "finalized"),
    }
    for trade in report["trades"]:
        found = trade["outcome"], trade["closed_by"]
        if found != expected[trade["trade"]]:
            raise DemoFailed(f"the trade '{trade['trade']}' ended as {found}, not {expected[trade['trade']]}")
    before, after = report["scores"]["before"], report["scores"]["after"]
    if not after["provider-borealis"] < before["provider-borealis"]:
        raise DemoFailed("the score of the provider that cheated did not fall")
    if not report["store_matches_chain"]:
        raise DemoFailed(f"the store does not agree with the chain: {report['audit']['differences']}")


def _print(report: dict[str, Any]) -> None:
    from rich.table import Table

    from computility.domain.units import format_credits

    # Narrow enough for 80 columns, where a name would otherwise be cut.
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for heading in ("trade", "outcome", "units", "paid", "fee", "refund", "bond to buyer", "gas", "seconds"):
        table.add_column(heading, no_wrap=heading == "trade")
    for trade in report["trades"]:
        amounts = (format_credits(int(trade[name])) for name in ("provider_paid", "fee", "refund", "bond_to_buyer"))
        gas = sum(transaction["gas"] for transaction in trade["transactions"])
        table.add_row(
            trade["trade"],
            trade["outcome"],
            trade["units"],
            *amounts,
            f"{gas:,}",
            str(trade["seconds_open_to_settled"]),
        )
    console.print(table)
    counts = report["audit"]["counts"]
    console.print(
        f"the store agrees with the chain: {counts['events']} events in {counts['blocks']} blocks, "
        f"{counts['jobs']} jobs, {counts['accounts']} accounts"
    )


def _stay(stage: Any, place: Path, commands: str) -> None:
    keys = place / "keys"
    progress_console.print(
        f"\n[bold]The web app is open at {stage.url}[/]  (Ctrl-C ends everything)\n{commands}\n"
        f"Logs, keys and pictures are in {place}. By hand, as the buyer:\n"
        f"  export COMPUTILITY_NODE={stage.url} COMPUTILITY_RPC_URL={stage.rpc_url} \\\n"
        f"         COMPUTILITY_KEYSTORE={keys / 'buyer.json'} COMPUTILITY_PASSWORD_FILE={keys / 'password'}\n"
        "  .venv/bin/computility wallet show\n"
        "and as an auditor, who believes neither the node nor its database:\n"
        f"  .venv/bin/computility audit replay --conserve --rpc {stage.rpc_url} \\\n"
        f"         --database sqlite:///{place / 'node.sqlite'} --deployments {place / 'deployments'}",
        soft_wrap=True,
    )
    _open_browser(stage.url)
    while True:
        stage.processes.check()
        time.sleep(1.0)


def _open_browser(url: str) -> None:
    import os
    import webbrowser

    if sys.stdout.isatty() and (sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY")):
        webbrowser.open(url)
