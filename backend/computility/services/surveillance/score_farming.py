"""Score farming: many jobs worth next to nothing, by one buyer or by puppets who buy nowhere else, to lift a provider's standing."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Final

from computility.services.surveillance.facts import Alert, Facts, TradeFact

RULE: Final = "score-farming"
_MIN_TRADES: Final = 12
_SMALL: Final = 0.1
_SHARE: Final = 0.6
_WINDOW_S: Final = 14 * 86_400
_MIN_PUPPETS: Final = 3


def find(facts: Facts) -> Iterator[Alert]:
    """By provider: twelve trades and more within two weeks, each under a tenth of the median value, that make up most of what it does, from one
    buyer or from at least three that buy nowhere else.
    """
    values = [trade.value for trade in facts.trades if trade.value]
    if not values:
        return
    small = statistics.median(values) * _SMALL
    for provider, trades in sorted(facts.by_provider.items()):
        tiny = [trade for trade in trades if trade.passed and trade.value <= small]
        if len(tiny) < max(_MIN_TRADES, _SHARE * len(trades)) or _densest(tiny) < _MIN_TRADES:
            continue
        buyers = sorted({trade.buyer for trade in tiny})
        puppets = [buyer for buyer in buyers if all(trade.provider == provider for trade in facts.by_buyer[buyer])]
        if len(buyers) == 1 or len(puppets) >= _MIN_PUPPETS:
            yield Alert(
                RULE,
                (provider, *(puppets or buyers)),
                tuple(trade.job for trade in tiny),
                f"{len(tiny)} of {len(trades)} trades of provider {provider} are worth next to nothing, by {len(buyers)} buyers",
                {"buyers_that_buy_nowhere_else": len(puppets)},
            )


def _densest(trades: list[TradeFact]) -> int:
    times = sorted(trade.opened_at for trade in trades)
    start = best = 0
    for end, time in enumerate(times):
        while time - times[start] > _WINDOW_S:
            start += 1
        best = max(best, end - start + 1)
    return best
