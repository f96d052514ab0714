"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

from computility.domain.errors import ComputilityError


def wait_until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    """Wait until something holds; an endpoint that is down just now counts as not yet."""
    give_up = time.monotonic() + timeout_s
    while True:
        try:
            if condition():
                return
        except ComputilityError:
            pass
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.1)
