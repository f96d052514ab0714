"""How tests wait for what agents and nodes do by themselves: for a state, never for a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from computility.domain.errors import NodeRefused

_PAUSE_S = 0.1


def wait(reached: Callable[[], bool], within_s: float = 240.0) -> None:
    """Until something is so; what the node does not know yet is not so. A loaded machine may need all of ``within_s``."""
    give_up = time.monotonic() + within_s
    while time.monotonic() < give_up:
        with contextlib.suppress(NodeRefused):
            if reached():
                return
        time.sleep(_PAUSE_S)
    raise AssertionError("it never came to that")
