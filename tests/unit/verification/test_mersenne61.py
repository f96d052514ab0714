"""Products modulo 2^61 − 1, against Python's own integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from computility.verification.challenge_stream import random_residues, random_sample, random_signs
from computility.verification.mersenne61 import PRIME, VectorProducts, magnitude, rotate, row_blocks

SEED = b"drawn after the commitment"
TYPES = (np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64)


@st.composite
def matrices_and_vectors(draw: st.DrawFn) -> tuple[Any, Any]:
    dtype = draw(st.sampled_from(TYPES))
    info = np.iinfo(dtype)
    rows, columns, count = draw(st.integers(1, 6)), draw(st.integers(1, 40)), draw(st.integers(1, 3))
    edges = st.sampled_from([info.min, info.max, 0, 1])
    entries = st.one_of(st.integers(int(info.min), int(info.max)), edges.map(int))
    matrix = draw(st.lists(entries, min_size=rows * columns, max_size=rows * columns))
    residues = st.one_of(st.integers(0, PRIME - 1), st.sampled_from([0, 1, PRIME - 1]))
    vectors = draw(st.lists(residues, min_size=columns * count, max_size=columns * count))
    return np.array(matrix, dtype).reshape(rows, columns), np.array(vectors, np.uint64).reshape(columns, count)


@settings(max_examples=60, deadline=None)
@given(matrices_and_vectors())
def test_products__of_any_integers__are_pythons(drawn: tuple[Any, Any]) -> None:
    matrix, vectors = drawn
    expected = [
        [sum(int(a) * int(r) for a, r in zip(row, column, strict=True)) % PRIME for column in vectors.T]
        for row in matrix
    ]

    assert VectorProducts(vectors).of(matrix, magnitude(matrix)).tolist() == expected


def test_products__as_many_columns_and_as_high_entries_as_there_are__stay_exact() -> None:
    matrix = np.full((1, 1 << 16), np.iinfo(np.int64).min, dtype=np.int64)
    vectors = np.full((1 << 16, 1), PRIME - 1, dtype=np.uint64)

    assert int(VectorProducts(vectors).of(matrix, 1 << 63)[0, 0]) == (-(1 << 79) * (PRIME - 1)) % PRIME


@given(st.integers(0, PRIME - 1), st.integers(0, 200))
def test_rotate__is_a_multiplication_by_a_power_of_two(residue: int, places: int) -> None:
    assert int(rotate(np.array([residue], np.uint64), places)[0]) == (residue << places) % PRIME


@given(st.integers(0, 5_000), st.integers(1, 100_000))
def test_row_blocks__cover_every_row_once(rows: int, columns: int) -> None:
    covered = [row for block in row_blocks(rows, columns) for row in range(block.start, block.stop)]
    assert covered == list(range(rows))


def test_draws__of_one_seed__are_the_same_everywhere_and_differ_by_label_and_seed() -> None:
    residues = random_residues(SEED, "a", (3, 2))
    # Fixed for ever: two verifiers of different releases have to agree.
    assert residues[0].tolist() == [1875439715307624138, 1457736229380839018]
    assert residues.max() < PRIME
    assert residues.tolist() != random_residues(SEED, "b", (3, 2)).tolist()
    assert residues.tolist() != random_residues(SEED + b"!", "a", (3, 2)).tolist()
    assert set(np.unique(random_signs(SEED, "a", (50, 2)))) == {-1.0, 1.0}


@given(st.integers(0, 300), st.integers(0, 300))
def test_random_sample__holds_different_numbers_of_the_population(population: int, wanted: int) -> None:
    sample = random_sample(SEED, "a", population, wanted)
    assert len(set(sample)) == len(sample) == min(population, wanted)
    assert sample == sorted(sample)
    assert all(0 <= number < population for number in sample)


def test_a_short_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        random_residues(b"short", "a", (1, 1))
