"""What an account has shown in one role: the twin of ``contracts/libraries/ScoreSlot.sol``, bit for bit.

Weights are in millionths of a credit, as of ``epoch``, in weeks since 1970. What counterparties brought in that week is kept by bucket, in
``BUCKET_UNIT`` weights, rounded up; who shares a bucket shares its cap.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from computility.domain.identifiers import Address, keccak_bytes32
from computility.domain.units import FULL_BPS, Bps

WEIGHT_UNIT: Final = 10**12
"""Atoms of credit to one of weight."""
WEIGHT_MAX: Final = 2**32 - 1
PRIOR: Final = 10**6
EPOCH_S: Final = 7 * 86_400
EPOCH_MAX: Final = 2**16 - 1
HALF_LIFE: Final = 13
"""In epochs."""
BUCKETS: Final = 11
BUCKET_UNIT: Final = 5_000
BUCKET_MAX: Final = 1_023

_LEFT: Final = (65536, 62133, 58907, 55848, 52948, 50199, 47592, 45121, 42779, 40557, 38451, 36455, 34562)
"""⌊2¹⁶ · 2^(−i/13)⌋."""
_TIERS: Final = ((100_000_000, 9_000), (10_000_000, 7_500), (1_000_000, 6_000))
"""Least credit and least score of tiers 3, 2 and 1."""


def epoch_of(time_s: int) -> int:
    """The epoch of a UTC second."""
    return min(time_s // EPOCH_S, EPOCH_MAX)


@lru_cache(maxsize=65_536)
def bucket_of(counterparty: Address, epoch: int) -> int:
    """Which bucket a counterparty falls in, in an epoch."""
    return int(keccak_bytes32((int(counterparty, 16) | epoch << 160).to_bytes(32, "big")), 16) % BUCKETS


def share_bps(credit: int, debit: int) -> Bps:
    """The expected share of good conduct under a Beta prior (Jøsang and Ismail, 2002), in basis points, rounded down."""
    return Bps(FULL_BPS * (credit + PRIOR) // (credit + debit + 2 * PRIOR))


class ScoreSlot(NamedTuple):
    """One word. ``earned`` has one entry a bucket."""

    credit: int = 0
    fulfilment_debit: int = 0
    quality_debit: int = 0
    behaviour_debit: int = 0
    epoch: int = 0
    earned: tuple[int, ...] = (0,) * BUCKETS

    @staticmethod
    def from_word(word: int) -> ScoreSlot:
        """The word that a contract stores."""
        credit, fulfilment, quality, behaviour = ((word >> shift) & WEIGHT_MAX for shift in (0, 32, 64, 96))
        earned = tuple((word >> (144 + 10 * bucket)) & BUCKET_MAX for bucket in range(BUCKETS))
        return ScoreSlot(credit, fulfilment, quality, behaviour, (word >> 128) & EPOCH_MAX, earned)

    def to_word(self) -> int:
        """As a contract stores it."""
        word = self.credit | self.fulfilment_debit << 32 | self.quality_debit << 64 | self.behaviour_debit << 96
        word |= self.epoch << 128
        for bucket, earned in enumerate(self.earned):
            word |= earned << (144 + 10 * bucket)
        return word

    def decayed_to(self, epoch: int) -> ScoreSlot:
        """In a later epoch: weights decayed, buckets empty. Unchanged in its own or an earlier one."""
        if epoch <= self.epoch:
            return self
        halvings, rest = divmod(epoch - self.epoch, HALF_LIFE)
        left, shift = _LEFT[rest], 16 + halvings
        return ScoreSlot(
            (self.credit * left) >> shift,
            (self.fulfilment_debit * left) >> shift,
            (self.quality_debit * left) >> shift,
            (self.behaviour_debit * left) >> shift,
            epoch,
        )

    def earn(self, counterparty: Address, weight: int) -> ScoreSlot:
        """With ``weight`` earned, as far as the counterparty's bucket and the word have room."""
        if not weight:
            return self
        credit, fulfilment, quality, behaviour, epoch, earned = self
        bucket = bucket_of(counterparty, epoch)
        filled = earned[bucket]
        counted, room, left = weight, (BUCKET_MAX - filled) * BUCKET_UNIT, WEIGHT_MAX - credit
        # By hand: ``min`` takes three times as long, and every close passes here twice.
        if counted > room:
            counted = room
        if counted > left:
            counted = left
        if counted == 0:
            return self
        used = filled - (-counted // BUCKET_UNIT)
        if used != filled:
            earned = (*earned[:bucket], used, *earned[bucket + 1 :])
        return tuple.__new__(ScoreSlot, (credit + counted, fulfilment, quality, behaviour, epoch, earned))

    def lose(self, fulfilment: int, quality: int, behaviour: int) -> ScoreSlot:
        """With debits added, each up to the most that fits."""
        if not fulfilment and not quality and not behaviour:
            return self
        return ScoreSlot(
            self.credit,
            min(self.fulfilment_debit + fulfilment, WEIGHT_MAX),
            min(self.quality_debit + quality, WEIGHT_MAX),
            min(self.behaviour_debit + behaviour, WEIGHT_MAX),
            self.epoch,
            self.earned,
        )

    @property
    def debit(self) -> int:
        """All three together."""
        return self.fulfilment_debit + self.quality_debit + self.behaviour_debit

    @property
    def score_bps(self) -> Bps:
        """The score: 5,000 of a newcomer."""
        return share_bps(self.credit, self.debit)

    @property
    def tier(self) -> int:
        """0 to 3."""
        if self.credit < _TIERS[-1][0]:
            return 0
        debit = self.debit
        for below, (credit, score_bps) in enumerate(_TIERS):
            # Whoever has a tier's credit and no debit has its score.
            if self.credit >= credit and (not debit or self.score_bps >= score_bps):
                return 3 - below
        return 0
