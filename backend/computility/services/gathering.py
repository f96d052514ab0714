"""Joins ranges that are ready to one: a transaction of many blocks writes each page of an index once that each of its ranges would write anew."""

from __future__ import annotations

from typing import Final

from computility.services.fetch_ahead import FetchAhead, Next
from computility.services.fetch_process import FetchProcess
from computility.services.incoming import Incoming

_LOGS_AT_ONCE: Final = 10_000


class Gathering:
    """Asks ``ahead``, and never waits for more than the first range."""

    def __init__(self, ahead: FetchAhead | FetchProcess, logs_at_once: int = _LOGS_AT_ONCE) -> None:
        self._ahead = ahead
        self._logs_at_once = logs_at_once
        self._left: Next | None = None
        self._failed: Exception | None = None

    def next(self, timeout_s: float) -> Next | None:
        """As the next of ``ahead``, with the ranges after it that are ready.

        Raises:
            ChainError: as there, after everything that came before it was handed out.
        """
        if self._failed is not None:
            raise self._failed
        found, self._left = self._left or self._ahead.next(timeout_s), None
        if not isinstance(found, Incoming):
            return found
        blocks, head, received = found.blocks, found.head, found.received
        while received < self._logs_at_once:
            try:
                more = self._ahead.next(0)
            except Exception as error:  # noqa: BLE001  # it is raised once what came before it was handed out
                self._failed = error
                break
            if not isinstance(more, Incoming):
                self._left = more
                break
            blocks, head, received = blocks + more.blocks, more.head, received + more.received
        return Incoming(blocks, head, received)
