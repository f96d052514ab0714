"""The float check of ``freivalds_float`` on tensors, wherever PyTorch holds them: the same statistics, limits and answers, in doubles."""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any

from computility.domain.attestation import Verdict
from computility.verification.challenge_stream import random_signs
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import INPUTS_UNFIT, PRODUCT_HOLDS, PRODUCT_WRONG, RANGE_TOO_WIDE, SHAPE_WRONG
from computility.verification.freivalds_float import (
    BITS_PER_ROUND,
    FALSE_REJECT,
    FLOAT32,
    NOT_FINITE,
    FloatLimits,
    Precision,
)
from computility.verification.missing_terms import MissingTerms

_BLOCK_ROWS = 1_024


def check_float_tensors(
    left: Any, right: Any, product: Any, seed: bytes, precision: Precision = FLOAT32, rounds: int = 32
) -> CheckResult:
    """As ``check_float_product``, of tensors on one device.

    Raises:
        ValueError: a seed too short.
    """
    torch = import_module("torch")
    if left.shape[1] != right.shape[0]:
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    rows, inner, columns = left.shape[0], right.shape[0], right.shape[1]
    if tuple(product.shape) != (rows, columns):
        return CheckResult(Verdict.FAIL, SHAPE_WRONG)
    signs = torch.from_numpy(random_signs(seed, "freivalds-float", (columns, rounds))).to(left.device)
    blocks = [right[start : start + _BLOCK_ROWS].double() for start in range(0, inner, _BLOCK_ROWS)]
    projected = torch.cat([block @ signs for block in blocks])
    right_square = float(sum((block * block).sum() for block in blocks))
    del blocks
    if not math.isfinite(right_square):
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    limits = FloatLimits.of(precision, rows, inner, columns, rounds)
    terms = MissingTerms(projected, right_square, max(precision.roundoff, precision.output_roundoff))
    joint, worst, longest = torch.zeros_like(projected[0]), torch.zeros_like(projected[0, 0]), 0.0
    for start in range(0, rows, _BLOCK_ROWS):
        a, c = (matrix[start : start + _BLOCK_ROWS].double() for matrix in (left, product))
        norms = (a * a).sum(1)
        longest = max(longest, float(norms.max()))
        if not math.isfinite(longest):
            return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
        if math.sqrt(longest * right_square) > precision.largest:
            return CheckResult(Verdict.NO_FAULT, RANGE_TOO_WIDE)
        signed = c @ signs - a @ projected
        difference = (signed.abs() - limits.underflow).clamp(min=0.0)
        sigma = (limits.granted * norms * right_square).sqrt()[:, None]
        # Nought over nought is nothing beyond underflow; what is no number came from a product that is none.
        ratios = torch.where(difference == 0, torch.zeros_like(difference), difference / sigma)
        if not bool(torch.isfinite(c).all()):
            return CheckResult(Verdict.FAIL, NOT_FINITE)
        worst = torch.maximum(worst, ratios.max())
        joint += (ratios * ratios).sum(0)
        terms.add(a, norms, signed)
    measures = {
        "row": float(worst) / limits.deviation,
        "joint": float(joint.max()) / limits.joint,
        "terms": terms.nearness(FALSE_REJECT / 2),
    }
    if max(measures.values()) > 1:
        return CheckResult(Verdict.FAIL, PRODUCT_WRONG, measures=measures)
    return CheckResult(Verdict.PASS, PRODUCT_HOLDS, BITS_PER_ROUND * rounds, measures)
