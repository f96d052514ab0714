"""``computility audit replay``: is every row of a database what the chain says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from computility.cli.audit.options import (
    DEFAULT_DEPLOYMENTS,
    DeploymentsOption,
    LedgerFileOption,
    TrustedBlockOption,
    anchors_of,
    open_ledger_file,
)
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, console, print_json, print_record, print_rows, progress_console

EXIT_DISAGREES = 3


def command(
    database: Annotated[
        str, typer.Option(help="The database to audit, like sqlite:///data/node.sqlite.", envvar="DATABASE_URL")
    ],
    conserve: Annotated[
        bool, typer.Option("--conserve", help="Balance the money too, as `audit conserve` does, in the same pass.")
    ] = False,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Rebuild all projections from the chain and compare every row. Names the first differences, and exits 3.

    Neither the node nor the database is believed: every event is proven against its block's hash.
    """
    report = replay_here(database, rpc, deployments, ledger, trusted_block, conserve=conserve)
    print_report(report, as_json=as_json)
    if conserve and not report["conservation"]["conserved"]:
        raise typer.Exit(EXIT_DISAGREES)


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """Print an audit's report; ends the command with 3 when store and chain disagree."""
    if as_json:
        print_json(report)
    else:
        block = report["checked_block"]
        print_record(
            {
                "store_matches_chain": report["store_matches_chain"],
                "checked_block": f"{block['number']} {block['hash']}",
                **report["counts"],
            },
            as_json=False,
        )
        if "conservation" in report:
            from computility.cli.audit.conserve import in_credits

            balanced = dict(report["conservation"])
            totals = in_credits(balanced["totals"])
            print_record(
                {"conserved": balanced["conserved"], "imbalance": balanced["imbalance"], **totals}, as_json=False
            )
        if "believed" in report:  # a node's audit of itself holds its chain against its own records
            from computility.services.ledger_anchors import believed_in_words

            console.print(believed_in_words(report["believed"]))
        if report["differences"]:
            print_rows(report["differences"], ("table", "key", "field", "store", "chain"), as_json=False, empty="")
    if not report["store_matches_chain"]:
        raise typer.Exit(EXIT_DISAGREES)


def replay_here(
    database_url: str,
    rpc_url: str,
    folder: Path,
    file: Path | None = None,
    trusted: list[str] | None = None,
    *,
    conserve: bool = False,
) -> dict[str, Any]:
    """The report of an audit that runs in this process; with ``conserve`` also what was balanced beside it."""
    from dataclasses import asdict

    from rich.progress import Progress

    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import read_deployments
    from computility.chain.rpc import RpcClient
    from computility.cli.audit.conserve import conservation_document
    from computility.services.auditor import Auditor
    from computility.services.conservation import Conservation
    from computility.services.ledger_anchors import Anchors
    from computility.services.ledger_source import RpcSource
    from computility.store.engine import open_to_read

    rpc = RpcClient(rpc_url, timeout_s=60.0)
    source = open_ledger_file(file, folder, trusted) if file else None
    deployments = source.deployments if source else read_deployments(folder, rpc.chain_number())
    database = open_to_read(database_url)
    try:
        chain = ChainConnection(rpc)
        auditor = Auditor(chain, database, deployments, source, trusted=anchors_of(trusted))
        # Its own walk is not used: it folds the auditor's blocks.
        books = Conservation(source or RpcSource(rpc, deployments), None if source else chain) if conserve else None
        with Progress(console=progress_console, transient=True) as progress:
            task = progress.add_task("replaying the chain")
            report = auditor.audit(lambda done, of: progress.update(task, completed=done, total=of), books)
        # Still asks the contracts.
        balanced: dict[str, Any] = {"conservation": conservation_document(books.report())} if books else {}
    finally:
        database.close()
        rpc.close()
    anchors = Anchors(deployments, anchors_of(trusted))
    balanced["believed"] = anchors.believed(report.checked_block.number)
    return {**asdict(report), **balanced, "differences": [asdict(difference) for difference in report.differences]}
