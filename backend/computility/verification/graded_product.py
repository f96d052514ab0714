"""Products of badly scaled floats, delivered by grades, so that no term is too small to be missed.

A sum in float32 keeps nothing of a term that is 2^-24 of it: whether the provider computed that term cannot be read from the sum, by anybody. So the
inner dimension is cut by the terms' size, and one product is delivered for each part; they add up to A·B, more exactly than one sum does. There are
as many multiplications as before. With

    e_k = exponent(max_i |a_ik|) + exponent(max_j |b_kj|),    grade_k = min(⌊(max e − e_k) / GRADE_BITS⌋, MAX_GRADES − 1),

integers that every machine finds alike, the largest terms of two places of a grade are within a factor of 2^(GRADE_BITS + 1) of each other, but in
the last grade. A grade of more than ``MAX_PLACES`` is cut into parts of equal length, as long sums hide a lower precision. Each part's product is
held to the three tests of `freivalds_float`, with tolerances of its own size. Places where a column of A or a row of B is zero belong to no part.

The delivered matrix has the parts' products one below the other, (parts · m, n), the largest terms first; inputs that are all zero have one part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import INPUTS_UNFIT, OUT_OF_MEMORY, SHAPE_WRONG, UNREADABLE
from computility.verification.freivalds_float import FLOAT32, Precision, check_float_product

GRADE_BITS: Final = 8
MAX_GRADES: Final = 16
"""The last takes all that is smaller, below 2^-120 of the largest."""
MAX_PLACES: Final = 8_192


def parts_of(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> list[npt.NDArray[np.intp]]:
    """The inner places of each part, ascending, the largest terms first; one empty part where all terms are zero.

    Args:
        left: A, finite reals, (m, k).
        right: B, (k, n).

    Raises:
        ValueError: an entry is not finite.
    """
    sizes = (
        np.abs(left).max(axis=0, initial=0).astype(np.float64),
        np.abs(right).max(axis=1, initial=0).astype(np.float64),
    )
    if not all(np.isfinite(size).all() for size in sizes):
        raise ValueError("a matrix has entries that are no finite numbers")
    counted = np.flatnonzero((sizes[0] > 0) & (sizes[1] > 0))
    if not len(counted):
        return [counted]
    exponents = sum(np.frexp(size[counted])[1].astype(np.int64) for size in sizes)
    grade = np.minimum((exponents.max() - exponents) // GRADE_BITS, MAX_GRADES - 1)
    parts: list[npt.NDArray[np.intp]] = []
    for number in np.unique(grade):
        places = counted[grade == number]
        parts += np.array_split(places, -(-len(places) // MAX_PLACES))
    return parts


def multiply_by_grades(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """What an honest provider delivers for A and B, (parts · m, n), of their own type.

    Raises:
        ValueError: an entry is not finite.
    """
    return np.vstack([left[:, places] @ right[places] for places in parts_of(left, right)])


def check_graded_product(
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    product: npt.NDArray[Any],
    seed: bytes,
    precision: Precision = FLOAT32,
    rounds: int = 32,
    check: Callable[..., CheckResult] = check_float_product,
) -> CheckResult:
    """Whether ``product`` is A·B by grades, but for the rounding that ``precision`` grants.

    An honest one is rejected with at most the probability of `check_float_product` times the number of parts. A wrong one chooses the part that it is
    wrong in, so ``soundness_bits`` are those of one check. Arguments are those of `check_float_product`, but for ``product``, (parts · m, n).
    ``check`` is asked of each part.

    Returns:
        PASS, FAIL, or NO_FAULT. ``measures``: the highest of all parts, and how many ``parts`` there are.

    Raises:
        ValueError: a seed too short, or no round.
    """
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    try:
        parts = parts_of(left, right)
    except ValueError:
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    except MemoryError:
        return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
    except OSError:
        return CheckResult(Verdict.NO_FAULT, UNREADABLE)
    rows = left.shape[0]
    if product.shape != (rows * len(parts), right.shape[1]):
        return CheckResult(Verdict.FAIL, SHAPE_WRONG)
    found: list[CheckResult] = []
    for number, places in enumerate(parts):
        try:
            terms = left[:, places], right[places]
        except MemoryError:
            return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
        block = product[number * rows : (number + 1) * rows]
        found.append(check(*terms, block, _seed_of(seed, number), precision, rounds))
        if found[-1].verdict is not Verdict.PASS:
            return found[-1]
    measures = {name: max(one.measures[name] for one in found) for name in found[0].measures}
    return replace(found[0], measures={**measures, "parts": float(len(parts))})


def _seed_of(seed: bytes, part: int) -> bytes:
    """Signs of different parts are independent: what is lost in one is not made up for in another."""
    return hashlib.sha256(b"computility/grade/1" + part.to_bytes(4, "big") + seed).digest()
