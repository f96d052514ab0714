"""Self-dealing: a provider whose buyer, or whose verifier, lives on its money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, Facts, TradeFact

RULE: Final = "self-dealing"
_MIN_TRADES: Final = 2


def find(facts: Facts) -> Iterator[Alert]:
    """Pairs with two trades and more, in which one put credits into the other's account, or a third into both."""
    pairs: dict[tuple[str, Address, Address], list[TradeFact]] = {}
    for trade in facts.trades:
        for role, other in (("buyer", trade.buyer), ("verifier", trade.verifier)):
            pairs.setdefault((role, other, trade.provider), []).append(trade)
    for (role, other, provider), trades in sorted(pairs.items()):
        if len(trades) >= _MIN_TRADES and facts.tied(other, provider):
            yield Alert(
                RULE,
                (other, provider),
                tuple(trade.job for trade in trades),
                f"{role} {other} and provider {provider} of {len(trades)} trades are funded by one hand",
                {"role": role, "funded_by": facts.hands(other, provider)},
            )
