"""``computility audit code``: is the deployed code what the sources compile to?"""

from __future__ import annotations

import typer

from computility.cli.audit.options import DEFAULT_DEPLOYMENTS, DeploymentsOption, open_chain
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, console, print_json, print_rows

EXIT_DIFFERS = 3


def command(
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Compare the code of every deployed contract with the packaged artifacts, immutables and metadata accounted for. Exits 3 when one differs.

    In a checkout, `python scripts/compile.py --check` proves that the artifacts are what the sources compile to. Ask more than one endpoint: the
    code that one answers with is its word.
    """
    from dataclasses import asdict

    from computility.services.code_audit import audit_code

    with open_chain(rpc, deployments) as (chain, deployed):
        block = chain.rpc.block_number()
        found = audit_code(chain.rpc, deployed, block)
    same = all(entry.same_code for entry in found)
    if as_json:
        print_json({"same_code": same, "block": block, "contracts": [asdict(entry) for entry in found]})
    else:
        rows = [asdict(entry) for entry in found]
        print_rows(rows, ("contract", "address", "same_code", "same_metadata", "difference"), as_json=False, empty="")
        for entry in found:
            for variable, value in entry.immutables.items():
                console.print(f"{entry.contract}.{variable} = {value}")
    if not same:
        raise typer.Exit(EXIT_DIFFERS)
