"""``computility arbiter``: sit on the panel that rules on disputes, and bring disputes before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import YesOption
from computility.cli.output import JsonOption, print_record, print_rows
from computility.cli.session import Session, confirm
from computility.domain.identifiers import Bytes32, parse_bytes32
from computility.domain.terms import Terms

if TYPE_CHECKING:
    from computility.chain.transaction_sender import Receipt
    from computility.services.arbiter_seat import ArbiterSeat, DisputeView

group = typer.Typer(
    help="Rule on disputes for a fee: join the panel, then vote. Bring disputes to it.", no_args_is_help=True
)

JobArgument = Annotated[str, typer.Argument(help="The disputed job's id.")]
UnitsOption = Annotated[int, typer.Option("--units", min=0, help="Units to be paid.")]
SlashOption = Annotated[float, typer.Option("--slash", min=0, max=100, help="Per cent of the bond to be slashed.")]


@group.command()
@connected
def join(connection: Connection, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Stake as an arbiter, or what a penalty took. The panel's owner has to have named you before."""
    with _seat(connection) as (session, seat):
        confirm(f"Stake as arbiter {session.account.address}?", yes=yes)
        sent = seat.join()
    record = {"arbiter": session.account.address, "active": True, "tx": sent[-1].tx_hash if sent else None}
    print_record(record, as_json=as_json)


@group.command()
@connected
def leave(connection: Connection, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Be drawn no longer; where you sit, you have to vote. `release` pays the stake after the unbonding period."""
    with _seat(connection) as (session, seat):
        confirm(f"Leave the panel as {session.account.address}?", yes=yes)
        receipt = seat.leave()
    print_record({"arbiter": session.account.address, "active": False, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def release(connection: Connection, as_json: JsonOption = False) -> None:
    """Take the stake back, once you have left, sit in no round and the unbonding period is over."""
    with _seat(connection) as (session, seat):
        receipt = seat.release()
    print_record({"arbiter": session.account.address, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def claim(connection: Connection, as_json: JsonOption = False) -> None:
    """Pay what you earned out to the wallet."""
    from computility.domain.units import format_credits

    with _seat(connection) as (_, seat):
        earned = seat.fees()
        receipt = seat.withdraw_fees()
    print_record({"paid": format_credits(earned), "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def disputes(connection: Connection, as_json: JsonOption = False) -> None:
    """List disputed jobs that name the panel, what is to be done next, and whether you sit."""
    with _seat(connection) as (session, seat):
        now = session.account.chain_time()
        rows = [
            _row(seat, row, now, session.account.address)
            for row in session.node.jobs(state="disputed")
            if row["terms"]["arbiter"] == seat.address
        ]
    columns = ("job", "next", "until", "seated", "votes", "units", "slash_bps")
    print_rows(rows, columns, as_json=as_json, empty="Nothing is disputed.")


@group.command()
@connected
def bring(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Bring a disputed job before the panel. Anybody may; there has to be time left for every round."""
    with _seat(connection) as (session, seat):
        receipt = seat.bring(_terms(session, parse_bytes32(job)))
        dispute = seat.required(parse_bytes32(job))
    record = {"job": job, "dispute": dispute.id, "commit_by": dispute.round.commit_by, "tx": receipt.tx_hash}
    print_record(record, as_json=as_json)


@group.command()
@connected
def draw(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Let the lots for the panel fall, from the block after the round began. Anybody may."""
    with _seat(connection) as (_, seat):
        receipt = seat.draw(seat.required(parse_bytes32(job)))
        panel = seat.required(parse_bytes32(job)).round.panel
    print_record({"job": job, "panel": list(panel), "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def vote(
    connection: Connection,
    job: JobArgument,
    units: UnitsOption,
    slash: SlashOption = 0.0,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Commit to a vote, as one who sits. Nobody sees it until you `reveal` the same numbers; keep them. It can be replaced until the time is over."""
    with _seat(connection) as (_, seat):
        confirm(f"Vote for {units} units and a slash of {slash:g} % of the bond?", yes=yes)
        dispute = seat.required(parse_bytes32(job))
        _, receipt = seat.vote(dispute, units, round(slash * 100))
    record = {"job": job, "reveal_after": dispute.round.commit_by, "reveal_by": dispute.round.reveal_by}
    print_record({**record, "tx": receipt.tx_hash}, as_json=as_json)


@group.command()
@connected
def reveal(
    connection: Connection,
    job: JobArgument,
    units: UnitsOption,
    slash: SlashOption = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Show the vote that you committed to. Who sits and does not reveal pays a penalty."""
    _move(lambda seat, dispute, _: seat.reveal(dispute, units, round(slash * 100)), job, connection, as_json)


@group.command()
@connected
def appeal(connection: Connection, job: JobArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Take the dispute to a larger panel, as buyer, payer or provider. You pay for it whichever way it ends."""
    confirm(f"Appeal in job {job}?", yes=yes)
    _move(lambda seat, dispute, _: seat.appeal(dispute)[-1], job, connection, as_json)


@group.command()
@connected
def execute(connection: Connection, job: JobArgument, as_json: JsonOption = False) -> None:
    """Carry the ruling out once nothing can change it; without a vote, close the dispute. Anybody may."""
    _move(lambda seat, dispute, terms: seat.execute(dispute, terms), job, connection, as_json)


@contextmanager
def _seat(connection: Connection) -> Iterator[tuple[Session, ArbiterSeat]]:
    from computility.services.arbiter_seat import ArbiterSeat

    with connection.session() as session:
        yield session, ArbiterSeat(session.account)


def _terms(session: Session, job: Bytes32) -> Terms:
    from computility.services.job_watch import JobWatch

    return JobWatch(session.account, session.node, 0).one(job).terms


def _move(
    move: Callable[[ArbiterSeat, DisputeView, Terms], Receipt],
    job: str,
    connection: Connection,
    as_json: bool,
) -> None:
    job_id = parse_bytes32(job)
    with _seat(connection) as (session, seat):
        receipt = move(seat, seat.required(job_id), _terms(session, job_id))
    print_record({"job": job_id, "tx": receipt.tx_hash, "gas": receipt.gas_used}, as_json=as_json)


def _row(seat: ArbiterSeat, row: dict[str, Any], now: int, account: str) -> dict[str, Any]:
    dispute = seat.dispute_of(parse_bytes32(row["id"]))
    if dispute is None:
        return {"job": row["id"], "next": "bring", "until": row["deadline"], "seated": False, "votes": 0}
    phase = dispute.phase(now)
    ends = {"draw": dispute.round.commit_by, "commit": dispute.round.commit_by, "reveal": dispute.round.reveal_by}
    units, slash_bps = dispute.ruling or (None, None)
    return {
        "job": row["id"],
        "dispute": dispute.id,
        "round": dispute.round.number,
        "next": phase,
        "until": ends.get(phase, dispute.round.appeal_by if phase == "appeal" else dispute.deadline),
        "seated": account in dispute.round.panel,
        "votes": dispute.round.votes,
        "units": units,
        "slash_bps": slash_bps,
    }
