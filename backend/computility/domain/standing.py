"""An account's credit score in one role, as the chain last reported it."""

from __future__ import annotations

from typing import NamedTuple


class Standing(NamedTuple):
    """``credit`` and ``debit`` are decayed weights as they were ``at`` that UTC second."""

    score_bps: int
    credit: int
    debit: int
    at: int
