"""``computility node``: the indexer, the order book, the API and the web app on one port."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from computility.cli.output import JsonOption, console, print_json, print_record
from computility.cli.service import set_up_log

if TYPE_CHECKING:
    from computility.settings import NodeSettings

group = typer.Typer(help="Run a node: indexer, order book, API and web app on one port.", no_args_is_help=True)


@group.callback()
def root() -> None:
    """Run a node: indexer, order book, API and web app on one port."""


@group.command()
def serve(
    rpc: Annotated[str | None, typer.Option("--rpc", help="URL of a chain endpoint [http://127.0.0.1:8545].")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [8000].")] = None,
    chain: Annotated[int | None, typer.Option("--chain", help="Chain id of the endpoint [31337].")] = None,
    deployments: Annotated[Path | None, typer.Option(help="Folder of the deployment records [deployments].")] = None,
    database: Annotated[
        str | None, typer.Option(help="Database: sqlite:///file or postgresql://user@host/name.")
    ] = None,
    content: Annotated[str | None, typer.Option(help="Folder or fsspec URL of the content store.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Follow the chain and serve until Ctrl-C. The node holds no key and no money.

    What is not given here comes from `DATABASE_URL` and `COMPUTILITY_*` variables, such as `COMPUTILITY_RPC_URL` and `COMPUTILITY_PORT`.
    """
    from computility.services.node import run_node

    set_up_log(verbose=verbose)
    given: dict[str, Any] = {
        "rpc_url": rpc,
        "host": host,
        "port": port,
        "chain_number": chain,
        "deployments_dir": deployments,
        "database_url": database,
        "content_url": content,
    }
    run_node(_settings(given))


@group.command()
def settings(as_json: JsonOption = False) -> None:
    """Show every setting and what it is now, as the lines that set it. Of a URL only scheme, host and port are shown."""
    from dataclasses import asdict

    from computility.settings import describe_settings

    rows = describe_settings(_settings({}))
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        console.print(f"[dim]# {escape(row.meaning)}[/]\n[bold]{row.variable}[/]={escape(row.value)}", soft_wrap=True)


@group.command()
def sweep(
    keep_days: Annotated[int, typer.Option(min=1, help="Days for which content of closed jobs is kept.")] = 30,
    dry: Annotated[bool, typer.Option("--dry", help="Only say what would be dropped.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Clear the content store of what nobody needs: never of what a live or disputed job does, nor of what came in lately.

    Run it on the node's machine, with the node's `COMPUTILITY_*` variables, while the node serves or not.
    """
    import time
    from dataclasses import asdict

    from computility.chain.rpc import RpcClient
    from computility.services.content_needs import evidence_of_records, needed_content
    from computility.services.content_sweep import DAY_S
    from computility.services.node import Node
    from computility.store.engine import open_database

    settings = _settings({})
    database = open_database(settings.database_url)
    rpc = RpcClient(settings.rpc_url, settings.rpc_timeout_s)
    try:
        node = Node(settings, database, rpc)
        kept_s = keep_days * DAY_S
        needed = needed_content(node.ledger, node.journal, now=node.clock(), keep_s=kept_s)
        records = evidence_of_records(node.ledger, now=node.clock(), keep_s=kept_s)
        swept = node.sweep_content(needed, alone=records, now=time.time(), dry=dry)
    finally:
        rpc.close()
        database.close()
    print_record({**asdict(swept), "dry": dry}, as_json=as_json)


@group.command("forget-ledger")
def forget_ledger(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, as_json: JsonOption = False
) -> None:
    """Forget what the database knows of the chain, so that the node reads it anew; the signed statements, which no chain has, stay.

    For deployment records that name older contracts than the database began with, or a chain that was started anew. Run it with the node's
    `COMPUTILITY_*` variables, while the node is stopped. Until the chain was read again the node answers as an empty one.
    """
    from computility.domain.identifiers import chain_id_of
    from computility.services import forget_ledger as forgetting
    from computility.store.engine import open_database

    settings = _settings({})
    chain_id = chain_id_of(settings.chain_number)
    if not yes:
        typer.confirm(f"Forget the ledger of {chain_id} in this database, and read it anew?", abort=True)
    database = open_database(settings.database_url)
    try:
        forgetting.forget_ledger(database, chain_id)
    finally:
        database.close()
    print_record({"forgotten": chain_id, "kept": "the signed statements"}, as_json=as_json)


def _settings(given: Mapping[str, Any]) -> NodeSettings:
    """What was given on the command line, else by variables.

    Raises:
        InvalidMessage: one does not fit.
    """
    from pydantic import ValidationError

    from computility.domain.errors import InvalidMessage
    from computility.settings import NodeSettings

    try:
        return NodeSettings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidMessage(f"the setting {first['loc'][0]} does not fit: {first['msg']}") from error
