"""Freivalds' check of integer products: every wrong product is caught, no right one is rejected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computility.domain.attestation import Verdict
from computility.verification import freivalds
from computility.verification.freivalds import check_integer_product
from computility.verification.mersenne61 import PRIME

SEED = b"drawn after the commitment"
SIZES = st.integers(1, 24)


@st.composite
def products(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    rows, inner, columns = draw(SIZES), draw(SIZES), draw(SIZES)
    dtype = draw(st.sampled_from([np.int8, np.int16, np.uint8, np.int32]))
    highest = min(int(np.iinfo(dtype).max), 1 << draw(st.integers(1, 27)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    low = 0 if np.dtype(dtype).kind == "u" else -highest
    left = random.integers(low, highest, (rows, inner), dtype=dtype, endpoint=True)
    right = random.integers(low, highest, (inner, columns), dtype=dtype, endpoint=True)
    return left, right, left.astype(np.int64) @ right.astype(np.int64)


@settings(max_examples=60, deadline=None)
@given(products(), st.binary(min_size=16, max_size=40))
def test_a_right_product_passes(drawn: tuple[Any, Any, Any], seed: bytes) -> None:
    left, right, product = drawn
    result = check_integer_product(left, right, product, seed)
    assert (result.verdict, result.reason) == (Verdict.PASS, "product-holds")
    assert result.soundness_bits == pytest.approx(61)


@settings(max_examples=60, deadline=None)
@given(products(), st.data())
def test_a_product_with_one_entry_off__fails_and_the_row_is_named(
    drawn: tuple[Any, Any, Any], data: st.DataObject
) -> None:
    left, right, product = drawn
    row = data.draw(st.integers(0, product.shape[0] - 1))
    column = data.draw(st.integers(0, product.shape[1] - 1))
    off = data.draw(st.integers(-(2**40), 2**40).filter(bool))
    product[row, column] += off

    result = check_integer_product(left, right, product, SEED)

    assert (result.verdict, result.reason) == (Verdict.FAIL, "product-wrong")
    assert result.measures["row"] == row


def test_an_entry_that_is_off_by_the_modulus__fails() -> None:
    left = right = np.eye(4, dtype=np.int64)
    product = np.eye(4, dtype=np.int64)
    product[2, 1] += PRIME

    assert check_integer_product(left, right, product, SEED).verdict is Verdict.FAIL


def test_errors_that_cancel_in_every_row_and_column__fail() -> None:
    random = np.random.default_rng(1)
    left, right = (random.integers(-128, 128, (64, 64), dtype=np.int8) for _ in range(2))
    product = left.astype(np.int32) @ right.astype(np.int32)
    product[3:5, 7:9] += np.array([[1, -1], [-1, 1]], dtype=np.int32)

    assert check_integer_product(left, right, product, SEED).verdict is Verdict.FAIL


def test_memory_mapped_matrices_of_several_blocks__are_checked(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    left, right = (random.integers(-128, 128, (700, 700), dtype=np.int8) for _ in range(2))
    product = left.astype(np.int32) @ right.astype(np.int32)
    files = []
    for name, matrix in {"a": left, "b": right, "c": product}.items():
        mapped = np.memmap(tmp_path / name, dtype=matrix.dtype, mode="w+", shape=matrix.shape)
        mapped[...] = matrix
        files.append(mapped)

    assert check_integer_product(files[0], files[1], files[2], SEED, rounds=2).soundness_bits == pytest.approx(122)
    files[2][650, 3] -= 1
    assert check_integer_product(files[0], files[1], files[2], SEED).measures["row"] == 650


@pytest.mark.parametrize(
    ("left", "right", "product", "expected"),
    [
        ((2, 3), (3, 2), (2, 3), (Verdict.FAIL, freivalds.SHAPE_WRONG)),
        ((2, 3), (2, 2), (2, 2), (Verdict.NO_FAULT, freivalds.INPUTS_UNFIT)),
    ],
)
def test_matrices_that_do_not_fit(left: Any, right: Any, product: Any, expected: Any) -> None:
    result = check_integer_product(np.ones(left, int), np.ones(right, int), np.ones(product, int), SEED)
    assert (result.verdict, result.reason) == expected


def test_a_product_of_floats__fails__and_inputs_of_floats_harm_nobody() -> None:
    whole = np.eye(2, dtype=np.int64)
    assert check_integer_product(whole, whole, whole.astype(float), SEED).reason == freivalds.NOT_INTEGERS
    assert check_integer_product(whole.astype(float), whole, whole, SEED).verdict is Verdict.NO_FAULT


def test_inputs_whose_product_may_pass_the_modulus__are_not_judged() -> None:
    high = np.full((2, 2), 1 << 40, dtype=np.int64)
    result = check_integer_product(high, high, np.zeros((2, 2), dtype=np.int64), SEED)
    assert (result.verdict, result.reason) == (Verdict.NO_FAULT, freivalds.RANGE_TOO_WIDE)


def test_a_verifier_that_runs_out_of_memory__harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(freivalds, "magnitude", exhausted)
    whole = np.eye(2, dtype=np.int64)
    result = check_integer_product(whole, whole, whole, SEED)
    assert (result.verdict, result.reason, result.soundness_bits) == (Verdict.NO_FAULT, "out-of-memory", 0.0)
