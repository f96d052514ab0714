"""``computility sweep``: one program in parts, split over all providers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import YesOption
from computility.cli.output import JsonOption, print_json, print_rows, progress_console
from computility.cli.session import confirm

_MIB = 1024 * 1024


@connected
def command(
    connection: Connection,
    program: Annotated[Path, typer.Argument(help="A WASI program (.wasm).", exists=True, dir_okay=False)],
    argument: Annotated[
        list[str] | None,
        typer.Argument(help="Its arguments; {part} is the number of the part, from 0, and {parts} how many there are."),
    ] = None,
    parts: Annotated[int, typer.Option(min=1, max=64, help="Into how many jobs to split it.")] = 6,
    input_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", help="A file that every part may read, by its name.", exists=True, dir_okay=False
        ),
    ] = None,
    join: Annotated[
        str | None, typer.Option(help="An output of every part; these are put together, one after the other.")
    ] = None,
    fuel: Annotated[int, typer.Option(min=1, help="Most fuel of one part; a million is a unit.")] = 1_000_000_000,
    memory_mib: Annotated[int, typer.Option("--memory", min=1, help="Most memory of one part, in MiB.")] = 64,
    output_mib: Annotated[int, typer.Option("--output", min=1, help="Most output of one part, in MiB.")] = 16,
    verifier: Annotated[str | None, typer.Option(help="Who verifies; the node's committee unless given.")] = None,
    verifier_fee: Annotated[str, typer.Option(help="Credits for the verifier of each part.")] = "0",
    to: Annotated[Path, typer.Option(help="Folder for what comes out.")] = Path("outputs"),
    timeout: Annotated[int, typer.Option(min=1, help="Seconds to follow a part.")] = 900,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Buy one program in parts from all providers at once: one transaction opens them, each is verified and paid by itself.

    A part that failed costs nothing, and is bought again from somebody else.
    """
    from computility.domain.errors import ContentNotFound, JobFailed
    from computility.domain.identifiers import parse_address
    from computility.domain.job_specification import Limits
    from computility.domain.units import format_credits, parse_credits
    from computility.services.buyer import Buyer, write_outputs
    from computility.services.program import Program
    from computility.services.sweep import Sweep

    if join is not None and Path(join).name != join:
        raise typer.BadParameter(f"--join names an output of the program, like picture.bmp, not the path {join}")
    module = program.read_bytes()
    inputs = {path.name: path.read_bytes() for path in input_file or []}
    programs = [
        Program(program.name, module, [_filled(word, number, parts) for word in argument or []], inputs)
        for number in range(parts)
    ]
    limits = Limits(fuel=fuel, memory_bytes=memory_mib * _MIB, output_bytes=output_mib * _MIB, output_files=64)
    with connection.session() as session, progress_console.status("splitting") as status:
        committee = session.config["committee"]
        if verifier is None and committee is None:
            raise typer.BadParameter("this deployment has no committee: name a verifier with --verifier")
        status.stop()
        confirm(f"Open {parts} jobs of at most {-(-fuel // 1_000_000)} units each?", yes=yes)
        status.start()

        def say(line: str) -> None:
            progress_console.print(line)

        sweep = Sweep(
            session.account,
            Buyer(session.account, session.node),
            programs,
            limits,
            parse_address(verifier or committee["address"]),
            parse_credits(verifier_fee),
            say,
        )
        sweep.run("0x" + secrets.token_hex(32), timeout)
    rows = []
    for part in sweep.parts:
        write_outputs(to / f"part-{part.number}", part.outputs)
        rows.append(
            {
                "part": part.number,
                "provider": part.providers[-1] if part.providers else None,
                "bought": len(part.providers),
                "outcome": part.row.get("outcome"),
                "units": part.row.get("units"),
                "paid": format_credits(int(part.row.get("provider_paid") or 0)),
                "job": part.job,
                "trouble": part.trouble or None,
            }
        )
    missing = [part.number for part in sweep.parts if not part.done]
    joined = None
    if join is not None and not missing:
        lacking = next((part for part in sweep.parts if join not in part.outputs), None)
        if lacking:
            wrote = ", ".join(sorted(lacking.outputs)) or "nothing"
            raise ContentNotFound(f"part {lacking.number} wrote no {join}, but {wrote}: what came is in {to}")
        joined = to / join
        joined.write_bytes(b"".join(part.outputs[join] for part in sweep.parts))
    if as_json:
        print_json({"parts": rows, "joined": str(joined) if joined else None})
    else:
        print_rows(rows, ("part", "provider", "bought", "outcome", "units", "paid"), as_json=False, empty="no parts")
        if joined:
            progress_console.print(f"{joined}: {joined.stat().st_size} bytes of {len(rows)} parts")
    if missing:
        raise JobFailed(
            f"parts {', '.join(map(str, missing))} did not come: {sweep.parts[missing[0]].trouble or 'nobody ran them'}"
        )


def _filled(word: str, number: int, parts: int) -> str:
    return word.replace("{part}", str(number)).replace("{parts}", str(parts))
