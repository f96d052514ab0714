"""Spoofed asks: prices that draw requests and are never honoured."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, AskFact, Facts

RULE: Final = "spoofed-ask"
_MIN_ASKS: Final = 3
_MIN_REQUESTS: Final = 5
_CHEAP: Final = 0.7


def find(facts: Facts) -> Iterator[Alert]:
    """By provider: three asks and more at under 0.7 of the median price of trades, five requests for quotes and more, and at most one trade in
    ten of them. Needs the journal's asks.
    """
    prices = [trade.unit_price for trade in facts.trades if trade.unit_price]
    if facts.asks is None or not prices:
        return
    usual = statistics.median(prices)
    cheap: dict[Address, list[AskFact]] = defaultdict(list)
    for ask in facts.asks:
        if ask.unit_price < _CHEAP * usual:
            cheap[ask.provider].append(ask)
    for provider, asks in sorted(cheap.items()):
        requests = sum(ask.requests for ask in asks)
        honoured = [trade for trade in facts.by_provider.get(provider, ()) if trade.unit_price < _CHEAP * usual]
        if len(asks) >= _MIN_ASKS and requests >= _MIN_REQUESTS and 10 * len(honoured) <= requests:
            yield Alert(
                RULE,
                (provider,),
                tuple(trade.job for trade in honoured),
                f"{len(asks)} cheap asks of provider {provider} drew {requests} requests and {len(honoured)} trades",
                {"asks": [ask.ask for ask in asks]},
            )
