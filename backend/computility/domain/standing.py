"""An account's credit score in one role, and when it last changed."""

from __future__ import annotations

from typing import NamedTuple

from computility.domain.identifiers import Bytes32
from computility.domain.score_slot import ScoreSlot


class Standing(NamedTuple):
    """``slot`` is the word as the contract stores it: not decayed. ``job`` closed at the UTC second ``at`` and changed it."""

    slot: ScoreSlot
    job: Bytes32
    at: int
