"""``computility ask``: what providers offer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import DEFAULT_NODE, NodeOption, YesOption
from computility.cli.output import JsonOption, print_record, print_rows
from computility.cli.session import confirm, open_node

if TYPE_CHECKING:
    from computility.domain.service_level import ServiceLevel

group = typer.Typer(help="See what providers offer, or offer computing power yourself.", no_args_is_help=True)


@group.command("list")
def list_asks(node: NodeOption = DEFAULT_NODE, as_json: JsonOption = False) -> None:
    """List open asks, the cheapest unit first."""
    with open_node(node) as client:
        rows = client.asks()
    if as_json:
        print_rows(rows, (), as_json=True, empty="")
        return
    columns = ("ask", "provider", "score", "cu", "price", "units", "free_places", "resource")
    print_rows([_row(row) for row in rows], columns, as_json=False, empty="Nothing is offered on this node now.")


@group.command()
@connected
def publish(
    connection: Connection,
    resource: Annotated[
        str, typer.Argument(help="Compute identifier, like urn:computility:wasm:wasmtime:2x:1g:eu-west:me:0001:mfuel.")
    ],
    price: Annotated[str, typer.Option(help="Credits for one unit, like 0.0005.")],
    verifier: Annotated[
        list[str] | None, typer.Option(help="Verifier that you accept; the node's committee unless given.")
    ] = None,
    arbiter: Annotated[list[str] | None, typer.Option(help="Arbiter that you accept.")] = None,
    min_units: Annotated[int, typer.Option(min=0, help="Units that a delivered job pays at least.")] = 1,
    max_units: Annotated[int, typer.Option(min=1, help="Units of the largest job that you take.")] = 100_000,
    bond_bps: Annotated[
        int,
        typer.Option(
            min=0,
            max=65_535,
            help="Bond on a job, in basis points of its price; above 10000 it is more than the price.",
        ),
    ] = 2_000,
    parallel: Annotated[int, typer.Option(min=1, help="Jobs at one time.")] = 2,
    sla: Annotated[
        str | None,
        typer.Option(help="Service level that you promise: `standard`, or a file of a template; none unless given."),
    ] = None,
    dispute_window: Annotated[int, typer.Option(min=1, help="Seconds to contest a fail or a claim.")] = 3_600,
    valid_days: Annotated[int, typer.Option(min=1, max=90, help="Days that the ask stands.")] = 7,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Offer a resource to anybody, as a registered provider.

    Publishing costs nothing and binds nobody: your agent (`computility provider serve`) decides on each request.
    """
    from computility.domain.identifiers import ZERO_BYTES32, parse_address
    from computility.domain.resource import parse_resource
    from computility.domain.statements import Ask
    from computility.domain.units import parse_credits
    from computility.execution.wasm.executor import WasmExecutor

    parsed = parse_resource(resource)
    level = _service_level(sla)
    unit_price = parse_credits(price)
    with connection.session() as session:
        committee = session.config["committee"]
        verifiers = verifier or ([committee["address"]] if committee else [])
        ask = Ask(
            provider=session.account.address,
            resource=str(parsed),
            environment=WasmExecutor().environment,
            unit_price=unit_price,
            min_units=min_units,
            max_units=max_units,
            bond_bps=bond_bps,
            max_concurrent=parallel,
            verifiers=tuple(parse_address(address) for address in verifiers),
            arbiters=tuple(parse_address(address) for address in arbiter or []),
            dispute_window=dispute_window,
            sla=level.digest if level else ZERO_BYTES32,
            valid_until=session.account.chain_time() + valid_days * 86_400,
            nonce=time.time_ns() // 1_000_000,
        )
        confirm(f"Offer {parsed} at {price} credits a unit?", yes=yes)
        signed = session.account.sign(ask)
        if level is not None:
            session.node.put_content(level.to_bytes())
        session.node.publish(signed)
    print_record({"ask": signed.id, **ask.to_json()}, as_json=as_json)


@group.command()
@connected
def withdraw(
    connection: Connection,
    ask: Annotated[str, typer.Argument(help="The ask's id.")],
    as_json: JsonOption = False,
) -> None:
    """Take an ask back. Quotes that were signed stay valid until they expire."""
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.statements import AskWithdrawal

    ask_id = parse_bytes32(ask)
    with connection.session() as session:
        account = session.account
        session.node.publish(account.sign(AskWithdrawal(account.address, ask_id, account.chain_time())))
    print_record({"ask": ask_id, "status": "withdrawn"}, as_json=as_json)


def _service_level(named: str | None) -> ServiceLevel | None:
    from computility.domain.service_level import parse_service_level, standard_service_level

    if named is None:
        return None
    if named == "standard":
        return standard_service_level()
    path = Path(named)
    if not path.is_file():
        raise typer.BadParameter(f"{named} is no file: name a template of service levels, or `standard`")
    return parse_service_level(path.read_bytes().strip())


def _row(row: dict[str, Any]) -> dict[str, Any]:
    from computility.domain.units import format_credits

    message = row["ask"]["message"]
    return {
        "ask": row["ask"]["id"],
        "provider": message["provider"],
        "cu": "unrated" if row["rating_micro_cu"] is None else f"{int(row['rating_micro_cu']) / 10**6:.3f}",
        "score": "new" if row["provider_score_bps"] is None else f"{row['provider_score_bps'] / 100:.1f} %",
        "price": format_credits(int(message["unitPrice"])),
        "units": f"{message['minUnits']}–{message['maxUnits']}",
        "free_places": row["capacity_left"],
        "resource": message["resource"],
    }
