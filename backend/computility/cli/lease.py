"""``computility lease``: rent somebody else's machine by the second, and pay for what you signed for."""

from __future__ import annotations

import secrets
import shlex
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import DEFAULT_NODE, ConfirmationsOption, NodeOption, YesOption
from computility.cli.output import JsonOption, console, print_record, print_rows, progress_console
from computility.cli.session import Session, confirm, open_node

group = typer.Typer(help="Rent a machine by the second, and pay for what you signed for.", no_args_is_help=True)

JobArgument = Annotated[str, typer.Argument(help="The job's id.")]
_MIB: Final = 1024 * 1024
_LOOK_S: Final = 0.5
_READ_WITHIN_S: Final = 60.0
"""What a node has for reading a lease that was opened just now from the chain."""


@group.command("open")
@connected
def open_lease(
    connection: Connection,
    command: Annotated[
        str, typer.Argument(help="What runs in the provider's sandbox, like '/opt/python/bin/python3 serve.py'.")
    ],
    seconds: Annotated[int, typer.Option(min=1, help="Most seconds to pay for; a second is a unit.")],
    interval: Annotated[int, typer.Option(min=2, help="Most seconds that are ever unsigned, for either side.")] = 60,
    input_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", help="A file that the command finds beside it; once for each.", exists=True, dir_okay=False
        ),
    ] = None,
    ask: Annotated[str | None, typer.Option(help="Id of the ask to take; the best one unless given.")] = None,
    gpus: Annotated[int, typer.Option(min=0, help="GPUs that it needs.")] = 0,
    memory_mib: Annotated[int, typer.Option("--memory", min=1, help="Most memory, in MiB.")] = 256,
    output_mib: Annotated[int, typer.Option("--output", min=1, help="Most output, in MiB.")] = 16,
    detach: Annotated[
        bool, typer.Option(help="Only open it; sign with `lease watch` from here on, before an interval is over.")
    ] = False,
    confirmations: ConfirmationsOption = 0,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Open a metered lease with you as its verifier, then co-sign what the provider meters until it ends.

    Ctrl-C stops signing, and the provider stops within one interval: end it with `lease end`. The provider has to accept you as a verifier.
    """
    from computility.domain.content_id import content_id_of
    from computility.domain.errors import UnknownAsk
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.job_specification import InputFile
    from computility.domain.task_specification import CommandLimits, TaskSpecification
    from computility.domain.units import format_credits
    from computility.services.buyer import Buyer

    files = {path.name: path.read_bytes() for path in input_file or []}
    units = seconds * max(1, gpus)
    with connection.session(confirmations=confirmations) as session:
        buyer = Buyer(session.account, session.node, confirmations)
        offers = [buyer.offer(parse_bytes32(ask))] if ask else buyer.offers(units=units, kind="process")
        if not offers:
            raise UnknownAsk(
                f"nobody leases {seconds} s of a sandbox now: allow less time, or look at `computility ask list`"
            )
        limits = CommandLimits(
            cpu_s=seconds,
            wall_s=seconds,
            memory_bytes=memory_mib * _MIB,
            scratch_bytes=memory_mib * _MIB // 4,
            processes=64,
            output_bytes=output_mib * _MIB,
            output_files=64,
            gpus=gpus,
        )
        specification = TaskSpecification(
            "process",
            offers[0].ask.environment,
            (),
            tuple(shlex.split(command)),
            tuple(InputFile(name, content_id_of(data), len(data)) for name, data in sorted(files.items())),
            limits,
            session.account.chain_time(),
            "0x" + secrets.token_hex(32),
            verification={"method": "lease-heartbeat", "interval_s": interval},
        )
        with progress_console.status("asking for a quote"):
            for data in (*files.values(), specification.to_bytes()):
                session.node.put_content(data)
            quoted = buyer.request_quote(offers[0], specification, verifier=session.account.address, max_units=units)
        terms = quoted.terms
        if not as_json:
            console.print(
                f"provider  {terms.provider}\nescrow    {format_credits(terms.escrow)} credits for at most {terms.max_units} s\n"
                f"at risk   {interval} s\nbond      {format_credits(terms.bond)} credits"
            )
        confirm(f"Open lease {quoted.job}?", yes=yes)
        buyer.open(quoted)
        if detach:
            progress_console.print(
                f"Sign from here on, before {interval} s are over: computility lease watch {quoted.job}", soft_wrap=True
            )
        else:
            _follow(session, quoted.job, confirmations, _READ_WITHIN_S)
        record = {"job": quoted.job, "interval_s": interval, **_settled(session, quoted.job)}
    print_record(record, as_json=as_json)


@group.command()
@connected
def watch(
    connection: Connection, job: JobArgument, confirmations: ConfirmationsOption = 0, as_json: JsonOption = False
) -> None:
    """Go on co-signing a lease until it ends."""
    from computility.domain.identifiers import parse_bytes32

    job_id = parse_bytes32(job)
    with connection.session(confirmations=confirmations) as session:
        _follow(session, job_id, confirmations)
        record = {"job": job_id, **_settled(session, job_id)}
    print_record(record, as_json=as_json)


@group.command()
@connected
def end(
    connection: Connection, job: JobArgument, confirmations: ConfirmationsOption = 0, as_json: JsonOption = False
) -> None:
    """End a lease at what you signed for. The provider is paid that at once; if it does not bring your word, you do, and it waits for the window."""
    from computility.domain.identifiers import parse_bytes32
    from computility.services.lease_watch import LeaseWatch

    job_id = parse_bytes32(job)
    with connection.session(confirmations=confirmations) as session:
        lease = LeaseWatch(session.account, session.node, job_id, confirmations)
        lease.step()
        lease.end()
        _follow(session, job_id, confirmations)
        record = {"job": job_id, **_settled(session, job_id)}
    print_record(record, as_json=as_json)


@group.command()
def show(job: JobArgument, node: NodeOption = DEFAULT_NODE, as_json: JsonOption = False) -> None:
    """The meter of a lease: every reading with what was measured, and what was contested."""
    from computility.domain.content_id import content_id_of_digest
    from computility.domain.errors import ContentNotFound
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.meter_sample import parse_meter_sample

    job_id = parse_bytes32(job)
    rows = []
    with open_node(node) as client:
        contests = {row["message"]["reading"]: row["message"]["reason"] for row in client.meter_contests(job_id)}
        for row in client.meter_readings(job_id):
            message = row["message"]
            try:
                sample = parse_meter_sample(client.get_content(content_id_of_digest(message["sample"]))).to_document()
            except ContentNotFound:
                sample = {}
            rows.append(
                {
                    "reading": message["sequence"],
                    "seconds": message["units"],
                    "last": message["isLast"],
                    **{name: sample.get(name) for name in ("cpu_ms", "memory_bytes", "energy_mj", "busy_permille")},
                    "processes": ", ".join(sample.get("processes", [])),
                    "contested": contests.get(row["id"]),
                }
            )
    columns = (
        "reading",
        "seconds",
        "cpu_ms",
        "memory_bytes",
        "energy_mj",
        "busy_permille",
        "processes",
        "last",
        "contested",
    )
    print_rows(rows, columns, as_json=as_json, empty="Nothing was metered yet.")


def _follow(session: Session, job: str, confirmations: int, known_within_s: float = 0.0) -> None:
    """Sign until the job is closed, or pending at the end of a lease: then its window has to pass. The node has to know it within so many seconds."""
    from computility.domain.errors import ChainUnavailable, NodeRefused, NodeUnavailable, UnknownJob
    from computility.domain.identifiers import parse_bytes32
    from computility.services.lease_watch import LeaseWatch

    lease = LeaseWatch(session.account, session.node, parse_bytes32(job), confirmations)
    give_up = time.monotonic() + known_within_s
    with progress_console.status("waiting for the provider") as status:
        while True:
            try:
                now = lease.step()
            except (NodeUnavailable, ChainUnavailable):
                # Whatever is down just now, an interval is more than a moment.
                time.sleep(_LOOK_S)
                continue
            except NodeRefused as error:
                if error.problem_code != UnknownJob.code or time.monotonic() > give_up:
                    raise
                time.sleep(_LOOK_S)
                continue
            if now.over or now.pending:
                return
            doubt = (
                f", contested: {now.contested}"
                if now.contested
                else ", no reading for an interval"
                if now.silent
                else ""
            )
            status.update(f"metered {now.metered} s, signed {now.signed} s{doubt}")
            time.sleep(_LOOK_S)


def _settled(session: Session, job: str) -> dict[str, object]:
    from computility.domain.identifiers import parse_bytes32
    from computility.domain.job import JobState
    from computility.services.job_watch import JobWatch
    from computility.services.lease_meter import co_signed

    watched = JobWatch(session.account, session.node, 0).one(parse_bytes32(job))
    signed, _ = co_signed(session.node, session.account, watched)
    if watched.chain.state is not JobState.OPEN and signed == 0:
        _tell_why(session, job)
    return {
        "state": watched.chain.state.name.lower(),
        "signed_s": signed,
        "accepted_s": watched.chain.accepted,
        "ends" if watched.chain.state is JobState.OPEN else "window_ends": watched.chain.deadline or None,
    }


def _tell_why(session: Session, job: str) -> None:
    """Of a lease that ended before its first reading: what the provider's excuse says, where it left one.

    Raises:
        NodeRefused: it did.
    """
    from computility.domain.errors import JobExcused, NodeRefused
    from computility.domain.identifiers import parse_bytes32

    try:
        session.node.outputs(parse_bytes32(job))
    except NodeRefused as error:
        if error.problem_code == JobExcused.code:
            raise
