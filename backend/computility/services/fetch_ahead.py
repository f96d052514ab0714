"""What comes next of a chain: its next blocks, or that it reorganised. Asked for one by one, or fetched ahead by a thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from computility.services.chain_source import ChainSource
from computility.services.incoming import Head, Incoming

_RANGES_AHEAD: Final = 2
_STOP_WITHIN_S: Final = 30.0


@dataclass(frozen=True)
class Reorganised:
    """The block at this height is not the chain's any more."""

    number: int


@dataclass(frozen=True)
class Position:
    """The block after which to go on."""

    number: int
    hash: bytes


Next = Incoming | Reorganised


class Follower:
    """Walks up the chain block by block, holding each against the one below it."""

    def __init__(self, source: ChainSource, position: Position, confirmation_depth: int = 0) -> None:
        self._source = source
        self._depth = confirmation_depth
        self.position = position

    def next(self) -> Next | None:
        """The next blocks; None at the head.

        Raises:
            ChainError: the endpoints fail, or are reorganising just now. Ask again.
        """
        at = self.position
        head, header = self._source.head(at.number)
        if header is None or bytes.fromhex(header.hash[2:]) != at.hash:
            return Reorganised(at.number)
        head = Head(head.number - self._depth, min(head.safe, head.number - self._depth), head.final)
        if head.number <= at.number:
            return None
        incoming = self._source.incoming(at.number + 1, head)
        if incoming.first.parent_hash != at.hash:
            return Reorganised(at.number)
        agreed = min(head.final, incoming.last.number)
        if agreed >= incoming.first.number:
            final = incoming.blocks[agreed - incoming.first.number]
            self._source.pool.require_agreement(agreed, "0x" + final.hash.hex())
        self.position = Position(incoming.last.number, incoming.last.hash)
        return incoming


class FetchAhead:
    """A thread that keeps a few ranges ready. ``wait_for_head(stop)`` returns when there may be a new block."""

    def __init__(self, follower: Follower, wait_for_head: Callable[[threading.Event], None]) -> None:
        self._follower = follower
        self._wait = wait_for_head
        self._stop = threading.Event()
        self._ready: queue.Queue[Next | Exception] = queue.Queue(_RANGES_AHEAD)
        self._thread = threading.Thread(target=self._run, name="fetch-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_STOP_WITHIN_S)

    def next(self, timeout_s: float) -> Next | None:
        """What comes next, None when nothing came in time.

        Raises:
            ChainError: as ``Follower.next``. The thread has ended then.
        """
        try:
            found = self._ready.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                found = self._follower.next()
            except Exception as error:  # noqa: BLE001  # it is raised on the thread that asks
                self._put(error)
                return
            if found is None:
                self._wait(self._stop)
                continue
            self._put(found)
            if isinstance(found, Reorganised):
                return

    def _put(self, item: Next | Exception) -> None:
        while not self._stop.is_set():
            try:
                self._ready.put(item, timeout=0.2)
            except queue.Full:
                continue
            return
