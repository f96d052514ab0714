"""The hardware challenge: an integer product for each card that a provider claims, from one seed of the chain, under one commitment.

For a card: C = A·B with int8 entries, A (rows × size) drawn from the epoch's seed, the provider and the card, B (size × size) from the epoch's seed
alone, so that a verifier multiplies B once for everybody. Nothing can be computed before the seed exists. All cards of a provider are answered under
one root, and its time is that of the last: one card that answers for two takes twice as long, and rates half for each.

The matrices are the raw stream of Philox4x64-10 (Salmon et al., SC 2011) in little-endian bytes; row i starts at the counter (0, i, 0, 0).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from computility.domain.identifiers import Address, Bytes32
from computility.domain.merkle import merkle_root
from computility.verification.challenge_stream import MIN_SEED_BYTES
from computility.verification.integer_gemm import MAX_INNER, IntegerGemm

MAX_SIZE: Final = 65_536
MAX_CARDS: Final = 1_024


@dataclass(frozen=True)
class HardwareChallenge:
    """What one provider has to answer in an epoch.

    ``seed`` comes from the chain; ``cards`` are the ids (UUIDs) of all that it claims; ``rows`` and ``size`` make the work.
    """

    seed: bytes
    provider: Address
    cards: tuple[str, ...]
    rows: int
    size: int

    def __post_init__(self) -> None:
        if len(self.seed) < MIN_SEED_BYTES:
            raise ValueError(f"a challenge seed has at least {MIN_SEED_BYTES} bytes, not {len(self.seed)}")
        if not 1 <= len(self.cards) <= MAX_CARDS or len(set(self.cards)) != len(self.cards):
            raise ValueError(f"a provider claims between 1 and {MAX_CARDS} cards, each once")
        if not 1 <= self.rows <= MAX_SIZE or not 8 <= self.size <= min(MAX_SIZE, MAX_INNER) or self.size % 8:
            raise ValueError(f"rows lie between 1 and {MAX_SIZE}, size between 8 and {MAX_SIZE} in steps of 8")

    @property
    def operations(self) -> int:
        """Multiplications and additions that one card has to do."""
        return 2 * self.rows * self.size * self.size

    def right(self) -> npt.NDArray[np.int8]:
        """B, (size, size)."""
        return _rows(self.right_key(), range(self.size), self.size)

    def right_key(self) -> bytes:
        """Seeds the stream of B."""
        return hashlib.sha256(b"computility/hardware/right/1" + self.seed).digest()

    def left(self, card: str, rows: Sequence[int] | None = None) -> npt.NDArray[np.int8]:
        """A of a card, (rows, size), or only some of its rows."""
        return _rows(self.left_key(card), range(self.rows) if rows is None else rows, self.size)

    def left_key(self, card: str) -> bytes:
        """Seeds the stream of A of a card."""
        return hashlib.sha256(
            b"computility/hardware/left/1"
            + hashlib.sha256(self.seed).digest()
            + bytes.fromhex(self.provider[2:])
            + card.encode()
        ).digest()


@dataclass(frozen=True)
class CardAnswer:
    """A card's product, which stays with the provider, and the SHA-256 of each of its rows as little-endian int32."""

    card: str
    product: npt.NDArray[np.int32]
    digests: tuple[bytes, ...]

    @property
    def root(self) -> Bytes32:
        """Over the digests."""
        return merkle_root(self.digests)

    def opened(self, rows: Sequence[int]) -> npt.NDArray[np.int32]:
        """The rows that a verifier asks for."""
        return self.product[list(rows)]

    def close(self) -> None:
        """Nothing but memory of the host is held."""


def answer_card(challenge: HardwareChallenge, card: str, right: npt.NDArray[np.int8], gemm: IntegerGemm) -> CardAnswer:
    """Do the work of one card; ``right`` is the challenge's, made once for all cards."""
    product = gemm.multiply(challenge.left(card), right)
    return CardAnswer(card, product, tuple(row_digest(row) for row in product))


def commitment(answers: Sequence[Sequence[bytes]]) -> Bytes32:
    """The root over the cards, in the challenge's order, of the roots over their rows' digests."""
    return commitment_of([merkle_root(digests) for digests in answers])


def commitment_of(roots: Sequence[Bytes32]) -> Bytes32:
    """The same, of the cards' roots."""
    return merkle_root([bytes.fromhex(root[2:]) for root in roots])


def row_digest(row: npt.NDArray[np.int32]) -> bytes:
    """SHA-256 of a row of a product."""
    return hashlib.sha256(row.astype("<i4").tobytes()).digest()


def _rows(key: bytes, rows: Sequence[int], size: int) -> npt.NDArray[np.int8]:
    words = np.frombuffer(key[:16], dtype="<u8")
    matrix = np.empty((len(rows), size), dtype=np.int8)
    for place, row in enumerate(rows):
        stream = np.random.Philox(key=words, counter=np.array([0, row, 0, 0], dtype=np.uint64))
        matrix[place] = stream.random_raw(size // 8).astype("<u8").view(np.int8)
    return matrix
