"""Runs the indexer beside the requests, and remembers why it ended if it did."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from computility.domain.errors import ComputilityError

_log = logging.getLogger(__name__)

IndexerWork = Callable[[threading.Event], None]
"""Follows the chain until the event is set."""


class IndexerThread:
    """A thread around ``run(stop)``, which returns once ``stop`` is set."""

    def __init__(self, run: IndexerWork) -> None:
        self._run = run
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="indexer")
        self.failure: str | None = None
        """What ended it, and what to do; None while it runs."""

    def start(self) -> None:
        """Begin to follow the chain."""
        self._pool.submit(self._run, self._stop).add_done_callback(self._ended)

    def stop(self) -> None:
        """End it. A unit of work that it has begun is finished or rolled back."""
        self._stop.set()
        self._pool.shutdown(wait=True)

    def _ended(self, future: Future[None]) -> None:
        # The node goes on answering from its store, and its health says that the store no longer moves.
        error = future.exception()
        if isinstance(error, ComputilityError):
            self.failure = str(error)
            _log.error("the indexer stopped: %s: %s", error.code, error)
        elif error is not None:
            self.failure = "The indexer stopped on an error of its own: see the node's log, and start the node again."
            _log.error("the indexer stopped", exc_info=error)
