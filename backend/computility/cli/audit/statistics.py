"""``computility audit statistics``: what the trades add up to, from the chain itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from computility.cli.audit.options import (
    DEFAULT_DEPLOYMENTS,
    DeploymentsOption,
    LedgerFileOption,
    TrustedBlockOption,
    open_source,
    tell_believed,
    with_progress,
)
from computility.cli.options import DEFAULT_RPC, RpcOption
from computility.cli.output import JsonOption, print_rows
from computility.domain.units import format_credits

_COLUMNS = ("date", "opened", "closed", "failed", "disputed", "volume", "mean_price", "use_bps", "hhi")
_SHOWN = ("opened", "closed", "passed", "failed", "claimed", "excused", "disputed", "ruled", "agreed", "reclaimed")


def command(
    resource: Annotated[str | None, typer.Option(help="Of one resource (its id) instead of the market.")] = None,
    provider: Annotated[str | None, typer.Option(help="Of one provider instead of the market.")] = None,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Add up the trades by day: volume, prices, use, outcomes, disputes, concentration. The last row is the sum of all days.

    Every event is proven against its block's hash; nothing is asked of a node's database. Amounts are credits; atoms of them with --json.
    """
    from computility.domain.identifiers import parse_address, parse_bytes32
    from computility.domain.statistics import DAY_S, TOTAL, Scope, concentration
    from computility.services.ledger_history import read_history
    from computility.services.ledger_walk import walk

    if resource and provider:
        raise typer.BadParameter("name a resource or a provider, not both")
    scope = Scope.RESOURCE if resource else Scope.PROVIDER if provider else Scope.MARKET
    subject = parse_bytes32(resource) if resource else parse_address(provider) if provider else ""
    with open_source(rpc, deployments, ledger, trusted_block) as (source, _):
        history = read_history(source.deployments, with_progress(walk(source), source, "adding up"))
        tell_believed(source)
    sums = history.ledger.statistics()
    days = sorted({day for of, day, about in sums if (of, about) == (scope, subject)} - {TOTAL})
    rows: list[dict[str, Any]] = []
    for day in [*days, TOTAL] if days else []:
        tally = sums[scope, day, subject]
        sold = [found.volume for (of, when, _), found in sums.items() if (of, when) == (Scope.PROVIDER, day)]
        rows.append(
            {
                "date": "all" if day == TOTAL else datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat(),
                **{name: getattr(tally, name) for name in _SHOWN},
                "volume": str(tally.volume),
                "fees": str(tally.fees),
                "refunds": str(tally.refunds),
                "slashed": str(tally.slashed),
                "units": str(tally.units),
                "mean_price": None if tally.mean_price is None else str(tally.mean_price),
                "use_bps": tally.use_bps,
                "hhi": concentration(sold).hhi if scope is Scope.MARKET else None,
            }
        )
    if not as_json:
        for row in rows:
            row |= {name: format_credits(int(row[name])) for name in ("volume", "mean_price") if row[name] is not None}
    print_rows(rows, _COLUMNS, as_json=as_json, empty="nobody has traded")
