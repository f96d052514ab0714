"""A digest that binds the logs of one block: which, in what order, and every byte of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

_BYTES: Final = 16
_HEAD: Final = struct.Struct(">IBI").pack

DigestedLog = tuple[bytes, bytes, bytes, bytes, bytes]
"""What is digested of a log, in this order."""


def digested(log_index: int, tx_hash: bytes, address: bytes, topics: bytes, data: bytes) -> DigestedLog:
    """What is digested of a log; ``topics`` are 32 bytes each in a row.

    Raises:
        struct.error: no block has so many logs, or no log so many topics.
    """
    return _HEAD(log_index, len(topics), len(data)), tx_hash, address, topics, data


def digest_of(logs: Iterable[DigestedLog]) -> bytes:
    """16 bytes; the logs in the order of the block."""
    return digest_of_bytes(b"".join([part for log in logs for part in log]))


def digest_of_bytes(joined: bytes | memoryview) -> bytes:
    """As ``digest_of``, of what is digested of all the logs in a row."""
    return blake2b(joined, digest_size=_BYTES).digest()
