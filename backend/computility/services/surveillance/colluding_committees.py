"""Colluding verifiers: one that lives off one provider and never fails it, or whose word arbiters keep overturning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from computility.services.surveillance.facts import Alert, Facts

RULE: Final = "colluding-committee"
_MIN_TRADES: Final = 8
_EXCLUSIVE: Final = 0.8
_NEVER_FAILS: Final = 0.98
_MIN_OVERRULED: Final = 3
_OVERRULED_SHARE: Final = 0.2


def find(facts: Facts) -> Iterator[Alert]:
    """By verifier: at least 80 % of its jobs from one provider, with 98 % passed where that provider's other verifiers pass fewer; or a
    fifth of its words, three at least, overruled.
    """
    for verifier, trades in sorted(facts.by_verifier.items()):
        spoken = [trade for trade in trades if trade.passed is not None]
        overruled = [trade for trade in spoken if trade.overruled]
        if len(overruled) >= max(_MIN_OVERRULED, _OVERRULED_SHARE * len(spoken)):
            jobs = tuple(trade.job for trade in overruled)
            accounts = (verifier, *sorted({trade.provider for trade in overruled}))
            yield Alert(
                RULE,
                accounts,
                jobs,
                f"arbiters overruled {len(overruled)} of {len(spoken)} words of verifier {verifier}",
            )
            continue
        if len(spoken) < _MIN_TRADES:
            continue
        provider, count = Counter(trade.provider for trade in spoken).most_common(1)[0]
        passed = sum(bool(trade.passed) for trade in spoken if trade.provider == provider)
        others = [
            trade for trade in facts.by_provider[provider] if trade.verifier != verifier and trade.passed is not None
        ]
        fails_elsewhere = sum(not trade.passed for trade in others)
        if count >= _EXCLUSIVE * len(spoken) and passed >= _NEVER_FAILS * count and (not others or fails_elsewhere):
            jobs = tuple(trade.job for trade in spoken if trade.provider == provider)
            yield Alert(
                RULE,
                (verifier, provider),
                jobs,
                f"{count} of {len(spoken)} jobs of verifier {verifier} are of provider {provider}, and it passed {passed}",
                {"failed_by_others": fails_elsewhere, "judged_by_others": len(others)},
            )
