"""Abuse of sponsored jobs: a payer other than the buyer (a voucher fund, a sponsor) whose money goes round to hands that belong together.

Vouchers are paid by a fund that is the job's payer, so what is abused is seen in the trades, whatever contract the fund is.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from computility.domain.identifiers import Address
from computility.services.surveillance.facts import Alert, Facts, TradeFact

RULE: Final = "voucher-abuse"
_MIN_TRADES: Final = 6
_TIED_SHARE: Final = 0.5
_DEAR: Final = 1.5
_SUBSIDISED_ONLY: Final = 0.9


def find(facts: Facts) -> Iterator[Alert]:
    """By payer and provider, six sponsored jobs and more: half of their value is of buyers whom funding ties to the provider; or their median price
    is 1.5 times what others paid the same provider, and nine in ten jobs of these buyers are sponsored.
    """
    sponsored: dict[tuple[Address, Address], list[TradeFact]] = defaultdict(list)
    paid_by_themselves: dict[Address, list[TradeFact]] = defaultdict(list)
    for trade in facts.trades:
        if trade.payer == trade.buyer:
            paid_by_themselves[trade.provider].append(trade)
        else:
            sponsored[trade.payer, trade.provider].append(trade)
    for (payer, provider), trades in sorted(sponsored.items()):
        if len(trades) < _MIN_TRADES:
            continue
        value = sum(trade.value for trade in trades)
        tied = [trade for trade in trades if facts.tied(trade.buyer, provider)]
        if value and sum(trade.value for trade in tied) >= _TIED_SHARE * value:
            hands = {hand for trade in tied for hand in facts.hands(trade.buyer, provider)}
            yield _alert(payer, provider, tied, "the buyers and the provider fund each other", funded_by=sorted(hands))
            continue
        usual = [trade.unit_price for trade in paid_by_themselves[provider] if trade.unit_price]
        paid = [trade.unit_price for trade in trades if trade.unit_price]
        if not usual or not paid or statistics.median(paid) < _DEAR * statistics.median(usual):
            continue
        buyers = {trade.buyer for trade in trades}
        whole = [trade for buyer in buyers for trade in facts.by_buyer[buyer]]
        if sum(trade.payer != trade.buyer for trade in whole) >= _SUBSIDISED_ONLY * len(whole):
            ratio = statistics.median(paid) / statistics.median(usual)
            yield _alert(payer, provider, trades, f"they cost {ratio:.1f} times what others pay this provider")


def _alert(payer: Address, provider: Address, trades: Sequence[TradeFact], why: str, **facts: Any) -> Alert:
    buyers = sorted({trade.buyer for trade in trades})
    return Alert(
        RULE,
        (provider, *buyers),
        tuple(trade.job for trade in trades),
        f"{len(trades)} jobs of provider {provider} were paid by {payer} for {len(buyers)} buyers, and {why}",
        {"payer": payer, "value": str(sum(trade.value for trade in trades)), **facts},
    )
