"""Price outliers: trades far from what the same resource, or else the whole market, trades at."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from computility.services.surveillance.facts import Alert, Facts, TradeFact

RULE: Final = "price-outlier"
_MIN_TRADES: Final = 8
_DEVIATIONS: Final = 6.0
_MIN_RATIO: Final = 3.0
_MAD_TO_SIGMA: Final = 1.4826
_LEAST_SPREAD: Final = 0.05


def find(facts: Facts) -> Iterator[Alert]:
    """By buyer and provider: prices six robust deviations (median absolute deviation of logarithms) and three times off the median."""
    groups: dict[str, list[TradeFact]] = defaultdict(list)
    priced = [trade for trade in facts.trades if trade.unit_price > 0]
    for trade in priced:
        groups[trade.resource].append(trade)
    everything = _usual(priced)
    usual = {resource: _usual(peers) or everything for resource, peers in groups.items()}
    outliers: dict[tuple[str, str], list[tuple[TradeFact, float]]] = defaultdict(list)
    for trade in priced:
        found_usual = usual[trade.resource]
        if found_usual is None:
            continue
        centre, spread = found_usual
        distance = math.log(trade.unit_price) - centre
        if abs(distance) > max(_DEVIATIONS * spread, math.log(_MIN_RATIO)):
            outliers[trade.buyer, trade.provider].append((trade, math.exp(distance)))
    for (_, _), found in sorted(outliers.items()):
        trade, ratio = max(found, key=lambda entry: abs(math.log(entry[1])))
        yield Alert(
            RULE,
            (trade.buyer, trade.provider),
            tuple(outlier.job for outlier, _ in found),
            f"{len(found)} trades at up to {ratio:.2f} times the usual price of what was traded",
            {"ratio": round(ratio, 3)},
        )


def _usual(peers: Sequence[TradeFact]) -> tuple[float, float] | None:
    """Median and robust deviation of the logarithms of prices; None for too few."""
    if len(peers) < _MIN_TRADES:
        return None
    logs = [math.log(peer.unit_price) for peer in peers]
    centre = statistics.median(logs)
    return centre, max(_MAD_TO_SIGMA * statistics.median(abs(value - centre) for value in logs), _LEAST_SPREAD)
