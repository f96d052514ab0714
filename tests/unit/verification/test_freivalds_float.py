"""Freivalds' check of floating-point products: rounding passes, whatever saves work does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from computility.domain.attestation import Verdict
from computility.verification.freivalds_float import BFLOAT16_OUT, FLOAT16_OUT, FLOAT32, Precision, check_float_product
from computility.verification.graded_product import check_graded_product

SEED = b"drawn after the commitment"
Sampler = Callable[[np.random.Generator, tuple[int, int]], Any]
DISTRIBUTIONS: dict[str, Sampler] = {
    "normal": lambda random, shape: random.standard_normal(shape),
    "positive": lambda random, shape: random.random(shape),
    "heavy-tailed": lambda random, shape: np.exp(3 * random.standard_normal(shape)),
    "badly scaled": lambda random, shape: random.standard_normal(shape) * 10.0 ** random.integers(-6, 7, (shape[0], 1)),
    "sparse": lambda random, shape: random.standard_normal(shape) * (random.random(shape) < 0.02),
}


def rounded(matrix: Any, dropped_bits: int) -> Any:
    """float32 with so many bits of the mantissa rounded away: 13 gives TF32, 16 bfloat16."""
    half = np.uint32(1 << (dropped_bits - 1))
    mask = np.uint32(0xFFFFFFFF ^ ((1 << dropped_bits) - 1))
    return ((matrix.view(np.uint32) + half) & mask).view(np.float32)


def quantised(left: Any, right: Any) -> Any:
    steps = [np.abs(matrix).max() / 127 for matrix in (left, right)]
    return np.round(left / steps[0]) @ np.round(right / steps[1]) * np.float32(steps[0] * steps[1])


def with_a_row_of_zeros(left: Any, right: Any) -> Any:
    product = left @ right
    product[np.abs(product).sum(axis=1).argmax()] = 0
    return product


def skipping_a_hundredth(left: Any, right: Any) -> Any:
    kept = left.shape[1] - left.shape[1] // 100
    return left[:, :kept] @ right[:kept]


CHEATS: dict[str, Callable[[Any, Any], Any]] = {
    "TF32": lambda left, right: rounded(left, 13) @ rounded(right, 13),
    "bfloat16": lambda left, right: rounded(left, 16) @ rounded(right, 16),
    "int8": quantised,
    "a row of zeros": with_a_row_of_zeros,
    "1 % of K skipped": skipping_a_hundredth,
}


def inputs(distribution: str, seed: int, shape: tuple[int, int, int]) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    sample = DISTRIBUTIONS[distribution]
    rows, inner, columns = shape
    return sample(random, (rows, inner)).astype(np.float32), sample(random, (inner, columns)).astype(np.float32)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_honest_products_pass(distribution: str) -> None:
    for trial in range(60):
        left, right = inputs(distribution, trial, (16 + trial, 300 - trial, 40 + trial))
        result = check_float_product(left, right, left @ right, SEED + bytes([trial]))
        assert result.verdict is Verdict.PASS
        assert result.soundness_bits == pytest.approx(18.2, abs=0.2)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_product_that_is_summed_one_by_one__passes(distribution: str) -> None:
    left, right = inputs(distribution, 5, (24, 1000, 24))
    total = np.zeros((24, 24), dtype=np.float32)
    for step in range(1000):
        total += left[:, step : step + 1] * right[step : step + 1]
    assert check_float_product(left, right, total, SEED).verdict is Verdict.PASS


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("cheat", CHEATS)
def test_cheap_products_fail(distribution: str, cheat: str) -> None:
    left, right = inputs(distribution, 7, (256, 512, 256))
    result = check_float_product(left, right, CHEATS[cheat](left, right), SEED)
    assert (result.verdict, result.reason) == (Verdict.FAIL, "product-wrong")


def test_a_product_rounded_to_bfloat16__passes_only_where_the_policy_grants_it() -> None:
    left, right = inputs("normal", 9, (64, 128, 64))
    left, right = rounded(left, 16), rounded(right, 16)
    product = rounded(left @ right, 16)
    assert check_float_product(left, right, product, SEED, BFLOAT16_OUT).verdict is Verdict.PASS
    assert check_float_product(left, right, product, SEED, FLOAT32).verdict is Verdict.FAIL


def to_float16(matrix: Any) -> Any:
    return matrix.astype(np.float16).astype(np.float32)


def added_in_parts(left: Any, right: Any, narrow: Callable[[Any], Any]) -> Any:
    """As libraries do that add up a few parts of K in the narrow type."""
    parts = [slice(start, start + left.shape[1] // 4) for start in range(0, left.shape[1], left.shape[1] // 4)]
    total = np.float32(0)
    for part in parts:
        total = narrow(total + narrow(left[:, part] @ right[part]))
    return total


NARROW: dict[str, tuple[Precision, Callable[[Any], Any]]] = {
    "bfloat16": (BFLOAT16_OUT, lambda matrix: rounded(matrix, 16)),
    "float16": (FLOAT16_OUT, to_float16),
}
WIDE = (128, 4_096, 128)
"""Long sums, which are small beside what the norms of their factors allow."""
CHEATS_IN_NARROW: dict[str, Callable[[Any, Any], Any]] = {
    "a row of zeros": with_a_row_of_zeros,
    "1 % of K skipped": skipping_a_hundredth,
    "float8": lambda left, right: rounded(left, 20) @ rounded(right, 20),
    "nothing at all": lambda left, right: np.zeros((left.shape[0], right.shape[1]), np.float32),
}


@pytest.mark.parametrize("cheat", CHEATS_IN_NARROW)
@pytest.mark.parametrize("granted", NARROW)
def test_cheap_products__fail_however_long_the_sums__where_narrow_results_are_granted(granted: str, cheat: str) -> None:
    precision, narrow = NARROW[granted]
    # So that float16 holds what the norms allow.
    left, right = (narrow(np.float32(0.2) * matrix) for matrix in inputs("normal", 11, WIDE))
    made = narrow(CHEATS_IN_NARROW[cheat](left, right))
    result = check_float_product(left, right, made, SEED, precision)
    assert (result.verdict, result.reason) == (Verdict.FAIL, "product-wrong")


@pytest.mark.parametrize("shape", [WIDE, (1, 4_096, 1), (300, 7, 300), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("granted", NARROW)
def test_honest_narrow_products_pass(granted: str, distribution: str, shape: tuple[int, int, int]) -> None:
    precision, narrow = NARROW[granted]
    left, right = inputs(distribution, 12, shape)
    # Of float16 the norms have to stay in its range.
    scales = [np.float32(100 / max(100.0, float(np.linalg.norm(matrix)))) for matrix in (left, right)]
    left, right = narrow(left * scales[0]), narrow(right * scales[1])
    for product in (narrow(left @ right), added_in_parts(left, right, narrow) if shape[1] % 4 == 0 else None):
        if product is not None:
            result = check_float_product(left, right, product, SEED, precision)
            assert result.verdict is Verdict.PASS, result.measures


@pytest.mark.parametrize("granted", NARROW)
def test_sums_that_cancel__pass__though_what_is_written_is_far_smaller_than_what_was_added(granted: str) -> None:
    precision, narrow = NARROW[granted]
    left, right = (narrow(np.float32(0.1) * matrix) for matrix in inputs("normal", 13, (64, 1_024, 64)))
    left, right = np.hstack([left, left]), np.vstack([right, narrow(right * np.float32(-1.001))])
    product = narrow(left @ right)
    assert np.abs(product).max() < np.linalg.norm(left[0]) * np.linalg.norm(right[:, 0]) / 100
    assert check_float_product(left, right, product, SEED, precision).verdict is Verdict.PASS


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_product_that_is_no_number__fails__and_inputs_that_are_none_harm_nobody(value: float) -> None:
    left, right = inputs("normal", 3, (8, 8, 8))
    product = left @ right
    product[2, 2] = value
    assert check_float_product(left, right, product, SEED).reason == "not-finite"
    left[2, 2] = value
    assert check_float_product(left, right, product, SEED).verdict is Verdict.NO_FAULT


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("columns", [64, 2_048])
@pytest.mark.parametrize("largest", [1.7e308, 1e300, 1e200, 1e160])
def test_sums_beyond_what_doubles_hold__fail(columns: int, largest: float) -> None:
    left, right = inputs("normal", 5, (64, 64, columns))
    made_up = np.zeros((64, columns))
    made_up[0] = largest
    for seed in (SEED, SEED + b"2", SEED + b"3"):
        for precision in (FLOAT32, BFLOAT16_OUT, FLOAT16_OUT):
            assert check_float_product(left, right, made_up, seed, precision).verdict is Verdict.FAIL
        assert check_graded_product(left, right, made_up, seed).verdict is Verdict.FAIL
    # Of large numbers that are right, no sum is beyond it.
    large = left * np.float32(1e17), right * np.float32(1e17)
    assert check_float_product(*large, large[0] @ large[1], SEED).verdict is Verdict.PASS


def test_zero_inputs__allow_nothing_but_zero() -> None:
    zeros = np.zeros((8, 8), dtype=np.float32)
    assert check_float_product(zeros, zeros, zeros, SEED).verdict is Verdict.PASS
    assert check_float_product(zeros, zeros, zeros + np.float32(1e-20), SEED).verdict is Verdict.FAIL


def test_numbers_that_underflow__may_be_flushed_to_zero() -> None:
    tiny = np.full((8, 8), 1e-30, dtype=np.float32)
    assert check_float_product(tiny, tiny, np.zeros((8, 8), dtype=np.float32), SEED).verdict is Verdict.PASS


def test_numbers_that_may_overflow__are_not_judged() -> None:
    huge = np.full((8, 8), 1e30, dtype=np.float32)
    with np.errstate(over="ignore"):
        assert check_float_product(huge, huge, huge @ huge, SEED).reason == "range-too-wide"


def test_doubles_are_more_than_this_verifier_can_judge() -> None:
    doubles = Precision(2.0**-53, 1024, 0.0, 2.0**-1022, 2.0**1023)
    left, right = inputs("normal", 3, (8, 8, 8))
    assert check_float_product(left, right, left @ right, SEED, doubles).reason == "precision-too-high"
