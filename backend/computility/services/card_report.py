"""What this machine's GPUs are and how they are, in rows that a person reads."""

from __future__ import annotations

from typing import Any, Final

from computility.execution.gpu.card import Cards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.nvml_cards import find_cards

CARD_COLUMNS: Final = ["uuid", "model", "memory_mib", "power_limit_w", "driver", "health", "held_by"]


def card_rows(cards: Cards | None = None, leases: CardLeases | None = None) -> list[dict[str, Any]]:
    """A row for each card; where there is none, one row that says why."""
    cards = cards or find_cards()
    found = cards.found()
    if not found:
        return [{"kind": "gpu", "uuid": "none", "health": getattr(cards, "reason", "no card is here")}]
    holders = (leases or CardLeases([card.uuid for card in found])).holders()
    return [
        {
            "kind": "gpu",
            "uuid": card.uuid,
            "model": card.name,
            "memory_mib": card.memory_bytes // 1024**2,
            "power_limit_w": None if card.power_limit_mw is None else card.power_limit_mw // 1000,
            "driver": card.driver,
            "health": str(cards.health(card.uuid)),
            "held_by": holders.get(card.uuid, ""),
        }
        for card in found
    ]
