"""``computility export``: a provider and its settled jobs in the registries of ERC-8004."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import YesOption
from computility.cli.output import JsonOption, print_json, print_record, print_rows
from computility.cli.session import Session, confirm

if TYPE_CHECKING:
    from computility.domain.terms import Terms
    from computility.services.agent_export import AgentExport

group = typer.Typer(help="Your identity and your settled jobs, in the registries of ERC-8004.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(help="The job's id.")]


@group.command()
@connected
def agent(
    connection: Connection,
    name: Annotated[str, typer.Option(help="How the agent is called.")],
    description: Annotated[
        str, typer.Option(help="What it does, and how it is paid.")
    ] = "Sells verified computing jobs.",
    image: Annotated[str, typer.Option(help="URL of a picture.")] = "",
    number: Annotated[
        int | None, typer.Option(min=0, help="Its number in the identity registry, once it has one.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; printed unless given.")] = None,
) -> None:
    """Write the registration file of this account as an agent, to be put where its agent URI points."""
    import json

    with _export(connection) as (session, export):
        known = export.agent() if number is None else number
        document = export.registration(name, description, image, session.node.url, known)
    if out is None:
        print_json(document)
        return
    out.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print_record({"file": str(out), "agent": known}, as_json=False)


@group.command()
@connected
def bind(
    connection: Connection,
    number: Annotated[int, typer.Argument(min=0, help="The agent's number in the identity registry.")],
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say that an agent of yours is this provider. Once: what its jobs say stays with the agent."""
    with _export(connection) as (session, export):
        confirm(f"Bind {session.account.address} to agent {number} for ever?", yes=yes)
        receipt = export.bind(number)
    print_record({"provider": session.account.address, "agent": number, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def job(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Publish what a settled job says of its provider as feedback on its agent. Anybody may."""
    with _export(connection) as (session, export):
        terms = _terms(session, job)
        share_bps, how = export.said(terms)
        receipt = export.publish(terms)
    print_record({"job": job, "percent": share_bps / 100, "ended": how, "tx": receipt.tx_hash}, as_json=as_json)


@group.command(name="all")
@connected
def every(connection: Connection, as_json: JsonOption = False) -> None:
    """Publish every settled job of this account that says something and is not published yet."""
    from computility.domain.errors import ContractReverted
    from computility.domain.identifiers import parse_bytes32

    rows: list[dict[str, Any]] = []
    with _export(connection) as (session, export):
        for row in session.node.jobs(state="closed", provider=session.account.address):
            if export.is_published(parse_bytes32(row["id"])):
                continue
            terms = _terms(session, row["id"])
            try:
                share_bps, how = export.said(terms)
            except ContractReverted:
                continue  # it says nothing
            receipt = export.publish(terms)
            rows.append({"job": row["id"], "percent": share_bps / 100, "ended": how, "tx": receipt.tx_hash})
    print_rows(rows, ("job", "percent", "ended", "tx"), as_json=as_json, empty="Everything is published.")


@group.command()
@connected
def validate(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Answer the validation request that the agent's owner made of the export for a settled job. Anybody may."""
    from computility.domain.identifiers import parse_bytes32

    with _export(connection) as (session, export):
        request = export.request_hash(parse_bytes32(job))
        receipt = export.validate(_terms(session, job))
    print_record({"job": job, "request": request, "tx": receipt.tx_hash}, as_json=as_json)


@contextmanager
def _export(connection: Connection) -> Iterator[tuple[Session, AgentExport]]:
    from computility.services.agent_export import AgentExport

    with connection.session() as session:
        yield session, AgentExport(session.account)


def _terms(session: Session, job: str) -> Terms:
    from computility.domain.identifiers import parse_bytes32
    from computility.services.job_watch import JobWatch

    return JobWatch(session.account, session.node, 0).one(parse_bytes32(job)).terms
