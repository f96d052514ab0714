"""Runs the indexer beside the requests, and remembers why it ended if it did."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from computility.domain.errors import ComputilityError

_log = logging.getLogger(__name__)

_STOP_WITHIN_S: Final = 10.0


IndexerWork = Callable[[threading.Event], None]
"""Follows the chain until the event is set."""


class IndexerThread:
    """A thread around ``run(stop)``, which returns once ``stop`` is set."""

    def __init__(self, run: IndexerWork) -> None:
        self._run = run
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="indexer", daemon=True)
        self.failure: str | None = None
        """What ended it, and what to do; None while it runs."""

    def start(self) -> None:
        """Begin to follow the chain."""
        self._thread.start()

    def stop(self) -> None:
        """End it. A unit of work that it has begun is finished or rolled back."""
        self._stop.set()
        self._thread.join(_STOP_WITHIN_S)

    def _guarded(self) -> None:
        try:
            self._run(self._stop)
        except ComputilityError as error:
            self.failure = str(error)
            _log.error("the indexer stopped: %s: %s", error.code, error)
        except Exception:  # noqa: BLE001  # the node outlives its indexer
            # The node goes on answering from its store, and its health says that the store no longer moves.
            self.failure = "The indexer stopped on an error of its own: see the node's log, and start the node again."
            _log.exception("the indexer stopped")
