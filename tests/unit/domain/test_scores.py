"""The quick ways to a score are the plain ones."""

from __future__ import annotations

import random

import pytest

from computility.domain.identifiers import Address
from computility.domain.job import ClosedBy, Outcome
from computility.domain.score_slot import BUCKET_MAX, BUCKETS, PRIOR, WEIGHT_MAX, WEIGHT_UNIT, ScoreSlot
from computility.domain.scores import ClosedJob, score_close, score_pass
from computility.domain.units import FULL_BPS

PEOPLE = [Address("0x" + byte * 20) for byte in ("0a", "0b", "0c")]
EPOCH, EPOCH_S = 2_900, 7 * 86_400


def random_slot(chance: random.Random) -> ScoreSlot:
    """Of any tier, with debits or without, decayed or not, with full buckets and empty ones."""
    credit = chance.choice((0, chance.getrandbits(19), chance.getrandbits(26), chance.getrandbits(32), WEIGHT_MAX))
    debits = [chance.choice((0, 0, chance.getrandbits(25))) for _ in range(3)]
    earned = tuple(chance.choice((0, BUCKET_MAX, chance.randrange(BUCKET_MAX))) for _ in range(BUCKETS))
    return ScoreSlot(credit, *debits, EPOCH - chance.choice((0, 0, 1, 30)), earned)


@pytest.mark.parametrize("seed", range(300))
def test_a_full_pass__scores_as_any_close(seed: int) -> None:
    chance = random.Random(seed)  # reproducible on purpose
    buyer, payer, provider = (chance.choice(PEOPLE) for _ in range(3))
    slots = random_slot(chance), random_slot(chance)
    fee = chance.choice((0, WEIGHT_UNIT - 1, WEIGHT_UNIT, chance.getrandbits(60), chance.getrandbits(104)))
    closed = ClosedJob(
        buyer, payer, provider, fee, chance.getrandbits(80), FULL_BPS, ClosedBy.ATTESTED, Outcome.PASS, False, False
    )
    quick = score_pass(*slots, (buyer, payer, provider), fee, EPOCH)
    assert quick == score_close(*slots, closed, EPOCH * EPOCH_S + chance.randrange(EPOCH_S))


@pytest.mark.parametrize("seed", range(300))
def test_a_tier__is_by_credit_and_score(seed: int) -> None:
    slot = random_slot(random.Random(seed))  # reproducible on purpose
    score = FULL_BPS * (slot.credit + PRIOR) // (slot.credit + slot.debit + 2 * PRIOR)
    tiers = ((3, 10**8, 9_000), (2, 10**7, 7_500), (1, 10**6, 6_000))
    assert slot.tier == max(
        (tier for tier, credit, least in tiers if slot.credit >= credit and score >= least), default=0
    )


@pytest.mark.parametrize(
    ("credit", "tier"), [(10**6 - 1, 0), (10**6, 1), (10**7 - 1, 1), (10**7, 2), (10**8 - 1, 2), (10**8, 3)]
)
def test_whoever_has_the_credit_and_no_debit__has_the_tier(credit: int, tier: int) -> None:
    slot = ScoreSlot(credit)
    assert slot.tier == tier
    assert slot.score_bps >= {0: 0, 1: 6_000, 2: 7_500, 3: 9_000}[tier]
