"""Freivalds' check for floating-point products: is what differs from A·B no more than rounding?

**Model.** The provider adds each entry's k products in any order and any tree in which a product passes through at most h additions, rounding each
time with |δ| ≤ u; the δ have mean zero given what came before (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J.
Sci. Comput. 41 (2019); Connolly, Higham and Mary, SIAM J. Sci. Comput. 43 (2021)).

**Bound.** To first order the error of entry (i, j) is Σ δ·s over the tree's nodes, s being the node's partial sum. A partial sum over the index set
S is at most ‖a_S‖·‖b_S‖ (Cauchy and Schwarz), and the sets of one level of the tree are disjoint, so Σ s² ≤ ‖a_i‖²·‖b_j‖² a level. Together with
the level of the products themselves, Σ over nodes of u²·s² ≤ u²·(h + 1)·‖a_i‖²·‖b_j‖². For signs r, drawn after the commitment, d_i = ((C −
A·B)·r)_i is then a martingale sum with

    σ_i² = u²·(h + 1)·‖a_i‖²·‖B‖_F²

as the sum of its squared bounds. Where entries are rounded once more as they are stored, that rounding is at most u_out of the entry, so its bounds'
squares come to u_out²·‖c_i‖², to first order; σ_i² grows by

    u_out²·min(16·‖c_i‖², ‖a_i‖²·‖B‖_F²)

The norms alone would be √k too wide for factors that point nowhere in particular: a row of zeros would hide in them. The 16 leaves room for libraries
that add a few partial results in the narrow type. C is the provider's word, but who makes a row longer makes its error longer, too. By Azuma and
Hoeffding

    row test        P(|d_i| > λ·σ_i) ≤ 2·exp(−λ²/2)
    joint test      P(Σ_i (d_i/σ_i)² > m + 2·√(m·x) + 2·x) ≤ exp(−x)

the second by Hsu, Kakade and Zhang, "A tail inequality for quadratic forms of subgaussian random vectors", Electron. Commun. Probab. 17 (2012),
theorem 2.1. λ and x are set so that all tests of a check together reject an honest product with probability at most ``FALSE_REJECT``. Where numbers
underflow, 2·k·n·η is allowed besides.

A third test looks for terms that were left out and are smaller than what rounding may do to a row: `missing_terms`.

**Power.** The row test sees one bad row, the joint test a small loss of precision everywhere. For an error e in row i that does not depend on r,
E(e·r)² = ‖e‖² and E(e·r)⁴ ≤ 3·‖e‖⁴, so by Paley and Zygmund P((e·r)² ≥ ‖e‖²/100) ≥ 0.99²/3 a round: an error ten times above the tolerance slips
through all rounds with at most (1 − 0.3267)^rounds, which is what ``soundness_bits`` says. Errors below the tolerance are rounding by definition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.verification.challenge_stream import random_signs
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import (
    INPUTS_UNFIT,
    OUT_OF_MEMORY,
    PRODUCT_HOLDS,
    PRODUCT_WRONG,
    RANGE_TOO_WIDE,
    SHAPE_WRONG,
    UNREADABLE,
)
from computility.verification.mersenne61 import row_blocks
from computility.verification.missing_terms import MissingTerms

FALSE_REJECT: Final = 2.0**-40
BITS_PER_ROUND: Final = -math.log2(1 - 0.99**2 / 3)
NOT_FINITE: Final = "not-finite"
PRECISION_TOO_HIGH: Final = "precision-too-high"
OUTPUT_ROOM: Final = 16.0
"""Of squares: how much more than one rounding of each entry a narrow result may show."""
_OWN_ROUNDOFF: Final = 2.0**-53
_HEADROOM: Final = 2.0**20
"""The verifier computes in doubles; its own rounding has to stay this far below what it judges."""


@dataclass(frozen=True)
class Precision:
    """How a product was computed: what the job's policy grants the provider.

    ``roundoff`` u of each addition; ``block`` products are added one after the other, then the blocks' sums (what libraries do; the block is at most
    so long); ``output_roundoff`` of a last rounding to a narrower type; ``smallest`` η, the least positive normal number, and ``largest``;
    ``output_smallest``, η of the narrower type.
    """

    roundoff: float
    block: int
    output_roundoff: float
    smallest: float
    largest: float
    output_smallest: float = 0.0

    def depth(self, inner: int) -> int:
        """h: additions that one of ``inner`` products passes through."""
        return min(inner, self.block) + -(-inner // self.block)


FLOAT32: Final = Precision(2.0**-24, 1024, 0.0, 2.0**-126, 2.0**127)
BFLOAT16_OUT: Final = Precision(2.0**-24, 1024, 2.0**-8, 2.0**-126, 2.0**127, 2.0**-126)
"""bfloat16 inputs, float32 sums, bfloat16 result."""
FLOAT16_OUT: Final = Precision(2.0**-24, 1024, 2.0**-11, 2.0**-126, 2.0**15, 2.0**-14)
"""float16 inputs, float32 sums, float16 result."""


def check_float_product(
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    product: npt.NDArray[Any],
    seed: bytes,
    precision: Precision = FLOAT32,
    rounds: int = 32,
) -> CheckResult:
    """Whether ``product`` is ``left @ right`` but for the rounding that ``precision`` grants.

    Args:
        left: A, real numbers exactly as the provider got them, (m, k); may be memory-mapped, as the others.
        right: B, (k, n).
        product: C as the provider committed to it, (m, n).
        seed: at least 16 bytes that nobody knew when C was committed.
        precision: of the provider's arithmetic.
        rounds: independent sign vectors, at least 1.

    Returns:
        PASS, FAIL, or NO_FAULT. ``measures``: ``row`` and ``joint`` are the highest ratios of the two tests' statistics to their thresholds.

    Raises:
        ValueError: a seed too short, or no round.
    """
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0]:
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    if product.shape != (left.shape[0], right.shape[1]):
        return CheckResult(Verdict.FAIL, SHAPE_WRONG)
    if precision.roundoff < _OWN_ROUNDOFF * _HEADROOM:
        return CheckResult(Verdict.NO_FAULT, PRECISION_TOO_HIGH)
    signs = random_signs(seed, "freivalds-float", (right.shape[1], rounds))
    try:
        return _check(left, right, product, signs, precision)
    except MemoryError:
        return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
    except OSError:
        return CheckResult(Verdict.NO_FAULT, UNREADABLE)


@dataclass(frozen=True)
class FloatLimits:
    """Where the tests reject. ``granted``: of σ_i² what the sums take, over ‖a_i‖²·‖B‖_F². ``output``: u_out². ``underflow`` is allowed besides.
    ``deviation``: λ of the row test. ``joint``: limit of the joint test."""

    granted: float
    output: float
    underflow: float
    deviation: float
    joint: float

    @classmethod
    def of(cls, precision: Precision, rows: int, inner: int, columns: int, rounds: int) -> FloatLimits:
        """For a product of (rows, inner) with (inner, columns) and so many sign vectors."""
        depth = precision.depth(inner)
        x = math.log(4 * rounds / FALSE_REJECT)
        return cls(
            # The first-order bound, with room for the rounding of the partial sums themselves.
            granted=precision.roundoff**2 * (depth + 1) * (1 + 4 * depth * precision.roundoff),
            output=precision.output_roundoff**2,
            underflow=2.0 * inner * columns * precision.smallest + columns * precision.output_smallest,
            deviation=math.sqrt(2 * math.log(8 * max(1, rows) * rounds / FALSE_REJECT)),
            joint=rows + 2 * math.sqrt(rows * x) + 2 * x,
        )


def _check(
    left: npt.NDArray[Any],
    right: npt.NDArray[Any],
    product: npt.NDArray[Any],
    signs: npt.NDArray[np.float64],
    precision: Precision,
) -> CheckResult:
    rows, inner = left.shape
    columns, rounds = signs.shape
    projected, right_square = _project(right, signs)
    if not math.isfinite(right_square):
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    limits = FloatLimits.of(precision, rows, inner, columns, rounds)
    joint = np.zeros(rounds)
    worst_row = 0.0
    terms = MissingTerms(projected, right_square, max(precision.roundoff, precision.output_roundoff))
    for block in row_blocks(rows, max(inner, columns)):
        a = left[block].astype(np.float64)
        c = product[block].astype(np.float64)
        norms = np.einsum("ij,ij->i", a, a)
        if not np.isfinite(norms).all():
            return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
        if math.sqrt(float(norms.max(initial=0.0)) * right_square) > precision.largest:
            return CheckResult(Verdict.NO_FAULT, RANGE_TOO_WIDE)
        with np.errstate(over="ignore", invalid="ignore"):
            signed = c @ signs - a @ projected
        # What the factors come to is far from the end of doubles, so sums that are not finite are the product's, whose entries may be.
        if not np.isfinite(c).all() or not np.isfinite(signed).all():
            return CheckResult(Verdict.FAIL, NOT_FINITE)
        difference = np.maximum(np.abs(signed) - limits.underflow, 0.0)
        longest = norms * right_square
        variance = limits.granted * longest
        if limits.output:
            with np.errstate(over="ignore"):
                written = OUTPUT_ROOM * np.einsum("ij,ij->i", c, c)
            variance += limits.output * np.minimum(written, longest)
        sigma = np.sqrt(variance)[:, np.newaxis]
        # Where a row's product is zero, nothing but underflow is granted.
        ratios = np.divide(difference, sigma, out=np.where(difference > 0, np.inf, 0.0), where=sigma > 0)
        worst_row = max(worst_row, float(ratios.max(initial=0.0)) / limits.deviation)
        # What doubles cannot hold is beyond every limit: infinity says so.
        with np.errstate(over="ignore"):
            joint += np.square(ratios).sum(axis=0)
        terms.add(a, norms, signed)
    measures = {"row": worst_row, "joint": float(joint.max()) / limits.joint, "terms": terms.nearness(FALSE_REJECT / 2)}
    # So that what is no number fails.
    if not all(measure <= 1 for measure in measures.values()):
        return CheckResult(Verdict.FAIL, PRODUCT_WRONG, measures=measures)
    return CheckResult(Verdict.PASS, PRODUCT_HOLDS, BITS_PER_ROUND * rounds, measures)


def _project(right: npt.NDArray[Any], signs: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """B·r, and ‖B‖_F²."""
    projected = np.empty((right.shape[0], signs.shape[1]))
    square = 0.0
    for block in row_blocks(right.shape[0], right.shape[1]):
        b = right[block].astype(np.float64)
        projected[block] = b @ signs
        square += float(np.einsum("ij,ij->", b, b))
    return projected, square
