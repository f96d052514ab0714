"""``computility audit watch``: suspicions over the ledger, each with its evidence."""

from __future__ import annotations

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
from computility.cli.output import JsonOption, console, print_json, print_rows


def command(
    database: Annotated[
        str | None,
        typer.Option(help="A node's database, for its asks: only spoofed asks need it.", envvar="DATABASE_URL"),
    ] = None,
    forest: Annotated[
        bool, typer.Option(help="Also look for unusual accounts that no rule names (needs the extra `analysis`).")
    ] = True,
    ledger: LedgerFileOption = None,
    trusted_block: TrustedBlockOption = None,
    rpc: RpcOption = DEFAULT_RPC,
    deployments: DeploymentsOption = DEFAULT_DEPLOYMENTS,
    as_json: JsonOption = False,
) -> None:
    """Look for wash trading, self-dealing, colluding committees, score farming, price outliers, spoofed asks, and accounts unlike the others.

    An alert is a suspicion with its evidence, not a verdict: prove a job with `computility audit proof JOB`, and look at it.
    `make -s bench BENCH=watch` prints each rule's precision, recall and false-positive rate on a labelled synthetic history.
    """
    from dataclasses import asdict

    from computility.services.ledger_history import read_history
    from computility.services.ledger_walk import walk
    from computility.services.surveillance.facts import facts_of
    from computility.services.surveillance.stored_facts import stored_asks
    from computility.services.surveillance.watch import skipped_rules, watch
    from computility.store.engine import open_to_read

    with open_source(rpc, deployments, ledger, trusted_block) as (source, _):
        history = read_history(source.deployments, with_progress(walk(source), source, "reading the ledger"))
        tell_believed(source)
    asks = None
    if database:
        store = open_to_read(database)
        try:
            with store.unit_of_work() as session:
                asks = stored_asks(session, history.deployments.chain_id)
        finally:
            store.close()
    facts = facts_of(history, asks)
    with need_analysis():
        alerts = watch(facts, forest=forest)
    skipped = skipped_rules(facts)
    if as_json:
        print_json(
            {
                "last_block": history.last_block,
                "last_hash": history.last_hash,
                "trades": len(facts.trades),
                "alerts": [asdict(alert) for alert in alerts],
                "skipped": skipped,
            }
        )
        return
    rows = [{"rule": alert.rule, "what": alert.what, "evidence": f"{len(alert.jobs)} jobs"} for alert in alerts]
    print_rows(
        rows, ("rule", "what", "evidence"), as_json=False, empty=f"Nothing suspicious in {len(facts.trades)} trades."
    )
    for rule, reason in skipped.items():
        console.print(f"not looked for: {rule}, as {reason}")
