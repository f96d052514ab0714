"""Freivalds' check that an integer matrix is a product, modulo p = 2^61 − 1: three products with a vector instead of one of matrices.

With D = C − A·B and r uniform over the vectors modulo p, D·r = 0 has probability at most 1/p for a D that is not zero modulo p: fix all of r but
one entry that meets a non-zero entry of D, and one value of p remains (Freivalds, "Probabilistic machines can use less running time", 1977; Motwani
and Raghavan, "Randomized Algorithms", section 7.1). r is drawn after C was committed, so C does not depend on it.

Equality modulo p is equality as long as no two admissible entries differ by p: |(A·B)_ij| ≤ k·max|A|·max|B| =: h. An entry of C beyond h is wrong
without more ado, and with 2·h < p the rest cannot be congruent to the product and differ from it. Where 2·h ≥ p, the check says nothing.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.verification.challenge_stream import random_residues
from computility.verification.check_result import CheckResult
from computility.verification.mersenne61 import PRIME, Residues, VectorProducts, magnitude, row_blocks

BITS_PER_ROUND: Final = math.log2(PRIME)
PRODUCT_HOLDS: Final = "product-holds"
PRODUCT_WRONG: Final = "product-wrong"
SHAPE_WRONG: Final = "shape-wrong"
NOT_INTEGERS: Final = "not-integers"
INPUTS_UNFIT: Final = "inputs-unfit"
RANGE_TOO_WIDE: Final = "range-too-wide"
OUT_OF_MEMORY: Final = "out-of-memory"
UNREADABLE: Final = "unreadable"


def check_integer_product(
    left: npt.NDArray[Any], right: npt.NDArray[Any], product: npt.NDArray[Any], seed: bytes, rounds: int = 1
) -> CheckResult:
    """Whether ``product`` is ``left @ right`` over the integers. A wrong one passes with probability at most (2^61 − 1)^−rounds.

    Args:
        left: A, integers of up to 64 bits, (m, k). All three may be memory-mapped (``numpy.memmap``): they are read by blocks of rows.
        right: B, (k, n).
        product: C as the provider committed to it, (m, n).
        seed: at least 16 bytes that nobody knew when C was committed.
        rounds: independent vectors, at least 1.

    Returns:
        PASS, FAIL (``measures["row"]`` is a wrong row), or NO_FAULT where nothing can be told.

    Raises:
        ValueError: a seed too short, or no round.
    """
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    if left.dtype.kind not in "iu" or right.dtype.kind not in "iu":
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    if product.shape != (left.shape[0], right.shape[1]):
        return CheckResult(Verdict.FAIL, SHAPE_WRONG)
    if product.dtype.kind not in "iu":
        return CheckResult(Verdict.FAIL, NOT_INTEGERS)
    vectors = random_residues(seed, "freivalds", (right.shape[1], rounds))
    try:
        return _check(left, right, product, vectors)
    except MemoryError:
        return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
    except OSError:
        return CheckResult(Verdict.NO_FAULT, UNREADABLE)


def _check(
    left: npt.NDArray[Any], right: npt.NDArray[Any], product: npt.NDArray[Any], vectors: Residues
) -> CheckResult:
    inner = right.shape[0]
    right_highest = 0
    drawn = VectorProducts(vectors)
    projected = np.empty((inner, vectors.shape[1]), dtype=np.uint64)
    for rows in row_blocks(inner, right.shape[1]):
        block = right[rows]
        highest = magnitude(block)
        right_highest = max(right_highest, highest)
        projected[rows] = drawn.of(block, highest)
    expected = VectorProducts(projected)
    for rows in row_blocks(left.shape[0], max(inner, right.shape[1])):
        block, claimed = left[rows], product[rows]
        highest, claimed_highest = magnitude(block), magnitude(claimed)
        bound = inner * highest * right_highest
        if 2 * bound >= PRIME:
            return CheckResult(Verdict.NO_FAULT, RANGE_TOO_WIDE)
        if claimed_highest <= bound:
            wrong = (expected.of(block, highest) != drawn.of(claimed, claimed_highest)).any(axis=1)
        else:
            wrong = (claimed > bound).any(axis=1) | (claimed < -bound).any(axis=1)
        if wrong.any():
            return CheckResult(Verdict.FAIL, PRODUCT_WRONG, measures={"row": float(rows.start + int(wrong.argmax()))})
    return CheckResult(Verdict.PASS, PRODUCT_HOLDS, BITS_PER_ROUND * vectors.shape[1])
