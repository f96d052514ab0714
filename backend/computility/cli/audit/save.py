"""``computility audit save FILE``: the whole ledger with its proofs, to audit it offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from computility.cli.audit.options import (
    DEFAULT_DEPLOYMENTS,
    DeploymentsOption,
    TrustedBlockOption,
    open_source,
    tell_believed,
    with_progress,
)
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, print_record
from computility.cli.written_files import writing


def command(
    file: Annotated[Path, typer.Argument(help="Where to write; .gz is a usual ending.")],
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Save every header, and every receipt of the blocks that concern the ledger, into one file.

    `conserve`, `replay`, `export`, `watch` and `report` read it with --ledger, offline, and prove it anew; whoever reads it
    needs deployment records of its own. Compare the last block's hash with a source that you trust.
    """
    from computility.services.ledger_source import save_ledger

    last = None
    events = 0
    with open_source(rpc, deployments, None, trusted_block) as (source, _), writing(file):
        for block in with_progress(save_ledger(source, file), source, "saving"):
            last = block.header
            events += len(block.logs)
        tell_believed(source)
    print_record(
        {
            "file": str(file),
            "bytes": file.stat().st_size,
            "logs": events,
            "last_block": last.number if last else None,
            "last_hash": last.hash if last else None,
        },
        as_json=as_json,
    )
