"""Waits for work: an agent without a live job asks its node for none, twice a second; it listens by long polls, and is woken by the first one.

While there are live jobs an agent looks at all of them at its own pace, as the chain's time moves as well.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from computility.domain.errors import ComputilityError
from computility.services.job_watch import LIVE_STATES
from computility.services.node_client import NodeClient

_log = logging.getLogger(__name__)

_LOOKS_AT_LEAST_EVERY_S: Final = 15.0
"""An agent looks by itself too: a node may not know of long polls, or lose what it should have told."""


class JobAlarm:
    """For one agent. ``filters`` are those of the jobs that concern it, each listened to by a thread of its own. ``least_s`` seconds lie between two
    polls, whatever the node answers."""

    def __init__(
        self, node: NodeClient, filters: Sequence[Mapping[str, str]], long_poll_s: int, least_s: float
    ) -> None:
        self._node = node
        self._filters = tuple(filters)
        self._long_poll_s = long_poll_s
        self._least_s = least_s
        self._rests = threading.Event()
        self._rung = threading.Event()
        self._looked_at = float("-inf")

    def listen(self, stop: threading.Event) -> None:
        """Begin to listen, until ``stop`` is set."""
        for number, filters in enumerate(self._filters):
            name = f"jobs-{number}"
            threading.Thread(target=self._listen, args=(filters, stop), name=name, daemon=True).start()

    @property
    def is_due(self) -> bool:
        """Whether the agent should look at its jobs now."""
        overdue = time.monotonic() > self._looked_at + _LOOKS_AT_LEAST_EVERY_S
        return overdue or self._rung.is_set() or not self._rests.is_set()

    def looked(self, live: int) -> None:
        """The agent is about to act on ``live`` jobs; without any it rests until the alarm rings."""
        self._looked_at = time.monotonic()
        self._rung.clear()
        if live:
            self._rests.clear()
        else:
            self._rests.set()

    def wait(self, timeout_s: float) -> None:
        """Sleep, and no longer once the alarm rings."""
        self._rung.wait(timeout_s)

    def _listen(self, filters: Mapping[str, str], stop: threading.Event) -> None:
        while not stop.is_set():
            if not self._rests.wait(self._least_s):
                continue
            began = time.monotonic()
            try:
                found = self._node.some_job(self._long_poll_s, state=LIVE_STATES, **filters)
            except ComputilityError as error:
                _log.debug("%s: %s", error.code, error)
                found = None
            if found is not None and self._rests.is_set():
                self._rung.set()
            # A node that holds nothing back, or tells of a job that the chain does not have yet, is not asked faster than before.
            stop.wait(max(0.0, began + self._least_s - time.monotonic()))
