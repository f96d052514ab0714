"""Is a product of floats short of some of its terms? Skipped work that hides below what rounding may do to a row is found across all rows.

The entry (i, j) of A·B is the sum of the terms a_ik·b_kj. Who leaves term k out makes the error −a_ik·b_kj everywhere: a pattern that is known, and
that can be looked for in D = (C − A·B)·R, R being the check's signs. With p_k = b_k·R, row i speaks for a missing term k by

    x_ik = −w_i²·a_ik·(d_i·p_k),    w_i = 1/‖a_i‖,

which is w_i²·a_ik²·‖p_k‖² where the term is missing, and noise where it is not. Rounding errors of different rows are independent and as often up as
down, so by Hoeffding, given the magnitudes |x_ik| (Efron, "Student's t-test under symmetry conditions", J. Amer. Statist. Assoc. 64 (1969)),

    P(Σ_i x_ik > λ·√(Σ_i x_ik²)) ≤ exp(−λ²/2),

whatever the magnitude of the errors: no bound of theirs is needed, and m rows find what is √m below the noise. The same goes for sums of terms; all
contiguous groups of 2^j are looked at, for many small terms that are missing together.

**Absorbed terms.** An honest sum loses a term that is below half a unit in the last place of the partial sum that it is added to, always. The
error of that addition is at most u·|s| for a partial sum s, hence at most u·‖a_i‖·‖B‖_F over row i. So only terms are looked at whose root mean
square over the rows is at least 2·u·‖a_i‖·‖B‖_F: their own additions' errors can take away at most half of them (Cauchy and Schwarz), and a term
counts as missing where at least three quarters are. What is smaller is less than the rounding of two additions.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np

SEEN_FROM: Final = 2.0
"""In roundings of one addition: terms below may be absorbed by an honest sum."""
MISSING_FROM: Final = 0.75
"""Share of a term that has to be absent."""
_LEAST_NORM: Final = 2.0**-960
"""Squared. A row of less says nothing, so that one over it is a number."""


class TermSums(Protocol):
    """Sums over the rows of a block."""

    def weighted_squares(self, left: Any, weights: Any) -> Any:
        """Σ_i w_i·a_ik² of A, (rows, inner), and w, (rows,): (inner,)."""
        ...

    def by_level(self, left: Any, answered: Any, levels: int) -> tuple[Any, list[Any]]:
        """Of x = A ∘ answered, both (rows, inner): Σ_i x_ik, (inner,), and for each level the Σ_i of squares of sums of 2^level neighbours, of which
        a last that is not whole is left out, (inner >> level,)."""
        ...


class ArraySums:
    """Of NumPy's arrays, or PyTorch's on any device."""

    def weighted_squares(self, left: Any, weights: Any) -> Any:
        return weights @ (left * left)

    def by_level(self, left: Any, answered: Any, levels: int) -> tuple[Any, list[Any]]:
        # Of factors within a float32's range, squares beyond doubles come from a row that is off by so much that its own test has failed.
        with np.errstate(over="ignore"):
            said = left * answered
            spoken, squares = said.sum(0), [(said * said).sum(0)]
            for _ in range(1, levels):
                said = _paired(said)
                squares.append((said * said).sum(0))
        return spoken, squares


class MissingTerms:
    """Collects what blocks of rows say; then tells how near the product came to the limits. Arrays are NumPy's, or PyTorch's on any device."""

    def __init__(self, projected: Any, right_square: float, roundoff: float, sums: TermSums | None = None) -> None:
        """``projected``: B·R, (inner, rounds), doubles. ``right_square``: ‖B‖_F². ``roundoff``: u. ``sums``: how to add."""
        self._projected = projected
        self._sums = sums or ArraySums()
        # E‖p_k‖² is rounds · ‖b_k‖².
        self._strength = (projected * projected).sum(1)
        self._least = SEEN_FROM**2 * roundoff**2 * right_square * projected.shape[1]
        # Of 2^level terms each; those at the end that fill no group are in smaller ones.
        self._levels = max(1, projected.shape[0]).bit_length()
        self._rows: Any = 0
        self._share: Any = 0.0
        self._spoken: Any = 0.0
        self._wanted: Any = 0.0
        self._square: list[Any] = [0.0] * self._levels

    def add(self, left: Any, norms: Any, difference: Any) -> None:
        """Rows of A, (rows, inner), their squared norms, and their rows of D, (rows, rounds)."""
        some = norms > _LEAST_NORM
        weights = some / (norms + ~some)
        share = self._sums.weighted_squares(left, weights)
        self._rows = self._rows + some.sum()
        self._share = self._share + share
        # Which terms are looked at depends on A, B and the signs alone, as far as the rows so far tell, and never on what the provider wrote.
        seen = self._share * self._strength >= self._least * self._rows
        answered = (difference * weights[:, None]) @ (-self._projected * seen[:, None]).T
        spoken, squares = self._sums.by_level(left, answered, self._levels)
        self._spoken = self._spoken + spoken
        self._wanted = self._wanted + share * self._strength * seen
        self._square = [total + square for total, square in zip(self._square, squares, strict=True)]

    def nearness(self, false_reject: float) -> float:
        """Above 1: terms are missing. An honest product comes there with probability at most ``false_reject``."""
        limit = math.sqrt(2 * math.log(4 * max(1, self._projected.shape[0]) / false_reject))
        worst = 0.0
        spoken, wanted, *squares = _rows([self._spoken, self._wanted, *self._square])
        for square in squares:
            sure = np.divide(spoken, np.sqrt(square), out=np.zeros_like(spoken), where=square > 0) / limit
            share = np.divide(spoken, wanted, out=np.zeros_like(spoken), where=wanted > 0) / MISSING_FROM
            worst = max(worst, float(np.minimum(sure, share).max(initial=0.0)))
            # What is said together, and what is wanted, is the sum of the parts; only squares have to be added row by row.
            spoken, wanted = _paired(spoken), _paired(wanted)
        return worst


def _rows(sums: list[Any]) -> list[Any]:
    """On the host, (1, terms) each; from a device all together, as each copy waits for it. Of no rows at all, zeros."""
    if hasattr(sums[0], "cpu"):
        ends = np.cumsum([len(one) for one in sums])
        sums = np.split(import_module("torch").cat(sums).cpu().numpy(), ends[:-1])
    return [np.atleast_1d(one)[np.newaxis] for one in sums]


def _paired(values: Any) -> Any:
    """Sums of neighbours along the last axis; the last of an odd number is left out."""
    even = values.shape[1] - values.shape[1] % 2
    return values[:, 0:even:2] + values[:, 1:even:2]
