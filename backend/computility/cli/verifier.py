"""``computility verifier``: join the committee, and run the node that checks jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from computility.cli.connection import Connection, connected
from computility.cli.options import (
    CheckDeviceOption,
    CheckedByOption,
    ConfirmationsOption,
    TeeCollateralOption,
    TeeLevelOption,
    TeeListOption,
    TeeMinimumOption,
    TeeReferenceOption,
    TeeRootOption,
    YesOption,
)
from computility.cli.output import JsonOption, print_record
from computility.cli.service import serve_until_signalled, set_up_log
from computility.cli.session import SERVICE_WAITS_S, Session, confirm

if TYPE_CHECKING:
    from computility.chain.transaction_sender import Receipt
    from computility.services.committee_seat import CommitteeSeat

group = typer.Typer(help="Check jobs for a fee: join the committee, then run the node.", no_args_is_help=True)


@group.command()
@connected
def join(connection: Connection, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Stake as a member of the verifier committee. The committee's owner has to have named you before.

    You serve once the committee's rotation delay is over: run the command again then, or leave it to `verifier serve`.
    """
    with connection.session() as session:
        confirm(f"Stake as verifier {session.account.address}?", yes=yes)
        seat = _seat(session)
        _print_seat(session, seat, seat.join(), as_json=as_json)


@group.command()
@connected
def leave(connection: Connection, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Ask to serve no longer; you serve on until the rotation delay is over. Run it again then, and `release` after the unbonding period."""
    with connection.session() as session:
        confirm(f"Leave the committee as {session.account.address}?", yes=yes)
        seat = _seat(session)
        _print_seat(session, seat, seat.leave(), as_json=as_json)


@group.command()
@connected
def release(connection: Connection, as_json: JsonOption = False) -> None:
    """Take the stake back, once you have left and the unbonding period is over."""
    with connection.session() as session:
        seat = _seat(session)
        _print_seat(session, seat, [seat.release()], as_json=as_json)


@group.command()
@connected
def claim(
    connection: Connection,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for shares that are not fixed yet.")] = 5.0,
    as_json: JsonOption = False,
) -> None:
    """Show the committee what you signed, and pay your shares of the fees out to the wallet."""
    from computility.domain.units import format_credits
    from computility.services.committee_fees import CommitteeFees

    with connection.session() as session:
        before = session.account.wallet_credits()
        done = CommitteeFees(session.account, session.node, _seat(session)).collect(wait)
        held = session.account.wallet_credits()
    record = {
        "paid": format_credits(held - before),
        "wallet_credits": format_credits(held),
        "claims": [receipt.tx_hash for receipt in done.claims],
        "withdrawals": [receipt.tx_hash for receipt in done.withdrawals],
        "waiting": dict(done.waiting),
    }
    print_record(record, as_json=as_json)


@group.command()
@connected
def slash(
    connection: Connection,
    job: Annotated[str, typer.Argument(help="The job on which the committee's arbiter ruled.")],
    as_json: JsonOption = False,
) -> None:
    """Prove that members signed what a ruling found wrong. A tenth of their stakes is yours, the rest the harmed party's."""
    from computility.domain.identifiers import parse_bytes32
    from computility.services.committee_fees import CommitteeFees

    job_id = parse_bytes32(job)
    with connection.session() as session:
        receipt = CommitteeFees(session.account, session.node, _seat(session)).slash(job_id)
    print_record({"job": job_id, "tx": receipt.tx_hash, "gas": receipt.gas_used}, as_json=as_json)


@group.command()
@connected
def rate(
    connection: Connection,
    provider: Annotated[str, typer.Argument(help="The provider's address.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows of each device's product.")] = 4_096,
    size: Annotated[int, typer.Option(min=8, help="Columns and inner dimension, in steps of 8.")] = 4_096,
    valid_days: Annotated[int, typer.Option(min=1, max=90, help="Days for which the ratings hold.")] = 7,
    confirmations: ConfirmationsOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Challenge everything that a provider claims to have, at once, and sign what was measured, attribute by attribute.

    The time counts from telling the work to seeing the answer, so the way to the node counts against the provider: take more rows and a larger size
    for faster devices. Ratings of processors are of the processor, and say so by their resource.
    """
    from computility.domain.identifiers import parse_address
    from computility.services.rater import Rater, RaterSettings

    whom = parse_address(provider)
    settings = RaterSettings(rows=rows, size=size, valid_s=valid_days * 86_400, confirmations=confirmations)
    with connection.session(confirmations=confirmations, wait_s=SERVICE_WAITS_S) as session:
        outcome = Rater(session.account, session.node, settings).rate(whom)
    record = {
        "provider": whom,
        "reason": outcome.reason,
        "elapsed_ms": outcome.elapsed_ms,
        "ratings": [statement.message.to_json() for statement in outcome.ratings],
    }
    print_record(record, as_json=as_json)


@group.command()
@connected
def probe(
    connection: Connection,
    provider: Annotated[str, typer.Argument(help="The provider's address.")],
    buyer_keystore: Annotated[
        Path,
        typer.Option(help="Key file of the account that orders. Nobody should know that it is yours: use one once."),
    ],
    buyer_password_file: Annotated[Path | None, typer.Option(help="File with that key file's password.")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the provider and the verifiers.")] = 600.0,
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    planted: Annotated[
        bool,
        typer.Option(
            "--planted",
            help="The provider is yours and answers this buyer wrongly (`plant_for` in its settings): see which verifiers look.",
        ),
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Order a job whose answer you know, as any buyer would, and see whether provider and verifiers did the work.

    The job looks like one that was traded before. A wrong answer is signed as a rating: your committee then runs all of that provider's jobs again.
    """
    from computility.domain.identifiers import parse_address
    from computility.execution.executor_set import ExecutorSet
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.prober import Prober

    whom = parse_address(provider)
    ordering = replace(connection, keystore=buyer_keystore, password_file=buyer_password_file)
    with connection.session() as session, ordering.session() as orders:
        confirm(f"Buy a job of {whom} as {orders.account.address}?", yes=yes)
        executors = ExecutorSet([WasmExecutor(timeout_s=job_timeout)])
        found = Prober(session.account, orders.account, orders.node, executors).probe(whom, timeout, planted=planted)
    record = {
        "provider": whom,
        "job": found.job,
        "answer": found.reason,
        "expected": found.expected,
        "mistaken_verifiers": list(found.mistaken),
        "rating": found.rating.id if found.rating else None,
    }
    print_record(record, as_json=as_json)


def _seat(session: Session) -> CommitteeSeat:
    """The account's place in the committee."""
    from computility.services.committee_seat import CommitteeSeat

    return CommitteeSeat(session.account)


def _print_seat(session: Session, seat: CommitteeSeat, sent: Sequence[Receipt], *, as_json: bool) -> None:
    duty, _ = seat.duty()
    record = {
        "verifier": session.account.address,
        "duty": duty.name.lower(),
        "changes_at": seat.rotation_due(),
        "tx": sent[-1].tx_hash if sent else None,
    }
    print_record(record, as_json=as_json)


@group.command()
@connected
def serve(
    connection: Connection,
    parallel: Annotated[int, typer.Option(min=1, help="Jobs that are checked at one time.")] = 1,
    config: CheckedByOption = None,
    least_fee: Annotated[str, typer.Option(help="Credits below which a job is not checked.")] = "0",
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    tee_root: TeeRootOption = None,
    tee_crl: TeeListOption = None,
    tee_collateral: TeeCollateralOption = None,
    tee_level: TeeLevelOption = None,
    tee_minimum: TeeMinimumOption = None,
    tee_reference: TeeReferenceOption = None,
    device: CheckDeviceOption = None,
    rate_every: Annotated[
        float, typer.Option(min=0, help="Seconds between hardware challenges to providers, on average; 0 makes none.")
    ] = 0,
    probe_every: Annotated[
        float, typer.Option(min=0, help="Seconds between known-answer probes of providers, on average; 0 makes none.")
    ] = 0,
    probe_keystore: Annotated[
        list[Path] | None,
        typer.Option(help="Key file of an account that orders probes, which nobody knows to be yours; once for each."),
    ] = None,
    probe_password_file: Annotated[Path | None, typer.Option(help="File with those key files' password.")] = None,
    probe_budget: Annotated[str, typer.Option(help="Credits that the probes of a day may escrow.")] = "1",
    confirmations: ConfirmationsOption = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Check submitted jobs until Ctrl-C, by running them again or as their specifications say, and sign what comes out.

    Jobs are served that name this account as verifier, or the committee and whose panel this account is drawn for.
    """
    from computility.domain.errors import ExecutorUnfit, InvalidMessage
    from computility.domain.units import parse_credits
    from computility.execution.executor_set import ExecutorSet
    from computility.execution.sealed_executor import SealedExecutor
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.check_device import product_methods
    from computility.services.node_client import NodeContentStore
    from computility.services.probe_keeper import ProbeKeeper, ProbeSettings
    from computility.services.prober import Prober
    from computility.services.provider_config import AUTO, read_provider_config
    from computility.services.provider_role import executors_of
    from computility.services.rater import Rater, RaterSettings
    from computility.services.reader_keys import telling_its_reader_key
    from computility.services.tee_roots import tee_methods
    from computility.services.verifier_node import VerifierNode, VerifierSettings

    set_up_log(verbose=verbose)
    fee, budget = parse_credits(least_fee), parse_credits(probe_budget)
    if probe_every and not probe_keystore:
        raise InvalidMessage("probes need an account that orders them: --probe-keystore FILE")
    with contextlib.ExitStack() as open_sessions:
        session = open_sessions.enter_context(connection.session(confirmations=confirmations, wait_s=SERVICE_WAITS_S))
        seat = _seat(session) if session.config["committee"] else None
        reader = session.account.reader_key()
        executors = ExecutorSet([SealedExecutor(WasmExecutor(timeout_s=job_timeout), reader)])
        if config is not None:
            settings = read_provider_config(config)
            device = device or settings.verifier.device
            executors = executors_of(settings, reader)
            if not executors:
                raise ExecutorUnfit(f"nothing that {config} offers runs on this machine: {dict(executors.left_out)}")
        verifier = VerifierNode(
            session.account,
            session.node,
            executors,
            seat,
            VerifierSettings(
                confirmations=confirmations, parallel_jobs=parallel, least_fee=fee, rate_every_s=rate_every
            ),
            {
                **product_methods(device or AUTO, NodeContentStore(session.node)),
                **tee_methods(
                    tee_root or [],
                    NodeContentStore(session.node),
                    tee_crl or [],
                    tee_collateral or [],
                    tee_level or [],
                    tee_minimum,
                    tee_reference or [],
                ),
            },
            Rater(session.account, session.node, RaterSettings(confirmations=confirmations)),
        )
        run = telling_its_reader_key(verifier.run, session.account, session.node)
        if probe_every:
            known = ExecutorSet([WasmExecutor(timeout_s=job_timeout)])
            ordering = [
                open_sessions.enter_context(
                    replace(connection, keystore=keystore, password_file=probe_password_file).session()
                )
                for keystore in probe_keystore or []
            ]
            probers = [Prober(session.account, orders.account, orders.node, known) for orders in ordering]
            run = ProbeKeeper(session.account, session.node, probers, ProbeSettings(probe_every, budget)).beside(run)
        serve_until_signalled(run)
