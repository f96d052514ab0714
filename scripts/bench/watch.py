"""How well surveillance tells abusers from others: precision, recall and false-positive rate of each rule, on labelled synthetic histories.

Prints one JSON object. Counts are of accounts, over five seeds that no threshold was chosen on (200 to 204).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # the labelled history is the tests'

from tests.labelled_history import LabelledHistory, labelled_history  # after the path is known

from computility.services.surveillance.unusual_accounts import RULE as UNUSUAL
from computility.services.surveillance.watch import RULES, watch

SEEDS = range(200, 205)


def main() -> None:
    """Watch, and count."""
    histories = [labelled_history(seed) for seed in SEEDS]
    started = time.perf_counter()
    named = [_named(history) for history in histories]
    seconds = time.perf_counter() - started
    rules = {rule: _measure(rule, histories, named) for rule in (*RULES, UNUSUAL)}
    trades = sum(len(history.facts.trades) for history in histories)
    print(
        json.dumps(
            {
                "bench": "watch",
                "seeds": list(SEEDS),
                "trades": trades,
                "honest_accounts": sum(len(history.honest) for history in histories),
                "trades_per_s": round(trades / seconds),
                "rules": rules,
            },
            indent=2,
        )
    )


def _named(history: LabelledHistory) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for alert in watch(history.facts):
        found.setdefault(alert.rule, set()).update(alert.accounts)
    return found


def _measure(rule: str, histories: list[LabelledHistory], named: list[dict[str, set[str]]]) -> dict[str, Any]:
    right = wrong = wanted = honest = 0
    for history, found in zip(histories, named, strict=True):
        alerted = found.get(rule, set())
        labelled = history.labels.get(rule, set())
        right += len(alerted & labelled)
        wrong += len(alerted & history.honest)
        wanted += len(labelled)
        honest += len(history.honest)
    return {
        "precision": round(right / (right + wrong), 3) if right + wrong else None,
        "recall": round(right / wanted, 3),
        "false_positive_rate": round(wrong / honest, 5),
        "labelled": wanted,
        "found": right,
        "honest_named": wrong,
    }


if __name__ == "__main__":
    main()
