"""``computility audit export FOLDER``: the ledger as Parquet or CSV."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from computility.cli.audit.options import (
    DEFAULT_DEPLOYMENTS,
    DeploymentsOption,
    LedgerFileOption,
    TrustedBlockOption,
    need_analysis,
    open_source,
    tell_believed,
    with_progress,
)
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, print_record
from computility.cli.written_files import writing


class Format(StrEnum):
    """What to write."""

    PARQUET = "parquet"
    CSV = "csv"


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.")],
    kind: Annotated[Format, typer.Option("--format", help="Columns in Parquet, or text.")] = Format.PARQUET,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Write events, jobs, accounts and providers as files that DuckDB, pandas or a spreadsheet reads; docs/export.md has the schema.

    `duckdb -c "SELECT terms_provider, sum(provider_paid) FROM 'FOLDER/jobs.parquet' GROUP BY 1"`
    """
    with need_analysis():
        from computility.services.ledger_export import export_ledger
    from computility.services.ledger_history import read_history
    from computility.services.ledger_walk import walk

    with writing(folder):
        # Before the whole ledger is read.
        folder.mkdir(parents=True, exist_ok=True)
    with open_source(rpc, deployments, ledger, trusted_block) as (source, _):
        history = read_history(source.deployments, with_progress(walk(source), source, "reading the ledger"))
        tell_believed(source)
    with writing(folder):
        rows = export_ledger(history, folder, kind.value)
    print_record(
        {
            "folder": str(folder),
            "format": kind.value,
            "last_block": history.last_block,
            "last_hash": history.last_hash,
            **rows,
        },
        as_json=as_json,
    )
