"""``computility audit conserve``: does the money add up?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from computility.cli.audit.options import (
    DEFAULT_DEPLOYMENTS,
    DeploymentsOption,
    LedgerFileOption,
    TrustedBlockOption,
    open_source,
    with_progress,
)
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, console, print_json, print_record
from computility.domain.units import format_credits

if TYPE_CHECKING:
    from computility.services.conservation import ConservationReport

EXIT_IMBALANCE = 3


def command(
    every_block: Annotated[
        bool,
        typer.Option(
            "--every-block",
            help="Ask the contract for each touched account after each block, not only at the end: slow, thorough.",
        ),
    ] = False,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Balance deposits, locks, payouts, fees, slashes and withdrawals to the last unit, and against the contract's own balances.

    Names the first block and account that do not add up, and exits 3. The node is not believed: every event is proven against its block's hash.
    """
    from computility.services.conservation import Conservation

    with open_source(rpc, deployments, ledger, trusted_block) as (source, chain):
        conservation = Conservation(source, chain, every_block=every_block)
        for _ in with_progress(conservation.check(), source, "balancing"):
            pass
        report = conservation.report()
        believed = source.anchors.believed(report.last_block)
    print_conservation(report, believed, as_json=as_json)
    if not report.conserved:
        raise typer.Exit(EXIT_IMBALANCE)


def in_credits(totals: dict[str, str]) -> dict[str, str]:
    """Sums in atoms as people read them."""
    return {f"{name}, credits": format_credits(int(amount)) for name, amount in totals.items()}


def conservation_document(report: ConservationReport) -> dict[str, Any]:
    """The report as JSON holds it: amounts are strings."""
    from dataclasses import asdict

    document = asdict(report)
    document["totals"] = {name: str(amount) for name, amount in report.totals.items()}
    document["donated"] = str(report.donated)
    if report.imbalance:
        document["imbalance"] |= {"expected": str(report.imbalance.expected), "found": str(report.imbalance.found)}
    return document


def print_conservation(report: ConservationReport, believed: dict[str, Any], *, as_json: bool) -> None:
    """Print what was balanced, and what was believed of the ledger."""
    from computility.services.ledger_anchors import believed_in_words

    document = conservation_document(report)
    if as_json:
        print_json({**document, "believed": believed})
    else:
        totals = in_credits(document.pop("totals"))
        donated = format_credits(int(document.pop("donated")))
        print_record({**document, "donated": donated, **totals}, as_json=False)
        console.print(believed_in_words(believed))
