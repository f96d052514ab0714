"""Tells waiting requests that something changed.

A notice carries no data: who is woken looks at the store again. So there is nothing to queue, a slow listener costs one
flag, and a notice that comes twice does no harm. Publishers may be on any thread; listeners are on event loops.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from computility.domain.errors import NodeBusy


class Subscription:
    """One listener to one topic. Use as a context manager, or close it."""

    def __init__(self, feed: ChangeFeed, topic: str, *, stream: bool) -> None:
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._flag = asyncio.Event()
        self.topic = topic
        self.stream = stream

    async def changed(self, timeout_s: float) -> bool:
        """Whether the topic changed since the last call that said so, waiting up to ``timeout_s`` seconds for it."""
        try:
            await asyncio.wait_for(self._flag.wait(), timeout_s)
        except TimeoutError:
            return False
        self._flag.clear()
        return True

    def wake(self) -> None:
        """Raise the flag, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._flag.set)
        except RuntimeError:
            # The loop has ended, and the listener with it.
            self.close()

    def close(self) -> None:
        """Stop listening. A second time does nothing."""
        self._feed.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ChangeFeed:
    """The topics and who listens to them: at most ``max_waiters`` long polls and ``max_streams`` streams."""

    def __init__(self, max_waiters: int, max_streams: int) -> None:
        self._limits = {False: max_waiters, True: max_streams}
        self._listeners: dict[str, set[Subscription]] = {}
        self._counts = {False: 0, True: 0}
        self._lock = threading.Lock()

    def subscribe(self, topic: str, *, stream: bool = False) -> Subscription:
        """Listen to ``topic`` from now on.

        Raises:
            NodeBusy: as many listen as the node allows.
        """
        with self._lock:
            if self._counts[stream] >= self._limits[stream]:
                raise NodeBusy(
                    "Too many clients are waiting on this node. Ask again without waiting, or a little later."
                )
            subscription = Subscription(self, topic, stream=stream)
            self._listeners.setdefault(topic, set()).add(subscription)
            self._counts[stream] += 1
            return subscription

    @property
    def followed(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    def publish(self, topics: Iterable[str]) -> None:
        """Wake everyone who listens to one of ``topics``."""
        with self._lock:
            woken = [listener for topic in set(topics) for listener in self._listeners.get(topic, ())]
        for listener in woken:
            listener.wake()

    def forget(self, subscription: Subscription) -> None:
        """End a subscription."""
        with self._lock:
            listeners = self._listeners.get(subscription.topic, set())
            if subscription not in listeners:
                return
            listeners.discard(subscription)
            self._counts[subscription.stream] -= 1
            if not listeners:
                del self._listeners[subscription.topic]
