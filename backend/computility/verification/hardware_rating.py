"""Checks the answer to a hardware challenge by a few rows, and rates the cards by the time that it took.

The rows are drawn after the commitment, from a seed that did not exist then. A provider that skips a share s of the rows is missed with probability
(1 − s)^q for q sampled rows: 1 % at s = 1 % with the default of 460. All sampled rows are checked at once by Freivalds' check, so what a verifier
does is to make B and multiply it with one vector.

What a rating says: that within this time somebody did this work for this provider. It does not say that the cards were the provider's own and not
hired for the epoch; what keeps ratings honest is that epochs come unannounced and ratings expire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Bytes32
from computility.verification.challenge_stream import MIN_SEED_BYTES, random_sample
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import BITS_PER_ROUND, check_integer_product
from computility.verification.hardware_challenge import HardwareChallenge, commitment, row_digest

SAMPLED_ROWS: Final = 460
ROWS_HOLD: Final = "rows-hold"
ROOT_DIFFERS: Final = "root-differs"
ROWS_MISSING: Final = "rows-missing"
ROW_DIFFERS: Final = "row-differs"
MICRO_CU_OPERATIONS: Final = 10**6
"""Operations per second in a millionth of a compute unit: a unit is 10^12 a second."""


def sampled_rows(
    challenge: HardwareChallenge, card: str, root: Bytes32, seed: bytes, rows: int = SAMPLED_ROWS
) -> list[int]:
    """The rows of a card that the provider has to open; ``seed`` was drawn after ``root`` was committed."""
    return random_sample(_bound(seed, root, card), "hardware-rows", challenge.rows, rows)


def check_answer(
    challenge: HardwareChallenge,
    root: Bytes32,
    digests: Mapping[str, Sequence[bytes]],
    opened: Mapping[str, npt.NDArray[Any]],
    seed: bytes,
    rows: int = SAMPLED_ROWS,
) -> CheckResult:
    """Whether every card's sampled rows are rows of its product, under the root that was committed.

    Args:
        challenge: what was asked.
        root: the provider's commitment.
        digests: for each card the digests of all its rows (32 · rows bytes).
        opened: for each card its sampled rows, ascending, int32.
        seed: at least 16 bytes that nobody knew when the root was committed.
        rows: how many are sampled.

    Returns:
        PASS, or FAIL; ``soundness_bits`` is of 1 % of a card's rows being wrong. A FAIL means no rating; nothing else follows from it.
    """
    if digests.keys() != set(challenge.cards) or opened.keys() != set(challenge.cards):
        return CheckResult(Verdict.FAIL, ROWS_MISSING)
    if any(len(digests[card]) != challenge.rows for card in challenge.cards):
        return CheckResult(Verdict.FAIL, ROWS_MISSING)
    if commitment([digests[card] for card in challenge.cards]) != root:
        return CheckResult(Verdict.FAIL, ROOT_DIFFERS)
    left, product = [], []
    for card in challenge.cards:
        sample = sampled_rows(challenge, card, root, seed, rows)
        claimed = opened[card]
        if claimed.shape != (len(sample), challenge.size) or claimed.dtype.kind != "i":
            return CheckResult(Verdict.FAIL, ROWS_MISSING)
        if any(row_digest(row) != digests[card][index] for index, row in zip(sample, claimed, strict=True)):
            return CheckResult(Verdict.FAIL, ROW_DIFFERS)
        left.append(challenge.left(card, sample))
        product.append(claimed)
    found = check_integer_product(
        np.concatenate(left), challenge.right(), np.concatenate(product), _bound(seed, root, "")
    )
    if found.verdict is not Verdict.PASS:
        return found
    return CheckResult(Verdict.PASS, ROWS_HOLD, _skip_bits(challenge.rows, min(rows, challenge.rows)))


def micro_cu(challenge: HardwareChallenge, elapsed_ms: int) -> int:
    """The rate of each card in millionths of a compute unit, rounded down: all answered within ``elapsed_ms`` of the seed's appearance.

    Raises:
        ValueError: no time.
    """
    if elapsed_ms < 1:
        raise ValueError("an answer takes at least a millisecond")
    return challenge.operations * 1_000 // (elapsed_ms * MICRO_CU_OPERATIONS)


def _skip_bits(rows: int, sampled: int) -> float:
    """−log2 of the chance that a sample misses every one of 1 % wrong rows."""
    wrong = max(1, rows // 100)
    places = np.arange(wrong, dtype=np.float64)
    kept = (rows - sampled - places) / (rows - places)
    # However many rows are seen, Freivalds' check may err.
    return min(BITS_PER_ROUND, float(-np.log2(kept).sum())) if kept.min() > 0 else BITS_PER_ROUND


def _bound(seed: bytes, root: Bytes32, card: str) -> bytes:
    if len(seed) < MIN_SEED_BYTES:
        raise ValueError(f"a challenge seed has at least {MIN_SEED_BYTES} bytes, not {len(seed)}")
    return hashlib.sha256(seed + bytes.fromhex(root[2:]) + card.encode()).digest()
