"""``computility job``: look at jobs, fetch results, and end what may be ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import (
    DEFAULT_KEYSTORE,
    DEFAULT_NODE,
    KeystoreOption,
    NodeOption,
    PasswordFileOption,
    YesOption,
)
from computility.cli.output import JsonOption, print_json, print_record, print_rows
from computility.cli.session import confirm, open_node, password

group = typer.Typer(help="Look at jobs, fetch results, and end what may be ended.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(help="The job's id.")]

_AMOUNTS = ("escrow", "provider_paid", "fee", "refund", "verifier_paid", "bond_returned", "bond_to_buyer")


@group.command("list")
def list_jobs(
    buyer: Annotated[str | None, typer.Option(help="Only jobs of this buyer.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only jobs of this provider.")] = None,
    state: Annotated[str | None, typer.Option(help="open, pending, disputed or closed.")] = None,
    node: NodeOption = DEFAULT_NODE,
    as_json: JsonOption = False,
) -> None:
    """List jobs, the newest first."""
    with open_node(node) as client:
        rows = client.jobs(buyer=buyer, provider=provider, state=state)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "state", "outcome", "units", "paid", "buyer", "provider")
    print_rows([_row(row) for row in rows], columns, as_json=False, empty="No such job.")


@group.command()
def show(job: JobArgument, node: NodeOption = DEFAULT_NODE, as_json: JsonOption = False) -> None:
    """Show one job with every event behind it."""
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.units import format_credits

    job_id = parse_bytes32(job)
    with open_node(node) as client:
        row, events = client.job(job_id), client.job_events(job_id)
    if as_json:
        print_json({**row, "events": events})
        return
    shown = {name: value for name, value in row.items() if value is not None and name != "terms"}
    shown.update({name: format_credits(int(row[name])) for name in _AMOUNTS if row[name] is not None})
    print_record(shown, as_json=False)
    print_rows(events, ("block_number", "log_index", "name", "tx_hash", "confirmation"), as_json=False, empty="")


@group.command()
def outputs(
    job: JobArgument,
    folder: Annotated[Path, typer.Option("--to", help="Folder to write the files to.")] = Path("outputs"),
    node: NodeOption = DEFAULT_NODE,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    reader_key: Annotated[
        Path | None,
        typer.Option(
            help="File with the copy of a reader key, as the web app saves it; the key of --keystore unless given."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch what a job produced, check every file against its hash, and write it to a folder. What is sealed to you is opened with your key."""
    from computility.chain.keystore import load_keystore
    from computility.domain.content_id import content_id_of_digest
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.manifest import parse_manifest
    from computility.domain.specification import parse_specification
    from computility.execution.reader_key import ReaderKey
    from computility.execution.reader_key_file import load_reader_key
    from computility.services.buyer import open_job_outputs, write_outputs

    with open_node(node) as client:
        described = client.outputs(parse_bytes32(job))
        manifest = parse_manifest(client.get_content(content_id_of_digest(parse_bytes32(described["result"]))))
        files = {file.path: client.get_content(file.cid) for file in manifest.files}
        specification = parse_specification(client.get_content(content_id_of_digest(manifest.spec)))
        if specification.sealing is not None:
            if reader_key is not None:
                reader = load_reader_key(reader_key.expanduser())
            else:
                path = keystore.expanduser()
                reader = ReaderKey.of_account(bytes(load_keystore(path, password(password_file, path)).key))
            files = open_job_outputs(client, parse_bytes32(job), specification, files, reader)
    written = write_outputs(folder, files)
    print_record(
        {"result": manifest.digest, "source": described["source"], "files": [str(path) for path in written]},
        as_json=as_json,
    )


@group.command()
@connected
def service(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Compute again what a job's service level makes of it, and compare with what was attested. Fails where they differ."""
    from computility.cli.service_level import service_record
    from computility.domain.identifiers import parse_bytes32
    from computility.services.job_watch import JobWatch
    from computility.services.node_client import NodeContentStore
    from computility.services.service_levels import check_service

    with connection.session() as session:
        watch = JobWatch(session.account, session.node, 0)
        content = NodeContentStore(session.node)
        found = check_service(watch.one(parse_bytes32(job)), watch, content, session.account.rpc)
    print_record(service_record(found), as_json=as_json)
    if found.agrees is False:
        raise typer.Exit(1)


@group.command()
@connected
def finalize(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """End a job whose window has passed. Anybody may."""
    _send("finalize", job, connection, as_json)


@group.command()
@connected
def reclaim(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """End an open job after its end: the payer is refunded. Anybody may."""
    _send("reclaim", job, connection, as_json)


@group.command()
@connected
def dispute(connection: Connection, job: JobArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Contest what is pending, as buyer, payer or provider, within the window.

    The arbiter then rules. A job without an arbiter closes at once: what was accepted is paid, the rest refunded, nothing slashed.
    """
    confirm(f"Dispute job {job}?", yes=yes)
    _send("dispute", job, connection, as_json)


def _send(action: str, job: str, connection: Connection, as_json: bool) -> None:
    from computility.domain.identifiers import parse_bytes32
    from computility.services.job_watch import JobWatch

    job_id = parse_bytes32(job)
    with connection.session() as session:
        watched = JobWatch(session.account, session.node, 0).one(job_id)
        move: Callable[[Any], Any] = getattr(session.account, action)
        receipt = move(watched.terms)
    print_record({"job": job_id, "tx": receipt.tx_hash, "gas": receipt.gas_used}, as_json=as_json)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    from computility.domain.units import format_credits

    terms = row["terms"] or {}
    return {
        **row,
        "buyer": terms.get("buyer"),
        "provider": terms.get("provider"),
        "paid": None if row["provider_paid"] is None else format_credits(int(row["provider_paid"])),
    }
