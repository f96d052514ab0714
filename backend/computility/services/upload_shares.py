"""How much of what the node takes in at one time one client may hold, so that nobody can hold all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from computility.domain.errors import LimitReached

MAX_UPLOADS: Final = 64
MAX_UPLOADS_EACH: Final = 16
_MAX_LARGEST: Final = 8
_MAX_LARGEST_EACH: Final = 2
"""What is under way may grow to so many times the largest content."""


@dataclass
class Share:
    """What one upload may grow to, held until it is given back."""

    client: str
    size: int
    held: bool = field(default=True)


class UploadShares:
    """Uploads under way, of a node that takes at most ``max_bytes`` of content in one piece. A client is a name, such as its network address; the
    empty one may be anybody, and is bounded by what all together may hold alone."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._of: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def take(self, client: str, size: int) -> Share:
        """Hold room for an upload of ``size`` bytes.

        Raises:
            LimitReached: this client, or all together, hold as much as they may.
        """
        with self._lock:
            uploads, held = self._of.get(client, (0, 0))
            if client and (uploads >= MAX_UPLOADS_EACH or held + size > self._max_bytes * _MAX_LARGEST_EACH):
                raise LimitReached(
                    f"you have {uploads} uploads of {held} bytes under way here, and may have {MAX_UPLOADS_EACH} of "
                    f"{self._max_bytes * _MAX_LARGEST_EACH}: finish or drop one, or wait until it is dropped"
                )
            every, total = (sum(column) for column in zip((0, 0), *self._of.values(), strict=True))
            if every >= MAX_UPLOADS or total + size > self._max_bytes * _MAX_LARGEST:
                raise LimitReached("too many uploads wait to be finished here: try again later")
            self._of[client] = (uploads + 1, held + size)
        return Share(client, size)

    def give_back(self, share: Share) -> None:
        """Free what an upload held. Twice is once."""
        with self._lock:
            if not share.held:
                return
            share.held = False
            uploads, held = self._of.pop(share.client)
            if uploads > 1:
                self._of[share.client] = (uploads - 1, held - share.size)

    @contextmanager
    def held(self, client: str, size: int) -> Iterator[None]:
        """Hold room while this lasts. Raises as ``take``."""
        share = self.take(client, size)
        try:
            yield
        finally:
            self.give_back(share)
