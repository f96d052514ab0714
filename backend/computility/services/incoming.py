"""Signed statements on their way into the journal, and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class IncomingStatement:
    """What a client sent: a message in JSON form, its signature, and the id and signer that the client expects."""

    message: Mapping[str, Any]
    signature: str
    claimed_id: str | None = None
    claimed_signer: str | None = None


@dataclass(frozen=True)
class JournalEntry:
    """A statement that was accepted."""

    kind: str
    id: str
    signer: str
    message: Mapping[str, Any]
    signature: str
    received_at: int


@dataclass(frozen=True)
class Accepted:
    """The entry, and whether this very call made it."""

    entry: JournalEntry
    created: bool
