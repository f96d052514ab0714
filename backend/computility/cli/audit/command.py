"""``computility audit``: does the store agree with the chain? And everything else that an auditor asks, one verb a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from computility.cli.audit import (
    code,
    conserve,
    export,
    proof,
    replay,
    report,
    save,
    statistics,
    verdict,
    verify,
    watch,
)
from computility.cli.audit.options import DEFAULT_DEPLOYMENTS, DeploymentsOption, TrustedBlockOption
from computility.cli.audit.replay import print_report, replay_here
from computility.cli.options import DEFAULT_NODE, DEFAULT_RPC, NodeOption, RpcOption
from computility.cli.output import JsonOption, progress_console
from computility.cli.session import open_node

group = typer.Typer(no_args_is_help=False, rich_markup_mode="markdown")
group.command("proof")(proof.command)
group.command("verify")(verify.command)
group.command("verdict")(verdict.command)
group.command("conserve")(conserve.command)
group.command("replay")(replay.command)
group.command("code")(code.command)
group.command("export")(export.command)
group.command("watch")(watch.command)
group.command("report")(report.command)
group.command("statistics")(statistics.command)
group.command("save")(save.command)


@group.callback(invoke_without_command=True)
def command(
    context: typer.Context,
    database: Annotated[
        str | None,
        typer.Option(
            help="Audit this database from here, instead of asking the node to audit itself.", envvar="DATABASE_URL"
        ),
    ] = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    node: NodeOption = DEFAULT_NODE,
    as_json: JsonOption = False,
) -> None:
    """Check the ledger. Without a verb: replay every event from the chain and compare it with the store, row by row; exits 3 when they disagree.

    With --database nothing is trusted but the chain endpoint that you name.
    """
    if context.invoked_subcommand is not None:
        return
    if trusted_block and not database:
        raise typer.BadParameter("--trusted-block is held against what is read here: name a --database")
    report = replay_here(database, rpc, deployments, None, trusted_block) if database else _ask_node(node)
    print_report(report, as_json=as_json)


def _ask_node(url: str) -> dict[str, Any]:
    with open_node(url) as node, progress_console.status("the node is replaying the chain"):
        return node.audit()
