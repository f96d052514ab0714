"""A digest that binds the logs of one block: which, in what order, and every byte of them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

_BYTES: Final = 16


class LogsDigest:
    """Takes logs in the order of the block."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=_BYTES)

    def add(self, log_index: int, tx_hash: bytes, address: bytes, topics: bytes, data: bytes) -> None:
        """Take one log; ``topics`` are 32 bytes each in a row."""
        head = log_index.to_bytes(4, "big") + len(topics).to_bytes(1, "big") + len(data).to_bytes(4, "big")
        self._hash.update(b"".join((head, tx_hash, address, topics, data)))

    def digest(self) -> bytes:
        """16 bytes."""
        return self._hash.digest()
