"""Wash trading: credits that go round. A cycle in the graph of who buys from whom, with about as much on its smallest edge as on its largest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, Facts

RULE: Final = "wash-trading"
_LONGEST: Final = 4
_MIN_TRADES: Final = 5
_MIN_BALANCE: Final = 0.4
_MIN_SHARE: Final = 0.25


def find(facts: Facts) -> Iterator[Alert]:
    """Cycles of two to four accounts, each of which spends at least a quarter along the cycle, in five trades and more."""
    heavy = {
        pair: sum(trade.value for trade in trades)
        for pair, trades in facts.by_pair.items()
        if len(trades) >= _MIN_TRADES
    }
    spent = {buyer: sum(trade.value for trade in trades) for buyer, trades in facts.by_buyer.items()}
    onward: dict[Address, list[Address]] = {}
    for (buyer, provider), value in heavy.items():
        if value >= _MIN_SHARE * spent[buyer] and value > 0:
            onward.setdefault(buyer, []).append(provider)
    for cycle in sorted(_cycles(onward)):
        edges = [(cycle[at], cycle[(at + 1) % len(cycle)]) for at in range(len(cycle))]
        values = [heavy[edge] for edge in edges]
        if min(values) >= _MIN_BALANCE * max(values):
            jobs = tuple(trade.job for edge in edges for trade in facts.by_pair[edge])
            yield Alert(
                RULE,
                cycle,
                jobs,
                f"{len(cycle)} accounts buy from each other in a circle, for {min(values)} to {max(values)} atoms a side",
                {"values": [str(value) for value in values]},
            )


def _cycles(onward: dict[Address, list[Address]]) -> set[tuple[Address, ...]]:
    found: set[tuple[Address, ...]] = set()

    def extend(path: tuple[Address, ...]) -> None:
        for following in onward.get(path[-1], ()):
            if following == path[0] and len(path) > 1:
                found.add(path)
            elif following > path[0] and following not in path and len(path) < _LONGEST:
                extend((*path, following))

    for start in onward:
        extend((start,))
    return found
