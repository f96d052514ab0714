"""``computility audit``: does the store agree with the chain? And everything else that an auditor asks, one verb a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from computility.cli.audit import proof, verify
from computility.cli.options import DEFAULT_NODE, DEFAULT_RPC, NodeOption, RpcOption
from computility.cli.output import JsonOption, print_json, print_record, print_rows, progress_console
from computility.cli.session import open_node

EXIT_DISAGREES = 3

group = typer.Typer(no_args_is_help=False, rich_markup_mode="markdown")
group.command("proof")(proof.command)
group.command("verify")(verify.command)


@group.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            help="Audit this database from here, instead of asking the node to audit itself.", envvar="DATABASE_URL"
        ),
    ] = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: Annotated[Path, typer.Option(help="Folder of the deployment records.")] = Path("deployments"),
    node: NodeOption = DEFAULT_NODE,
    as_json: JsonOption = False,
) -> None:
    """Check the ledger. Without a verb: replay every event from the chain and compare it with the store, row by row; exits 3 when they disagree.

    With --database nothing is trusted but the chain endpoint that you name.
    """
    if context.invoked_subcommand is not None:
        return
    report = _audit_here(database, rpc, deployments) if database else _ask_node(node)
    if as_json:
        print_json(report)
    else:
        block = report["checked_block"]
        print_record(
            {
                "store_matches_chain": report["store_matches_chain"],
                "checked_block": f"{block['number']} {block['hash']}" if block else None,
                **report["counts"],
            },
            as_json=False,
        )
        if report["differences"]:
            print_rows(report["differences"], ("table", "key", "field", "store", "chain"), as_json=False, empty="")
    if not report["store_matches_chain"]:
        raise typer.Exit(EXIT_DISAGREES)


def _ask_node(url: str) -> dict[str, Any]:
    with open_node(url) as node, progress_console.status("the node is replaying the chain"):
        return node.audit()


def _audit_here(database_url: str, rpc_url: str, folder: Path) -> dict[str, Any]:
    from dataclasses import asdict

    from rich.progress import Progress

    from computility.chain.connection import ChainConnection
    from computility.chain.deployments import read_deployments
    from computility.chain.rpc import RpcClient
    from computility.services.auditor import Auditor
    from computility.store.engine import open_database

    rpc = RpcClient(rpc_url)
    deployments = read_deployments(folder, rpc.chain_number())
    database = open_database(database_url)
    try:
        auditor = Auditor(ChainConnection(rpc), database, deployments)
        with Progress(console=progress_console, transient=True) as progress:
            task = progress.add_task("replaying the chain")
            report = auditor.audit(lambda done, of: progress.update(task, completed=done, total=of))
    finally:
        database.close()
        rpc.close()
    return {**asdict(report), "differences": [asdict(difference) for difference in report.differences]}
