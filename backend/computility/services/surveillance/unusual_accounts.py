"""What the rules miss: accounts whose behaviour stands apart, by an isolation forest (Liu, Ting and Zhou, 2008) on features of each account."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Final

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, Facts, TradeFact

RULE: Final = "unusual-account"
_MIN_ACCOUNTS: Final = 30
_MIN_TRADES: Final = 5
_FLAGGED_SHARE: Final = 0.02
_SEED: Final = 20_240
_DAY_S: Final = 86_400
_FEATURES: Final = (
    "trades",
    "counterparties_per_trade",
    "largest_counterparty_share",
    "fails_share",
    "unanswered_share",
    "mean_log_value",
    "spread_of_log_value",
    "mean_log_price",
    "burst_share",
)


def find(facts: Facts, known: Collection[Address]) -> Iterator[Alert]:
    """The most isolated two in a hundred accounts with five trades and more, less those that rules named. Nothing below thirty accounts."""
    from sklearn.ensemble import IsolationForest

    accounts = [
        (account, role, trades)
        for role, groups in (("provider", facts.by_provider), ("buyer", facts.by_buyer))
        for account, trades in sorted(groups.items())
        if len(trades) >= _MIN_TRADES
    ]
    for role in ("provider", "buyer"):
        peers = [(account, trades) for account, of, trades in accounts if of == role]
        if len(peers) < _MIN_ACCOUNTS:
            continue
        rows = [_features(trades, role) for _, trades in peers]
        forest = IsolationForest(n_estimators=200, random_state=_SEED).fit(rows)
        ranked = sorted(zip(forest.score_samples(rows), peers, rows, strict=True), key=lambda entry: entry[0])
        for score, (account, trades), row in ranked[: math.ceil(_FLAGGED_SHARE * len(peers))]:
            if account not in known:
                yield Alert(
                    RULE,
                    (account,),
                    tuple(trade.job for trade in trades[:20]),
                    f"{role} {account} behaves unlike the others",
                    {
                        "isolation": round(float(-score), 3),
                        **dict(zip(_FEATURES, (round(v, 3) for v in row), strict=True)),
                    },
                )


def _features(trades: list[TradeFact], role: str) -> list[float]:
    count = len(trades)
    others = [trade.buyer if role == "provider" else trade.provider for trade in trades]
    values = [math.log1p(trade.value) for trade in trades]
    mean = sum(values) / count
    days = [trade.opened_at // _DAY_S for trade in trades]
    return [
        math.log(count),
        len(set(others)) / count,
        max(others.count(other) for other in set(others)) / count,
        sum(trade.passed is False for trade in trades) / count,
        sum(trade.passed is None for trade in trades) / count,
        mean,
        math.sqrt(sum((value - mean) ** 2 for value in values) / count),
        sum(math.log1p(trade.unit_price) for trade in trades) / count,
        max(days.count(day) for day in set(days)) / count,
    ]
