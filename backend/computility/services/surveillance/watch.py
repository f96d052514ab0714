"""All rules, and after them the forest for what they miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from computility.services.surveillance import (
    colluding_committees,
    price_outliers,
    score_farming,
    self_dealing,
    spoofed_asks,
    unusual_accounts,
    voucher_abuse,
    wash_trading,
)
from computility.services.surveillance.facts import Alert, Facts

RULES: Final[dict[str, Callable[[Facts], Iterator[Alert]]]] = {
    rule.RULE: rule.find
    for rule in (
        wash_trading,
        self_dealing,
        colluding_committees,
        score_farming,
        price_outliers,
        spoofed_asks,
        voucher_abuse,
    )
}
"""By name."""


def watch(facts: Facts, *, forest: bool = True) -> list[Alert]:
    """Every alert. ``forest`` needs scikit-learn (the extra ``analysis``)."""
    alerts = [alert for find in RULES.values() for alert in find(facts)]
    if forest:
        named = {account for alert in alerts for account in alert.accounts}
        alerts += unusual_accounts.find(facts, named)
    return alerts


def skipped_rules(facts: Facts) -> dict[str, str]:
    """Rules that had nothing to look at, and why."""
    skipped = {}
    if all(trade.payer == trade.buyer for trade in facts.trades):
        skipped[voucher_abuse.RULE] = "nobody paid for another's job"
    if facts.asks is None:
        skipped[spoofed_asks.RULE] = "the ledger has no asks: name a node's database with --database"
    return skipped
