"""``computility audit report FOLDER``: a period as an HTML page and a PDF."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from computility.cli.output import JsonOption, print_record, progress_console
from computility.cli.written_files import writing
from computility.domain.units import format_credits

if TYPE_CHECKING:
    from computility.domain.identifiers import Bytes32

_DATES = ["%Y-%m-%d"]


def command(
    folder: Annotated[Path, typer.Argument(help="Where to write report.html, report.pdf and proofs/.")],
    since: Annotated[
        datetime | None, typer.Option(formats=_DATES, help="First day, UTC; 30 days before the last by default.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DATES, help="Last day, UTC; the newest block's by default.")
    ] = None,
    most_proofs: Annotated[
        int | None,
        typer.Option("--most-proofs", min=0, help="Prove no more jobs than so many; every one by default."),
    ] = None,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Report a period with pictures: volumes, prices, outcomes, concentration, every exception with its proof, and what surveillance suspects.

    With an endpoint, the proof of each exception is written beside the report and linked; from a --ledger file there are none.
    """
    with need_analysis():
        from computility.services.report_document import html_of, pdf_of
        from computility.services.surveillance.watch import watch
    from rich.progress import track

    from computility.services.ledger_history import read_history
    from computility.services.ledger_report import DAY_S, make_report
    from computility.services.ledger_walk import walk
    from computility.services.proof_builder import ProofBuilder
    from computility.services.surveillance.facts import facts_of

    proofs: dict[Bytes32, str] = {}
    if since and until and since > until:
        # Before the whole ledger is read.
        raise typer.BadParameter("--since has to be before --until")
    with writing(folder):
        # Before the whole ledger is read.
        (folder / "proofs").mkdir(parents=True, exist_ok=True)
    with open_source(rpc, deployments, ledger, trusted_block) as (source, chain):
        history = read_history(source.deployments, with_progress(walk(source), source, "reading the ledger"))
        tell_believed(source)
        last = until.replace(tzinfo=UTC) if until else datetime.fromtimestamp(history.last_timestamp, UTC)
        end = (int(last.timestamp()) // DAY_S + 1) * DAY_S
        start = int((since.replace(tzinfo=UTC) if since else last - timedelta(days=30)).timestamp()) // DAY_S * DAY_S
        if start >= end:
            raise typer.BadParameter("--since has to be before the last block's day, or --until")
        report = make_report(history, start, end, watch(facts_of(history)))
        wanted = [found.job for found in report.exceptions] + [alert.jobs[0] for alert in report.alerts if alert.jobs]
        builder = ProofBuilder(chain, source.deployments) if chain else None
        for job in track(
            list(dict.fromkeys(wanted))[:most_proofs] if builder else [],
            "proving",
            console=progress_console,
            transient=True,
        ):
            assert builder is not None
            bundle, _ = builder.build(job)
            with writing(folder):
                (folder / "proofs" / f"{job}.proof.json").write_bytes(bundle)
            proofs[job] = f"proofs/{job}.proof.json"
    page, pages = html_of(report, proofs), pdf_of(report, proofs)
    with writing(folder):
        (folder / "report.html").write_text(page, encoding="utf-8")
        (folder / "report.pdf").write_bytes(pages)
    print_record(
        {
            "html": str(folder / "report.html"),
            "pdf": str(folder / "report.pdf"),
            "jobs_closed": report.closed,
            "volume": str(report.volume) if as_json else f"{format_credits(report.volume)} credits",
            "hhi": report.hhi,
            "exceptions": len(report.exceptions),
            "proofs": len(proofs),
            "suspicions": len(report.alerts),
        },
        as_json=as_json,
    )
