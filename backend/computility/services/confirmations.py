"""How settled a block is, and with it every row that rests on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sqlmodel import Session

from computility.domain.identifiers import ChainId
from computility.services.ledger import Confirmation
from computility.store import blocks

_LEAST_FIRST: Final[tuple[Confirmation, ...]] = ("latest", "safe", "finalized")


def least_settled(levels: Iterable[Confirmation]) -> Confirmation:
    """How settled that is which rests on all of them; final where it rests on none, as nothing can be taken back."""
    return min(levels, key=_LEAST_FIRST.index, default="finalized")


def confirmations(session: Session, chain_id: ChainId) -> Callable[[int], Confirmation]:
    """By block: final only once the chain says so and its logs were held against its receipts root."""
    cursor = blocks.cursor_of(session, chain_id)
    final = min(cursor.final, cursor.sealed) if cursor else -1
    safe = cursor.safe if cursor else -1
    return lambda block: "finalized" if block <= final else "safe" if block <= safe else "latest"
