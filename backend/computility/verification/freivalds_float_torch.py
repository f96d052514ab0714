"""The float check of ``freivalds_float`` on tensors, wherever PyTorch holds them: the same statistics, limits and answers, in doubles.

On a GPU with CuPy a kernel adds up what the test for missing terms looks at, in one pass; PyTorch alone takes a dozen."""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.verification.challenge_stream import sign_bits
from computility.verification.check_result import CheckResult
from computility.verification.device_kernels import device_kernels
from computility.verification.freivalds import INPUTS_UNFIT, PRODUCT_HOLDS, PRODUCT_WRONG, RANGE_TOO_WIDE, SHAPE_WRONG
from computility.verification.freivalds_float import (
    BITS_PER_ROUND,
    FALSE_REJECT,
    FLOAT32,
    NOT_FINITE,
    OUTPUT_ROOM,
    FloatLimits,
    Precision,
)
from computility.verification.missing_terms import ArraySums, MissingTerms, TermSums

_BLOCK_ENTRIES: Final = 2**26
"""Of a matrix that are held as doubles at one time: 512 MiB."""


class DeviceSums:
    """Sums of PyTorch's tensors by the kernels of the current GPU. PyTorch and CuPy both queue their work on the device's default stream.

    Raises:
        ImportError: CuPy is not installed.
    """

    def __init__(self) -> None:
        self._torch, self._kernels = import_module("torch"), device_kernels()

    def weighted_squares(self, left: Any, weights: Any) -> Any:
        return self._tensor(self._kernels.weighted_squares(self._array(left), self._array(weights)))

    def by_level(self, left: Any, answered: Any, levels: int) -> tuple[Any, list[Any]]:
        spoken: Any = None
        squares: list[Any] = []
        sums, other = self._array(left), self._array(answered)
        while len(squares) < levels:
            (first, *found), sums = self._kernels.neighbour_sums(sums, other)
            spoken, other = first if spoken is None else spoken, None
            squares += found
        return self._tensor(spoken), [self._tensor(square) for square in squares[:levels]]

    def _array(self, tensor: Any) -> Any:
        return self._kernels.xp.from_dlpack(tensor.contiguous())

    def _tensor(self, array: Any) -> Any:
        return self._torch.from_dlpack(array)


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
    signs = _signs(torch.from_numpy(sign_bits(seed, "freivalds-float", columns * rounds).copy()).to(left.device))
    signs = signs[: columns * rounds].reshape(columns, rounds)
    step = max(1, _BLOCK_ENTRIES // max(1, inner, columns))
    projected, right_square = torch.empty((inner, rounds), dtype=torch.float64, device=left.device), 0.0
    for start in range(0, inner, step):
        b = right[start : start + step].double()
        projected[start : start + step] = b @ signs
        right_square += float(torch.linalg.vector_norm(b)) ** 2
    if not math.isfinite(right_square):
        return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
    limits = FloatLimits.of(precision, rows, inner, columns, rounds)
    roundoff = max(precision.roundoff, precision.output_roundoff)
    terms = MissingTerms(projected, right_square, roundoff, _sums_on(left))
    joint, worst, longest = torch.zeros_like(projected[0]), torch.zeros_like(projected[0, 0]), 0.0
    for start in range(0, rows, step):
        a, c = (matrix[start : start + step].double() for matrix in (left, product))
        norms = torch.linalg.vector_norm(a, dim=1) ** 2
        longest = max(longest, float(norms.max()))
        if not math.isfinite(longest):
            return CheckResult(Verdict.NO_FAULT, INPUTS_UNFIT)
        if math.sqrt(longest * right_square) > precision.largest:
            return CheckResult(Verdict.NO_FAULT, RANGE_TOO_WIDE)
        signed = torch.addmm(c @ signs, a, projected, alpha=-1)
        # Of what is not finite no sum with signs is; what the factors come to is far from the end of doubles.
        if not bool(torch.isfinite(signed).all()):
            return CheckResult(Verdict.FAIL, NOT_FINITE)
        variance = limits.granted * norms * right_square
        if limits.output:
            written = OUTPUT_ROOM * torch.linalg.vector_norm(c, dim=1) ** 2
            variance += limits.output * written.clamp(max=norms * right_square)
        del c
        difference = (signed.abs() - limits.underflow).clamp(min=0.0)
        sigma = variance.sqrt()[:, None]
        # Nought over nought is nothing beyond underflow.
        ratios = torch.where(difference == 0, torch.zeros_like(difference), difference / sigma)
        worst = torch.maximum(worst, ratios.max())
        joint += (ratios * ratios).sum(0)
        terms.add(a, norms, signed)
    measures = {
        "row": float(worst) / limits.deviation,
        "joint": float(joint.max()) / limits.joint,
        "terms": terms.nearness(FALSE_REJECT / 2),
    }
    if not all(measure <= 1 for measure in measures.values()):
        return CheckResult(Verdict.FAIL, PRODUCT_WRONG, measures=measures)
    return CheckResult(Verdict.PASS, PRODUCT_HOLDS, BITS_PER_ROUND * rounds, measures)


def _signs(octets: Any) -> Any:
    """A double, −1 or 1, of each bit: `random_signs` on the device."""
    torch = import_module("torch")
    places = torch.arange(7, -1, -1, dtype=torch.uint8, device=octets.device)
    return 1.0 - 2.0 * ((octets[:, None] >> places) & 1).double().flatten()


def _sums_on(tensor: Any) -> TermSums:
    return DeviceSums() if tensor.is_cuda and find_spec("cupy") is not None else ArraySums()
