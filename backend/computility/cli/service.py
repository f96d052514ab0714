"""How long-running roles are run: log lines on standard error, and an orderly end on SIGTERM and Ctrl-C."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType


def set_up_log(*, verbose: bool) -> None:
    """One line an event. Libraries speak only when something is wrong: their lines may hold URLs with access keys."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("computility").setLevel(logging.DEBUG if verbose else logging.INFO)


def serve_until_signalled(run: Callable[[threading.Event], None]) -> None:
    """Call ``run(stop)`` and set ``stop`` when a signal asks for the end."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    run(stop)
