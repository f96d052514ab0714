"""A bounded pool of threads that never works on one subject twice at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from computility.domain.errors import ComputilityError

_log = logging.getLogger(__name__)


class KeyedTasks:
    """Runs at most ``workers`` tasks at once, and at most one for each key. Nothing waits: what finds no place is offered again."""

    def __init__(self, name: str, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        self._workers = workers
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def offer(self, key: str, task: Callable[[], object]) -> bool:
        """Start ``task`` unless ``key`` is being worked on or all workers are busy. True if it was started."""
        with self._lock:
            if key in self._busy or len(self._busy) >= self._workers:
                return False
            self._busy.add(key)
        self._pool.submit(task).add_done_callback(lambda future: self._ended(key, future))
        return True

    @property
    def busy(self) -> bool:
        """Whether anything is being worked on."""
        with self._lock:
            return bool(self._busy)

    def close(self) -> None:
        """Take no more, and wait for what runs."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ended(self, key: str, future: Future[object]) -> None:
        with self._lock:
            self._busy.discard(key)
        error = None if future.cancelled() else future.exception()
        if isinstance(error, ComputilityError):
            # Whatever it was, the next round sees the state of the chain as it then is, and tries what is still to do.
            _log.warning("%s: %s: %s", key, error.code, error)
        elif error is not None:
            _log.error("%s: an error of our own", key, exc_info=error)
