"""Lets a chunk of a back-fill be written while the next one is folded: at most one at a time, and in their order."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

_TURNS_S: Final = 0.000_5
"""How long it waits for its turn each time that a server has answered, while another folds. With Python's 5 ms that was a third of its time."""


class WriteBehind:
    """A thread that ends transactions. What fails there is raised by whoever hands over the next one, or waits.

    With ``short_turns`` it talks much with a server, and this process's threads take turns so quickly meanwhile that it need not wait long.
    """

    def __init__(self, *, short_turns: bool = False) -> None:
        self._turns_s = _TURNS_S if short_turns else sys.getswitchinterval()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._writing: Future[None] | None = None
        self._landed: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        self._turns_before_s = sys.getswitchinterval()
        sys.setswitchinterval(self._turns_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.settle()
            elif self._writing is not None and self._writing.exception() is None:
                # Nothing is written any more when the caller looks at the store again; and what was is as good as any.
                self.settle()
        finally:
            self._thread.shutdown()
            sys.setswitchinterval(self._turns_before_s)

    @property
    def busy(self) -> bool:
        """Whether something was handed over of which nobody knows yet that it has landed."""
        return self._writing is not None

    @property
    def done(self) -> bool:
        """Whether ``settle`` would not wait."""
        return self._writing is None or self._writing.done()

    def hand_over(self, write: Callable[[], None], landed: Callable[[], None]) -> None:
        """Let ``write`` run in the thread, once what was handed over before has landed. ``landed`` is called here when that is known."""
        self.settle()
        self._writing, self._landed = self._thread.submit(write), landed

    def settle(self) -> None:
        """Wait until what was handed over has landed.

        Raises: what it failed with.
        """
        writing, self._writing = self._writing, None
        if writing is None:
            return
        writing.result()
        assert self._landed is not None
        self._landed()
