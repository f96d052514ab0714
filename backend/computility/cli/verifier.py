"""``computility verifier``: join the committee, and run the node that checks jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from computility.cli.options import (
    DEFAULT_KEYSTORE,
    DEFAULT_NODE,
    DEFAULT_RPC,
    ConfirmationsOption,
    EscrowOption,
    KeystoreOption,
    NodeOption,
    PasswordFileOption,
    RpcOption,
    YesOption,
)
from computility.cli.output import JsonOption, print_record
from computility.cli.service import serve_until_signalled, set_up_log
from computility.cli.session import SERVICE_WAITS_S, confirm, open_session

group = typer.Typer(help="Check jobs for a fee: join the committee, then run the node.", no_args_is_help=True)


@group.command()
def join(
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    escrow: EscrowOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stake as a member of the verifier committee. The committee's owner has to have named you before."""
    with open_session(node, rpc, keystore, password_file, escrow=escrow) as session:
        confirm(f"Stake as verifier {session.account.address}?", yes=yes)
        receipts = session.account.join_committee()
    tx = receipts[-1].tx_hash if receipts else None
    print_record({"verifier": session.account.address, "member": True, "tx": tx}, as_json=as_json)


@group.command()
def collect(
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    escrow: EscrowOption = None,
    as_json: JsonOption = False,
) -> None:
    """Share the committee's fees among its members, and pay yours out to the wallet."""
    from computility.domain.units import format_credits

    with open_session(node, rpc, keystore, password_file, escrow=escrow) as session:
        receipts = session.account.collect_committee_fees()
        held = session.account.wallet_credits()
    print_record({"wallet_credits": format_credits(held), "tx": receipts[-1].tx_hash}, as_json=as_json)


@group.command()
def serve(
    parallel: Annotated[int, typer.Option(min=1, help="Jobs that are checked at one time.")] = 1,
    least_fee: Annotated[str, typer.Option(help="Credits below which a job is not checked.")] = "0",
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    escrow: EscrowOption = None,
    confirmations: ConfirmationsOption = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run submitted jobs again until Ctrl-C, and sign what comes out.

    Jobs are served that name this account as verifier, or the committee while this account is its member.
    """
    from computility.domain.identifiers import parse_address
    from computility.domain.units import parse_credits
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.verifier_node import VerifierNode, VerifierSettings

    set_up_log(verbose=verbose)
    fee = parse_credits(least_fee)
    with open_session(
        node, rpc, keystore, password_file, escrow=escrow, confirmations=confirmations, wait_s=SERVICE_WAITS_S
    ) as session:
        serves = [session.account.address]
        committee = session.config["committee"]
        if committee is not None:
            serves.append(parse_address(committee["address"]))
        verifier = VerifierNode(
            session.account,
            session.node,
            WasmExecutor(timeout_s=job_timeout),
            serves,
            VerifierSettings(confirmations=confirmations, parallel_jobs=parallel, least_fee=fee),
        )
        serve_until_signalled(verifier.run)
