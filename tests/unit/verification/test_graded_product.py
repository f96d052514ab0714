"""Badly scaled products, delivered by grades: whatever is left out shows, and whatever is computed passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.verification.test_freivalds_float import DISTRIBUTIONS, SEED, inputs, rounded

from computility.domain.attestation import Verdict
from computility.verification import graded_product
from computility.verification.freivalds_float import check_float_product
from computility.verification.graded_product import check_graded_product, multiply_by_grades, parts_of

EXAMPLE = Path(__file__).parents[3] / "examples" / "product"


def badly_scaled(seed: int, shape: tuple[int, int, int] = (256, 512, 256)) -> tuple[Any, Any]:
    return inputs("badly scaled", seed, shape)


def leaving_out(left: Any, right: Any, skipped: Any) -> Any:
    """The parts of the product, each without some of its places."""
    parts = [places[~np.isin(places, skipped)] for places in parts_of(left, right)]
    return np.vstack([left[:, places] @ right[places] for places in parts])


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_honest_parts_pass(distribution: str) -> None:
    for trial in range(12):
        left, right = inputs(distribution, trial, (16 + trial, 300 - trial, 40 + trial))
        result = check_graded_product(left, right, multiply_by_grades(left, right), SEED + bytes([trial]))
        assert result.verdict is Verdict.PASS
        assert result.soundness_bits == pytest.approx(18.2, abs=0.2)


def test_the_parts_add_up_to_the_product__more_exactly_than_one_sum() -> None:
    left, right = badly_scaled(1)
    exact = left.astype("f8") @ right.astype("f8")
    joined = multiply_by_grades(left, right).reshape(-1, 256, 256).sum(axis=0, dtype="f8")
    assert np.linalg.norm(joined - exact) < np.linalg.norm(left @ right - exact)


def test_places_of_a_part_are_of_like_size__and_each_place_is_in_one() -> None:
    left, right = badly_scaled(2)
    left[:, 7] = 0
    parts = parts_of(left, right)
    assert sorted(np.concatenate(parts)) == [place for place in range(512) if place != 7]
    largest = np.abs(left).max(axis=0) * np.abs(right).max(axis=1)
    spreads = [largest[places].max() / largest[places].min() for places in parts]
    assert len(parts) > 3
    assert max(spreads) <= 2 ** (graded_product.GRADE_BITS + 1)


@pytest.mark.parametrize("seed", range(6))
def test_skipping_the_smallest_hundredth__fails_though_a_single_product_shows_nothing_of_it(seed: int) -> None:
    left, right = badly_scaled(seed)
    smallest = (np.abs(left).max(axis=0) * np.abs(right).max(axis=1)).argsort()[:5]
    assert check_graded_product(left, right, leaving_out(left, right, smallest), SEED).verdict is Verdict.FAIL
    kept = np.setdiff1d(np.arange(512), smallest)
    assert check_float_product(left, right, left[:, kept] @ right[kept], SEED).verdict is Verdict.PASS


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_skipping_a_single_term__fails(distribution: str) -> None:
    for seed in range(3):
        left, right = inputs(distribution, seed, (256, 512, 256))
        place = parts_of(left, right)[-1][seed % 2 :][:1]
        if len(place):
            assert check_graded_product(left, right, leaving_out(left, right, place), SEED).verdict is Verdict.FAIL


def test_a_lower_precision_in_the_smallest_part_alone__fails() -> None:
    left, right = badly_scaled(3)
    product, places = multiply_by_grades(left, right), parts_of(left, right)[-1]
    product[-256:] = rounded(left[:, places], 13) @ rounded(right[places], 13)
    assert check_graded_product(left, right, product, SEED).verdict is Verdict.FAIL


def test_long_sums_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graded_product, "MAX_PLACES", 100)
    left, right = inputs("normal", 1, (8, 250, 8))
    assert [len(places) for places in parts_of(left, right)] == [84, 83, 83]
    assert check_graded_product(left, right, multiply_by_grades(left, right), SEED).verdict is Verdict.PASS


def test_a_single_product_where_parts_are_wanted__fails_by_its_shape() -> None:
    left, right = badly_scaled(4)
    assert check_graded_product(left, right, left @ right, SEED).reason == "shape-wrong"


def test_zero_inputs_have_one_part__and_what_is_no_number_harms_nobody() -> None:
    left, right = np.zeros((4, 8), dtype="f4"), np.ones((8, 4), dtype="f4")
    assert check_graded_product(left, right, np.zeros((4, 4), dtype="f4"), SEED).verdict is Verdict.PASS
    left[1, 1] = np.nan
    assert check_graded_product(left, right, np.zeros((4, 4), dtype="f4"), SEED).reason == "inputs-unfit"


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_example_delivers_what_the_check_wants(tmp_path: Path, distribution: str) -> None:
    left, right = inputs(distribution, 5, (30, 200, 20))
    np.save(tmp_path / "a.npy", left)
    np.save(tmp_path / "b.npy", right)
    environment = {**os.environ, "PRODUCT_OUT": str(tmp_path)}
    script = [sys.executable, str(EXAMPLE / "multiply_floats.py")]
    subprocess.run(script, cwd=tmp_path, env=environment, check=True, timeout=60)
    assert check_graded_product(left, right, np.load(tmp_path / "c.npy"), SEED).verdict is Verdict.PASS
    assert json.loads((EXAMPLE / "policy_floats.json").read_text())["graded"] is True
