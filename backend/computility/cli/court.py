"""``computility court``: disputes before the outside court that a deployment names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import YesOption
from computility.cli.output import JsonOption, print_record
from computility.cli.session import Session, confirm

if TYPE_CHECKING:
    from computility.domain.terms import Terms
    from computility.services.court_case import Court

group = typer.Typer(
    help="Bring a dispute before an outside court (ERC-792), and carry its ruling out.", no_args_is_help=True
)

JobArgument = Annotated[str, typer.Argument(help="The disputed job's id.")]
DisputeArgument = Annotated[int, typer.Argument(min=0, help="The dispute's number, as `bring` printed it.")]


@group.command()
@connected
def bring(connection: Connection, job: JobArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Bring a disputed job that names the court, and pay it in the chain's coin. Who does gets the job's arbiter fee if the court rules in time."""
    with _court(connection) as (session, court):
        cost = court.cost()
        confirm(f"Pay the court {cost / 10**18:g} of the chain's coin from {session.account.address}?", yes=yes)
        receipt, dispute = court.bring(_terms(session, job))
    print_record({"job": job, "dispute": dispute, "paid_wei": cost, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def claim(
    connection: Connection,
    dispute: DisputeArgument,
    job: JobArgument,
    units: Annotated[int, typer.Option(min=0, help="Units that a ruling for you pays.")],
    as_json: JsonOption = False,
) -> None:
    """As the provider: say what a ruling for you pays. Without it, that is what you proposed."""
    with _court(connection) as (session, court):
        receipt = court.claim(dispute, _terms(session, job), units)
    print_record({"dispute": dispute, "claimed": units, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def evidence(
    connection: Connection,
    dispute: DisputeArgument,
    job: JobArgument,
    link: Annotated[str, typer.Argument(help="Where the evidence is, as ERC-1497 says.")],
    as_json: JsonOption = False,
) -> None:
    """As a party or the verifier: tell the court where your evidence is."""
    with _court(connection) as (session, court):
        receipt = court.submit_evidence(dispute, _terms(session, job), link)
    print_record({"dispute": dispute, "evidence": link, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def execute(connection: Connection, dispute: DisputeArgument, job: JobArgument, as_json: JsonOption = False) -> None:
    """Carry the court's ruling out, before the job's deadline. Anybody may."""
    with _court(connection) as (session, court):
        receipt = court.execute(dispute, _terms(session, job))
        record = _record(court, dispute)
    print_record({**record, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def show(connection: Connection, dispute: DisputeArgument, as_json: JsonOption = False) -> None:
    """What is known of a dispute."""
    with _court(connection) as (_, court):
        record = _record(court, dispute)
    print_record(record, as_json=as_json)


def _record(court: Court, dispute: int) -> dict[str, Any]:
    case = court.case(dispute)
    return {
        "dispute": case.id,
        "job": case.job,
        "brought_by": case.requester,
        "claimed": case.claimed,
        "ruling": case.ruling,
        "executed": case.executed,
    }


@contextmanager
def _court(connection: Connection) -> Iterator[tuple[Session, Court]]:
    from computility.services.court_case import Court

    with connection.session() as session:
        yield session, Court(session.account)


def _terms(session: Session, job: str) -> Terms:
    from computility.domain.identifiers import parse_bytes32
    from computility.services.job_watch import JobWatch

    return JobWatch(session.account, session.node, 0).one(parse_bytes32(job)).terms
