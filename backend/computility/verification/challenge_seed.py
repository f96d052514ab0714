"""Seeds that nobody can know before a result is committed, or choose afterwards.

The provider commits to its result root, bound to job, attempt, provider and salt. The verifier has published the hash of a secret before. The
seed is then the hash of both with that of a block after the commitment: the provider did not know the secret or the block; the verifier could not
choose the secret by the block or the result.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from computility.domain.identifiers import Address, Bytes32, bytes32
from computility.domain.statements import Submission

SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class ResultCommitment:
    """What a provider binds itself to. ``salt`` hides the result from whoever sees only the digest."""

    job: Bytes32
    attempt: int
    provider: Address
    salt: Bytes32
    result: Bytes32

    @property
    def digest(self) -> Bytes32:
        """SHA-256 over the fields, each of fixed width."""
        fields = [self.job, "0x" + self.attempt.to_bytes(4, "big").hex(), self.provider, self.salt, self.result]
        data = b"".join(bytes.fromhex(field[2:]) for field in fields)
        return bytes32(hashlib.sha256(b"computility/commitment/1" + data).digest())

    def opens_to(self, submission: Submission) -> bool:
        """Whether the submission is what was committed."""
        return (self.job, self.attempt, self.result) == (submission.job, submission.attempt, submission.result)


@dataclass(frozen=True)
class Beacon:
    """The hash of a block after the commitment, and the verifier's secret of 32 bytes, which never leaves it before the check."""

    block_hash: Bytes32
    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise ValueError(f"a verifier's secret has {SECRET_BYTES} bytes, not {len(self.secret)}")

    def __repr__(self) -> str:
        return f"Beacon({self.block_hash}, secret of {self.promise})"

    @property
    def promise(self) -> Bytes32:
        """What the verifier publishes before the commitment, so that it cannot pick a secret later."""
        return bytes32(hashlib.sha256(b"computility/secret/1" + self.secret).digest())

    def seed(self, commitment: Bytes32) -> bytes:
        """The challenge seed, 32 bytes."""
        data = self.secret + bytes.fromhex(self.block_hash[2:]) + bytes.fromhex(commitment[2:])
        return hashlib.sha256(b"computility/seed/1" + data).digest()
