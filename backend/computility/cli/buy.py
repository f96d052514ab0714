"""``computility buy``: run a program on somebody else's machine, with the payment in escrow."""

from __future__ import annotations

import json
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import ConfirmationsOption, YesOption
from computility.cli.output import JsonOption, console, print_json, print_record, progress_console
from computility.cli.service_level import print_service_level
from computility.cli.session import Session, confirm

if TYPE_CHECKING:
    from computility.domain.identifiers import Address, Bytes32
    from computility.domain.specification import Specification
    from computility.services.buyer import Buyer

_AMOUNTS = ("provider_paid", "fee", "refund", "bond_to_buyer")
_MIB = 1024 * 1024
_CORES_BESIDE_A_GPU = 4
_START_S = 30


@connected
def command(
    connection: Connection,
    program: Annotated[
        Path,
        typer.Argument(
            help="A WASI program (.wasm), or a program for an interpreter that the provider has (--with).",
            exists=True,
            dir_okay=False,
        ),
    ],
    argument: Annotated[list[str] | None, typer.Argument(help="Its arguments.")] = None,
    input_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--input",
            "-i",
            help="A file that the program may read, by its name; once for each.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    fuel: Annotated[
        int, typer.Option(min=1, help="Most WebAssembly fuel to pay for; a million is a unit.")
    ] = 5_000_000_000,
    interpreter: Annotated[
        str | None,
        typer.Option(
            "--with",
            help="Run it in the provider's sandbox by this command, like /opt/python/bin/python3. It finds its inputs beside it and writes to /out.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="With --with: run it in this OCI image, by digest (NAME@sha256:…), on a provider that runs containers."
        ),
    ] = None,
    seconds: Annotated[
        int,
        typer.Option(
            min=1, help="With --with: most seconds of processor to pay for, or of each GPU; a second is a unit."
        ),
    ] = 60,
    gpus: Annotated[int, typer.Option(min=0, help="With --with: GPUs that it needs.")] = 0,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="With --with: how the result is to be checked, as a JSON file; like examples/*/policy.json; run again unless given.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    memory_mib: Annotated[int, typer.Option("--memory", min=1, help="Most memory, in MiB.")] = 256,
    output_mib: Annotated[int, typer.Option("--output", min=1, help="Most output, in MiB.")] = 16,
    ask: Annotated[str | None, typer.Option(help="Id of the ask to take; the best one unless given.")] = None,
    verifier: Annotated[
        str | None,
        typer.Option(help="Who verifies; the node's committee unless given, or who the ask names in its place."),
    ] = None,
    verifier_fee: Annotated[str, typer.Option(help="Credits for the verifier.")] = "0",
    seal: Annotated[
        bool, typer.Option(help="Seal inputs and outputs: only you and the readers named with --reader can read them.")
    ] = False,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            help="With --seal: a reader key, once for each; those that provider and verifiers told in the journal unless given."
        ),
    ] = None,
    arbiter: Annotated[
        str | None,
        typer.Option(help="Who rules on a dispute: an address, or `panel` for the node's; nobody unless given."),
    ] = None,
    arbiter_fee: Annotated[
        str | None, typer.Option(help="Credits for the arbiter if it rules; what the panel asks for unless given.")
    ] = None,
    end_in: Annotated[
        int, typer.Option(min=0, help="Seconds after which the job must be over; 0 leaves it to the provider.")
    ] = 0,
    most: Annotated[str | None, typer.Option(help="Most credits to put into escrow.")] = None,
    to: Annotated[Path, typer.Option(help="Folder for what it produces.")] = Path("outputs"),
    timeout: Annotated[int, typer.Option(min=1, help="Seconds to follow the job.")] = 900,
    confirmations: ConfirmationsOption = 0,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Buy one run of a program: upload it, get a quote, open the job, wait for the verdict, fetch the result.

    You see who provides, verifies and arbitrates before you sign. What is not used comes back to your balance inside the escrow.
    """
    from computility.domain.errors import AmountOutOfRange, UnknownAsk
    from computility.domain.identifiers import ZERO_ADDRESS, parse_address, parse_bytes32
    from computility.domain.job_specification import Limits
    from computility.domain.task_specification import CommandLimits
    from computility.domain.units import format_credits, parse_credits
    from computility.services.buyer import Buyer, write_outputs
    from computility.services.node_client import NodeContentStore
    from computility.services.program import Program, command_of
    from computility.services.service_levels import service_level_of

    if interpreter is None and program.suffix != ".wasm":
        raise typer.BadParameter(f"{program.name} is no .wasm: say with what to run it (--with /usr/bin/python3)")
    if image is not None and interpreter is None:
        raise typer.BadParameter(
            "say with what the image is to run your program, like --with /bin/sh", param_hint="--image"
        )
    files = {path.name: path.read_bytes() for path in input_file or []}
    code = Program(program.name, program.read_bytes(), argument or [], files)
    limits = Limits(fuel=fuel, memory_bytes=memory_mib * _MIB, output_bytes=output_mib * _MIB, output_files=64)
    command_limits = CommandLimits(
        cpu_s=seconds if gpus == 0 else seconds * _CORES_BESIDE_A_GPU * gpus,
        wall_s=seconds if gpus else 2 * seconds + _START_S,
        memory_bytes=memory_mib * _MIB,
        scratch_bytes=memory_mib * _MIB // 4,
        processes=64,
        output_bytes=output_mib * _MIB,
        output_files=64,
        gpus=gpus,
    )
    verification = _policy(policy)
    with connection.session(confirmations=confirmations) as session:
        buyer = Buyer(session.account, session.node, confirmations)
        seed, clock_s = "0x" + secrets.token_hex(32), session.account.chain_time()
        kind = "container" if image else "process" if interpreter else "wasm"
        units = (gpus or 1) * seconds if interpreter else -(-fuel // 1_000_000)
        offers = [buyer.offer(parse_bytes32(ask))] if ask else buyer.offers(units=units, kind=kind)
        if not offers:
            raise UnknownAsk(
                f"nobody offers {units} units of {kind} now: allow less {'time' if interpreter else 'fuel'}, or look at `computility ask list`"
            )
        offer = offers[0]
        committee = session.config["committee"]
        usual = offer.usual_verifier(parse_address(committee["address"]) if committee else None)
        named = parse_address(verifier) if verifier else usual
        if named is None:
            raise typer.BadParameter("this deployment has no committee: name a verifier with --verifier")
        judge, judge_fee = _arbiter(session, arbiter, arbiter_fee)
        readers = (reader or _told_keys(session, offer.ask.provider, named)) if seal else []
        with progress_console.status("asking for a quote"):
            specification: Specification
            if interpreter:
                argv = shlex.split(interpreter)
                task = command_of(
                    argv, code, offer.ask.environment, command_limits, seed, clock_s, verification, image or ""
                )
                specification = buyer.upload_task(task, [code.module], files, readers)
            elif seal:
                specification = buyer.upload_sealed(code, offer.ask.environment, limits, seed, clock_s, readers)
            else:
                specification = buyer.upload(code, offer.ask.environment, limits, seed, clock_s)
            end = session.account.chain_time() + end_in if end_in else 0
            quoted = buyer.request_quote(
                offer,
                specification,
                verifier=named,
                verifier_fee=parse_credits(verifier_fee),
                arbiter=judge,
                arbiter_fee=judge_fee,
                end=end,
            )
        terms = quoted.terms
        if most is not None and terms.escrow > parse_credits(most):
            raise AmountOutOfRange(f"the escrow would be {format_credits(terms.escrow)} credits, and you allow {most}")
        if not as_json:
            console.print(
                f"provider  {terms.provider}\nverifier  {terms.verifier}\narbiter   {'nobody' if terms.arbiter == ZERO_ADDRESS else terms.arbiter}\n"
                f"escrow    {format_credits(terms.escrow)} credits for at most {terms.max_units} units\n"
                f"bond      {format_credits(terms.bond)} credits"
            )
            print_service_level(service_level_of(terms.sla, NodeContentStore(session.node)))
        confirm(f"Open job {quoted.job}?", yes=yes)
        opened = buyer.open(quoted)
        _follow(buyer, quoted.job, timeout)
        row = buyer.closed_row(quoted.job)
        answer: dict[str, Any] = {"job": quoted.job, "opened_tx": opened.tx_hash, "state": "closed"}
        for name in ("outcome", "closed_by", "units", *_AMOUNTS):
            answer[name] = row[name]
        if row["outcome"] in ("pass", "claim") and row["units"] == "0":
            # Says why: the provider's excuse is what the job's result names.
            session.node.outputs(quoted.job)
        if row["outcome"] in ("pass", "claim") and row["result"]:
            _, outputs = buyer.outputs(parse_bytes32(row["result"]))
            outputs = buyer.opened(quoted.job, specification, outputs)
            answer["files"] = [str(path) for path in write_outputs(to, outputs)]
    if as_json:
        print_json(answer)
    else:
        paid = {name: format_credits(int(answer[name])) for name in _AMOUNTS if answer[name] is not None}
        print_record({**answer, **paid}, as_json=False)


def _told_keys(session: Session, provider: Address, verifier: Address) -> list[str]:
    """Reader keys that the provider, and the verifier or the members of the committee, told in the journal."""
    from computility.domain.identifiers import parse_address
    from computility.services.reader_keys import told_reader_keys

    committee = session.config["committee"]
    verifiers = [verifier]
    if committee and parse_address(committee["address"]) == verifier:
        verifiers = [parse_address(member) for member in committee["members"]]
    told = told_reader_keys(session.node, [provider, *verifiers], session.account.ledger.domain)
    if provider not in told:
        raise typer.BadParameter(
            f"{provider} told no reader key in the journal, and without one it cannot run a sealed job: ask it for its key",
            param_hint="--reader",
        )
    for account, key in told.items():
        progress_console.print(
            f"sealed to {'provider' if account == provider else 'verifier'} {account}, reader key {key}", soft_wrap=True
        )
    if len(told) == 1:
        progress_console.print(
            "No verifier told a reader key, so none can tell whether the result is right: a provider wants an arbiter then."
        )
    return list(told.values())


def _policy(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        policy = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}", param_hint="--policy") from None
    if not isinstance(policy, dict):
        raise typer.BadParameter(f'{file} is no JSON object like {{"method": "hash-equality"}}', param_hint="--policy")
    return policy


def _arbiter(session: Session, arbiter: str | None, fee: str | None) -> tuple[Address, int]:
    """Who rules, and for how much."""
    from computility.domain.identifiers import ZERO_ADDRESS, parse_address
    from computility.domain.units import parse_credits
    from computility.services.arbiter_seat import ArbiterSeat

    if arbiter is None:
        return ZERO_ADDRESS, 0
    if arbiter != "panel":
        return parse_address(arbiter), parse_credits(fee or "0")
    panel = ArbiterSeat(session.account)
    return panel.address, parse_credits(fee) if fee else panel.cost()


def _follow(buyer: Buyer, job: Bytes32, timeout: int) -> None:
    with progress_console.status("open: waiting for the provider") as status:
        for watched in buyer.follow(job, timeout):
            status.update(f"{watched.chain.state.name.lower()}: waiting")
