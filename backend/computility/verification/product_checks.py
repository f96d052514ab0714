"""Who checks a product: the processor, or a card that is free, to the same verdict.

A card only spares work: what it lets pass plainly has passed. Whatever else it finds, a wrong product, one that comes near a limit, or no memory, is
for the processor, whose word is what a verifier signs: rounding in another order decides nothing, and a card that fails harms nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy.typing as npt

from computility.domain.attestation import Verdict
from computility.domain.errors import ExecutorBusy
from computility.verification.challenge_stream import random_residues
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import BITS_PER_ROUND, PRODUCT_HOLDS, check_integer_product
from computility.verification.freivalds_float import FLOAT32, Precision, check_float_product

_log = logging.getLogger(__name__)

Matrix = npt.NDArray[Any]
_PLAIN: Final = 1 - 2.0**-10
"""Of a limit: what is nearer is looked at again, by the sums that every processor makes."""


class ProductChecks(Protocol):
    """The two checks of `freivalds` and `freivalds_float`."""

    def integers(self, left: Matrix, right: Matrix, product: Matrix, seed: bytes) -> CheckResult:
        """As ``check_integer_product``."""
        ...

    def floats(
        self,
        left: Matrix,
        right: Matrix,
        product: Matrix,
        seed: bytes,
        precision: Precision = FLOAT32,
        rounds: int = 32,
    ) -> CheckResult:
        """As ``check_float_product``."""
        ...


class ProcessorChecks:
    """The checks as they are, on this machine's processors."""

    def integers(self, left: Matrix, right: Matrix, product: Matrix, seed: bytes) -> CheckResult:
        return check_integer_product(left, right, product, seed)

    def floats(
        self,
        left: Matrix,
        right: Matrix,
        product: Matrix,
        seed: bytes,
        precision: Precision = FLOAT32,
        rounds: int = 32,
    ) -> CheckResult:
        return check_float_product(left, right, product, seed, precision, rounds)


class DeviceChecks:
    """The checks on a device of PyTorch's. ``held`` is entered for each and tells the device's name; it raises `ExecutorBusy` where none is free.
    Matrices and product of fewer than ``least_entries`` together are the processor's from the start."""

    def __init__(self, held: Callable[[], AbstractContextManager[str]], least_entries: int = 0) -> None:
        self._held = held
        self._least_entries = least_entries
        self._processor = ProcessorChecks()

    def integers(self, left: Matrix, right: Matrix, product: Matrix, seed: bytes) -> CheckResult:
        def on(device: str) -> CheckResult | None:
            from computility.verification.freivalds_torch import integer_product_holds
            from computility.verification.tensor_rows import TensorRows

            vectors = random_residues(seed, "freivalds", (right.shape[1], 1))
            a, b, c = (TensorRows(matrix, device) for matrix in (left, right, product))
            holds = integer_product_holds(a, b, c, vectors)
            return CheckResult(Verdict.PASS, PRODUCT_HOLDS, BITS_PER_ROUND) if holds else None

        fits = self._fits(left, right, product) and all(matrix.dtype.kind in "iu" for matrix in (left, right, product))
        found = self._tried(on) if fits else None
        return found or self._processor.integers(left, right, product, seed)

    def floats(
        self,
        left: Matrix,
        right: Matrix,
        product: Matrix,
        seed: bytes,
        precision: Precision = FLOAT32,
        rounds: int = 32,
    ) -> CheckResult:
        def on(device: str) -> CheckResult | None:
            from computility.verification.freivalds_float_torch import check_float_tensors
            from computility.verification.tensor_rows import TensorRows

            a, b, c = (TensorRows(matrix, device, as_numbers=True) for matrix in (left, right, product))
            within = replace(precision, largest=precision.largest * _PLAIN)
            found = check_float_tensors(a, b, c, seed, within, rounds)
            plain = found.verdict is Verdict.PASS and max(found.measures.values()) < _PLAIN
            return found if plain else None

        fits = self._fits(left, right, product) and rounds >= 1 and precision.roundoff >= FLOAT32.roundoff
        found = self._tried(on) if fits else None
        return found or self._processor.floats(left, right, product, seed, precision, rounds)

    def _fits(self, *matrices: Matrix) -> bool:
        return sum(matrix.size for matrix in matrices) >= self._least_entries and _fit(*matrices)

    def _tried(self, check: Callable[[str], CheckResult | None]) -> CheckResult | None:
        try:
            with self._held() as device:
                found = check(device)
            if found is None:
                _log.info("a product did not pass plainly on %s: the processor checks it", device)
            else:
                _log.info("a product passed on %s", device)
            return found
        except ExecutorBusy as error:
            _log.info("a product is checked on the processor: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever a card or its driver does, the processor checks
            _log.warning(
                "a product is checked on the processor, as the device failed: %s: %s", type(error).__name__, error
            )
        return None


def _fit(left: Matrix, right: Matrix, product: Matrix) -> bool:
    """Whether these are two matrices and something of their product's shape, none of it empty: the rest is said without a look at the entries."""
    matrices = all(matrix.ndim == 2 and matrix.size for matrix in (left, right, product))
    return matrices and left.shape[1] == right.shape[0] and product.shape == (left.shape[0], right.shape[1])
