"""Sandboxes that are built before their job is there: building one waits tens of milliseconds for the kernel, taking one does not.

A spare runs one job and no other. It is of the shape that the next job will want: the one that is being prepared, or that of the last.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from computility.domain.errors import ComputilityError
from computility.execution.sandbox.bubblewrap import Shape
from computility.execution.sandbox.built_sandbox import BuiltSandbox

_FRESH_S: Final = 300.0
"""A spare shows the host's folders as they were when it was built, so none is used that is older."""
_BUILDERS: Final = 4
"""They wait for the kernel more than they work."""

Build = Callable[[Shape], BuiltSandbox]


class SpareSandboxes:
    """Keeps at most ``most`` of them, of any shapes; ``build`` makes one."""

    def __init__(self, build: Build, most: int) -> None:
        self._build = build
        self._most = most
        self._waiting: deque[tuple[Shape, Future[BuiltSandbox]]] = deque()
        self._lock = threading.Lock()
        # Threads that last as long as the pool: the kernel ends a sandbox with the thread that started it (--die-with-parent).
        self._builders = ThreadPoolExecutor(_BUILDERS, thread_name_prefix="sandbox-builder")
        weakref.finalize(self, _close_all, self._waiting, self._builders)

    def expect(self, shape: Shape) -> None:
        """A job of this shape will come: have one ready."""
        self._top_up(shape, 1)

    def take(self, shape: Shape) -> BuiltSandbox:
        """One of this shape, and another one in its place.

        Raises:
            ExecutorCrashed: none came up.
        """
        while (spare := self._pop(shape)) is not None:
            built = spare.result()
            if built.alive and time.monotonic() - built.built_at < _FRESH_S:
                break
            built.close()
        else:
            built = self._builders.submit(self._build, shape).result()
        self._top_up(shape, self._most)
        return built

    def build(self, build: Callable[[], BuiltSandbox]) -> BuiltSandbox:
        """One that is like no other. Raises as ``build``."""
        return self._builders.submit(build).result()

    def close(self) -> None:
        """End those that wait."""
        with self._lock:
            _close_all(self._waiting, None)

    def _pop(self, shape: Shape) -> Future[BuiltSandbox] | None:
        with self._lock:
            for index, (known, spare) in enumerate(self._waiting):
                if known == shape:
                    del self._waiting[index]
                    return spare
        return None

    def _top_up(self, shape: Shape, wanted: int) -> None:
        dropped = []
        with self._lock:
            there = sum(known == shape for known, _ in self._waiting)
            for _ in range(min(wanted, self._most) - there):
                if len(self._waiting) >= self._most:
                    dropped.append(self._waiting.popleft()[1])
                self._waiting.append((shape, self._builders.submit(self._build, shape)))
        for spare in dropped:
            self._builders.submit(_close, spare)


def _close(spare: Future[BuiltSandbox]) -> None:
    with contextlib.suppress(ComputilityError):
        spare.result().close()


def _close_all(waiting: deque[tuple[Shape, Future[BuiltSandbox]]], builders: ThreadPoolExecutor | None) -> None:
    while waiting:
        _, spare = waiting.popleft()
        if not spare.cancel():
            _close(spare)
    if builders is not None:
        builders.shutdown(wait=False, cancel_futures=True)
