"""``computility provider``: enter the registry, and run the agent that quotes, runs jobs and collects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from computility.domain.identifiers import Address

group = typer.Typer(help="Offer computing power: register, then run the agent.", no_args_is_help=True)


@group.command()
def register(
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    escrow: EscrowOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Enter the provider registry with the stake that it demands, from the wallet."""
    from computility.domain.units import format_credits

    with open_session(node, rpc, keystore, password_file, escrow=escrow) as session:
        account = session.account
        if account.is_active_provider():
            print_record({"provider": account.address, "active": True, "tx": None}, as_json=as_json)
            return
        stake = int(account.registry.read("rules")[0])
        confirm(f"Stake {format_credits(stake)} credits as provider {account.address}?", yes=yes)
        receipts = account.register_provider()
    print_record({"provider": account.address, "active": True, "tx": receipts[-1].tx_hash}, as_json=as_json)


@group.command()
def serve(
    parallel: Annotated[int, typer.Option(min=1, help="Jobs that run at one time.")] = 2,
    verifier: Annotated[
        list[str] | None,
        typer.Option(help="Verifier that you accept beside those in your asks; the node's committee unless given."),
    ] = None,
    arbiter: Annotated[
        list[str] | None, typer.Option(help="Arbiter that you accept beside those in your asks.")
    ] = None,
    patience: Annotated[int, typer.Option(min=0, help="Seconds to wait for verifiers before claiming.")] = 60,
    patience_for: Annotated[
        list[str] | None, typer.Option(help="Other patience for one verifier: ADDRESS=SECONDS. Repeat for more.")
    ] = None,
    propose_before_end: Annotated[
        int, typer.Option(min=1, help="Seconds before a job's end at which to claim in any case.")
    ] = 30,
    job_timeout: Annotated[int, typer.Option(min=1, help="Seconds that one run may take on this machine.")] = 300,
    node: NodeOption = DEFAULT_NODE,
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    escrow: EscrowOption = None,
    confirmations: ConfirmationsOption = 0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the agent until Ctrl-C: answer quote requests, run jobs, submit results, bring attestations to the chain, claim.

    It needs outbound connections only and keeps no state: stop and start it whenever you like.
    """
    from computility.domain.identifiers import parse_address
    from computility.domain.quoting import ProviderPolicy
    from computility.execution.wasm.executor import WasmExecutor
    from computility.services.provider_agent import ProviderAgent, ProviderSettings

    set_up_log(verbose=verbose)
    with open_session(
        node, rpc, keystore, password_file, escrow=escrow, confirmations=confirmations, wait_s=SERVICE_WAITS_S
    ) as session:
        committee = session.config["committee"]
        accepted = verifier or ([committee["address"]] if committee else [])
        agent = ProviderAgent(
            session.account,
            session.node,
            WasmExecutor(timeout_s=job_timeout),
            ProviderPolicy(
                verifiers=[parse_address(address) for address in accepted],
                arbiters=[parse_address(address) for address in arbiter or []],
            ),
            ProviderSettings(
                confirmations=confirmations,
                parallel_jobs=parallel,
                patience_s=patience,
                patience_for_s=dict(_patience_for(entry) for entry in patience_for or []),
                propose_before_end_s=propose_before_end,
            ),
        )
        serve_until_signalled(agent.run)


def _patience_for(entry: str) -> tuple[Address, int]:
    from computility.domain.errors import InvalidIdentifier
    from computility.domain.identifiers import parse_address

    verifier, equals, seconds = entry.partition("=")
    try:
        address = parse_address(verifier)
    except InvalidIdentifier as error:
        raise typer.BadParameter(f"{entry!r}: {error}", param_hint="--patience-for") from None
    if not equals or not seconds.isdecimal():
        raise typer.BadParameter(f"{entry!r} is not ADDRESS=SECONDS", param_hint="--patience-for")
    return address, int(seconds)
