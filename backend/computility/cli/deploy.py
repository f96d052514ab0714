"""``computility deploy``: a new generation of contracts on a development chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from computility.cli.options import DEFAULT_KEYSTORE, DEFAULT_RPC, KeystoreOption, PasswordFileOption, RpcOption
from computility.cli.output import JsonOption, print_record, progress_console
from computility.cli.session import password


def command(
    rpc: RpcOption = DEFAULT_RPC,
    keystore: KeystoreOption = DEFAULT_KEYSTORE,
    password_file: PasswordFileOption = None,
    verifier: Annotated[
        list[str] | None, typer.Option(help="A member of the verifier committee; give it once for each.")
    ] = None,
    arbiter: Annotated[
        list[str] | None, typer.Option(help="An arbiter who may join the panel; give it once for each.")
    ] = None,
    threshold: Annotated[int, typer.Option(min=1, help="Members that have to sign.")] = 2,
    panel: Annotated[int, typer.Option(min=1, help="Members that are drawn for each job.")] = 3,
    court: Annotated[
        str | None, typer.Option(help="A court of ERC-792: parties may then name it as arbiter, by a CourtArbiter.")
    ] = None,
    court_data: Annotated[str, typer.Option(help="What that court wants to be told with each dispute, in hex.")] = "0x",
    reputation: Annotated[
        str | None, typer.Option(help="ERC-8004's reputation registry, for settled jobs to be exported to.")
    ] = None,
    validation: Annotated[str | None, typer.Option(help="ERC-8004's validation registry, likewise.")] = None,
    timelock_delay: Annotated[
        int, typer.Option(min=0, help="Seconds before a change of parameters takes effect.")
    ] = 172_800,
    folder: Annotated[Path, typer.Option(help="Folder to record the deployment in.")] = Path("deployments"),
    as_json: JsonOption = False,
) -> None:
    """Deploy all contracts and record where they are.

    The key behind the keystore pays for gas, proposes changes to the timelock, and is treasury and guardian of this development
    deployment. Chains other than 31337 and 1337 are refused until the whole protocol has landed.
    """
    from computility.chain.connection import ChainConnection
    from computility.chain.keystore import load_keystore
    from computility.chain.rpc import RpcClient
    from computility.chain.transaction_sender import TransactionSender
    from computility.domain.identifiers import Address, parse_address
    from computility.services.deployer import DeploymentPlan, deploy_generation

    if (reputation is None) != (validation is None):
        raise typer.BadParameter("name both of ERC-8004's registries, or none", param_hint="--reputation, --validation")
    try:
        extra_data = bytes.fromhex(court_data.removeprefix("0x"))
    except ValueError:
        raise typer.BadParameter(f"{court_data!r} is not hexadecimal", param_hint="--court-data") from None
    members = [parse_address(member) for member in verifier or []]
    client = RpcClient(rpc)
    chain_number = client.chain_number()
    path = keystore.expanduser()
    account = load_keystore(path, password(password_file, path))
    owner = Address(account.address)
    plan = DeploymentPlan(
        proposers=[owner],
        treasury=owner,
        guardian=owner,
        committee=members,
        arbiters=[parse_address(account) for account in arbiter or []],
        threshold=threshold,
        panel_size=panel,
        timelock_delay_s=timelock_delay,
        court=parse_address(court) if court else None,
        court_extra_data=extra_data,
        agent_registries=(parse_address(reputation), parse_address(validation)) if reputation and validation else None,
    )
    sender = TransactionSender(client, account, chain_number)
    with progress_console.status("deploying") as status:
        result = deploy_generation(ChainConnection(client), sender, plan, folder, status.update)
    newest = result.deployments.newest
    print_record(
        {
            "chain_id": result.deployments.chain_id,
            "generation": newest.number,
            "block": newest.block,
            "file": str(result.file),
            "contracts": dict(newest.contracts),
            "gas": result.gas,
        },
        as_json=as_json,
    )
