"""The bytes behind ``random_get``: a stream that follows from the specification's seed alone."""

from __future__ import annotations

import hashlib
from itertools import count


class RandomStream:
    """SHA-256 of the seed and a 64-bit counter, block after block."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._counter = count()
        self._left = b""

    def take(self, length: int) -> bytes:
        """The next bytes."""
        blocks = [self._left]
        have = len(self._left)
        while have < length:
            blocks.append(hashlib.sha256(self._seed + next(self._counter).to_bytes(8, "little")).digest())
            have += 32
        joined = b"".join(blocks)
        self._left = joined[length:]
        return joined[:length]
