"""What verifier and provider say to each other in a round of the hardware challenge, and where its seeds come from.

A verifier draws a secret and publishes the hash of its hash, and a block to come. When that block is there it tells the hash: with the block's own it
makes the seed of the work, for all devices of the claim at once, and the clock runs. The provider commits to the root of what it computed. Then the
verifier tells the secret itself, which draws the rows that the provider has to show: nobody else could know them when the root was committed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from computility.domain.eip712 import Message, StructType
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, bytes32


@dataclass(frozen=True)
class RatingChallenge(Message):
    """One step of a verifier. ``secret`` is zero in the promise, then `work_secret`, then the secret itself; the rest stays the same. ``claim`` is
    the digest of the provider's `HardwareClaim`; ``rows`` and ``size`` make the work of a device."""

    STRUCT: ClassVar[StructType] = StructType(
        "RatingChallenge(address verifier,address provider,bytes32 claim,uint32 rows,uint32 size,bytes32 promise,uint64 block,bytes32 secret)"
    )

    verifier: Address
    provider: Address
    claim: Bytes32
    rows: int
    size: int
    promise: Bytes32
    block: int
    secret: Bytes32

    @property
    def step(self) -> int:
        """0: promised, 1: the work is known, 2: the sample is known; −1 where the secret is not what was promised."""
        if self.secret == ZERO_BYTES32:
            return 0
        if promise_of(self.secret) == self.promise:
            return 1
        return 2 if promise_of(work_secret(self.secret)) == self.promise else -1


@dataclass(frozen=True)
class RatingAnswer(Message):
    """One step of the provider. First ``root`` alone; then ``opened`` too, the SHA-256 of the digests and rows that the sample asks for. A provider
    whose devices are held by jobs says so by ``reason`` and commits to nothing: it passes on the round."""

    STRUCT: ClassVar[StructType] = StructType(
        "RatingAnswer(address provider,bytes32 promise,bytes32 root,bytes32 opened,string reason,uint40 at)"
    )

    provider: Address
    promise: Bytes32
    root: Bytes32
    opened: Bytes32
    reason: str
    at: int


def work_secret(secret: Bytes32) -> Bytes32:
    """What is told first of a secret."""
    return _hashed(b"computility/rating/work/1", secret)


def promise_of(told_first: Bytes32) -> Bytes32:
    """What is promised of it."""
    return _hashed(b"computility/rating/promise/1", told_first)


def work_seed(told_first: Bytes32, block_hash: Bytes32) -> bytes:
    """The seed of the work, 32 bytes."""
    return hashlib.sha256(b"computility/rating/seed/1" + bytes.fromhex(told_first[2:] + block_hash[2:])).digest()


def sample_seed(secret: Bytes32) -> bytes:
    """The seed of the sample, 32 bytes; the root that was committed goes in where it is drawn."""
    return hashlib.sha256(b"computility/rating/sample/1" + bytes.fromhex(secret[2:])).digest()


def _hashed(prefix: bytes, value: Bytes32) -> Bytes32:
    return bytes32(hashlib.sha256(prefix + bytes.fromhex(value[2:])).digest())
