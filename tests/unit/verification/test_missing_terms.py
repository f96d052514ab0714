"""Terms that a provider left out are found across rows; terms that an honest sum absorbs are nobody's fault."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from computility.domain.attestation import Verdict
from computility.verification.freivalds_float import check_float_product

SEED = b"drawn after the commitment"


def badly_scaled(seed: int) -> tuple[Any, Any]:
    """B has a row below the rounding that the other rows bring into each entry, and above that of a single addition."""
    random = np.random.default_rng(seed)
    left, right = random.standard_normal((512, 256)), random.standard_normal((256, 128))
    right[7] *= 1e-4
    return left.astype("f4"), right.astype("f4")


def one_after_the_other(left: Any, right: Any) -> Any:
    """float32 sums in the order of the inner dimension, as written down."""
    product = np.zeros((left.shape[0], right.shape[1]), dtype=np.float32)
    for inner in range(left.shape[1]):
        product += np.outer(left[:, inner], right[inner])
    return product


@pytest.mark.parametrize("seed", range(5))
def test_a_term_that_no_row_shows_missing__is_missed_across_rows(seed: int) -> None:
    left, right = badly_scaled(seed)
    honest = check_float_product(left, right, one_after_the_other(left, right), SEED)
    assert honest.verdict is Verdict.PASS
    without = right.copy()
    without[7] = 0
    cheap = check_float_product(left, right, one_after_the_other(left, without), SEED)
    assert cheap.verdict is Verdict.FAIL
    assert max(cheap.measures["row"], cheap.measures["joint"]) < 1 < cheap.measures["terms"]


@pytest.mark.parametrize("size", [1e-9, 1e-8, 3e-8, 6e-8, 1e-7, 2e-7])
def test_terms_that_an_honest_sum_absorbs__are_nobodys_fault(size: float) -> None:
    """All that follows the first term is below half a unit in its last place, or about there: float32 drops it each time, and always all of it."""
    random = np.random.default_rng(3)
    left = np.ones((2_048, 64), dtype=np.float32)
    left[:, 1:] = random.random((2_048, 63))
    right = (random.random((64, 64)) + 0.5).astype(np.float32)
    right[1:] *= np.float32(size)
    result = check_float_product(left, right, one_after_the_other(left, right), SEED)
    assert result.verdict is Verdict.PASS
    assert result.measures["terms"] < 1


def test_many_small_terms_that_are_missing_together__are_missed() -> None:
    random = np.random.default_rng(4)
    left, right = (random.standard_normal(shape).astype("f4") for shape in ((1_024, 512), (512, 256)))
    right[:] *= np.where(np.arange(512) < 32, 1.0, 1e3)[:, np.newaxis].astype("f4")
    right[:16] *= np.float32(0.1)
    without = right.copy()
    without[:16] = 0
    assert check_float_product(left, right, left @ right, SEED).verdict is Verdict.PASS
    assert check_float_product(left, right, left @ without, SEED).verdict is Verdict.FAIL
