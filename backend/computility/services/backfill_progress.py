"""How a back-fill goes: a bar with rate and time left on a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import sys
import time
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

_log = logging.getLogger(__name__)

_FROM_BLOCKS: Final = 500
"""A node that is less far behind shows nothing."""
_LINE_EACH_S: Final = 15.0


class BackfillProgress:
    """Told of every batch."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._since = self._line_at = time.monotonic()
        self._events = 0
        self._from_block: int | None = None

    def advance(self, first: int, block: int, head: int, events: int) -> None:
        """``block`` of ``first`` to ``head`` is folded, with ``events`` more events."""
        self._events += events
        if head - block < _FROM_BLOCKS and self._from_block is None:
            return
        now = time.monotonic()
        if self._from_block is None:
            self._from_block, self._since, self._line_at, self._events = block, now, now, 0
        rate = self._events / max(now - self._since, 1e-6)
        self._draw(first, block, head, rate)
        left_s = (head - block) * (now - self._since) / max(1, block - self._from_block)
        if now - self._line_at >= _LINE_EACH_S or block >= head:
            self._line_at = now
            _log.info("folded block %d of %d: %.0f events/s, about %.0f s left", block, head, rate, left_s)
        if block >= head:
            self._from_block = None

    def _draw(self, first: int, block: int, head: int, rate: float) -> None:
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            columns = (
                TextColumn("indexing"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("indexing", total=head - first, rate="")
            self._bar.start()
        assert self._task is not None
        self._bar.update(self._task, completed=block - first, total=head - first, rate=f"{rate:,.0f} events/s")
        if block >= head:
            self._bar.stop()
            self._bar = None
