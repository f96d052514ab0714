"""The integer check of ``freivalds`` on tensors, wherever PyTorch holds them: the same vectors, limbs and residues modulo 2^61 − 1.

It tells products that hold, and nothing else: what does not hold here is for the processor to judge, whose word is the evidence.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from computility.verification.mersenne61 import BITS, PRIME, Residues, cut, limbs_of
from computility.verification.tensor_rows import TensorRows

_BLOCK_ENTRIES: Final = 2**26
"""Of a matrix that are held as doubles at one time: 512 MiB."""
_SIGN: Final = -(2**63)


def integer_product_holds(left: TensorRows, right: TensorRows, product: TensorRows, vectors: Residues) -> bool:
    """Whether ``check_integer_product`` passes a product under these vectors, residues (columns of ``right``, rounds). No side may be empty."""
    torch = import_module("torch")
    rows, inner, columns = left.shape[0], right.shape[0], right.shape[1]
    step = max(1, _BLOCK_ENTRIES // max(inner, columns))
    drawn = _Products(torch, vectors, left.device)
    projected = torch.empty((inner, vectors.shape[1]), dtype=torch.int64, device=left.device)
    right_highest = 0
    for start in range(0, inner, step):
        b = right[start : start + step]
        highest = _magnitude(b, wraps=right.wraps)
        right_highest = max(right_highest, highest)
        projected[start : start + step] = drawn.of(b, highest, wraps=right.wraps)
    expected = _Products(torch, projected.cpu().numpy().astype("uint64"), left.device)
    for start in range(0, rows, step):
        a, c = left[start : start + step], product[start : start + step]
        highest, claimed = _magnitude(a, wraps=left.wraps), _magnitude(c, wraps=product.wraps)
        bound = inner * highest * right_highest
        if 2 * bound >= PRIME or claimed > bound:
            return False
        sums = expected.of(a, highest, wraps=left.wraps)
        if not bool((sums == drawn.of(c, claimed, wraps=product.wraps)).all()):
            return False
    return True


def _magnitude(matrix: Any, *, wraps: bool) -> int:
    """The highest absolute value, exactly."""
    if wraps:
        return int((matrix ^ _SIGN).max()) - _SIGN
    return max(int(matrix.max()), -int(matrix.min()))


class _Products:
    """As ``mersenne61.VectorProducts``."""

    def __init__(self, torch: Any, vectors: Residues, device: Any) -> None:
        self._torch, self._vectors, self._device = torch, vectors, device
        self._limbs: dict[int, Any] = {}

    def of(self, matrix: Any, highest: int, *, wraps: bool) -> Any:
        """Residues, int64 (rows, rounds)."""
        columns, count = self._vectors.shape
        part_bits, parts, limb_bits = cut(max(1, highest.bit_length()), columns)
        if limb_bits not in self._limbs:
            self._limbs[limb_bits] = self._torch.from_numpy(limbs_of(self._vectors, limb_bits)).to(self._device)
        limbs = self._limbs[limb_bits]
        total = self._torch.zeros((matrix.shape[0], count), dtype=self._torch.int64, device=self._device)
        for number in range(parts):
            part = _part(matrix, number, parts, part_bits, wraps=wraps)
            sums = (part @ limbs).long() % PRIME
            for limb in range(limbs.shape[1] // count):
                residues = sums[:, limb * count : (limb + 1) * count]
                total = total + _rotated(residues, part_bits * number + limb_bits * limb)
                total = self._torch.where(total >= PRIME, total - PRIME, total)
        return total


def _part(matrix: Any, number: int, parts: int, part_bits: int, *, wraps: bool) -> Any:
    """One part as doubles: the lower ones are without sign, the highest has it."""
    if parts == 1:
        return matrix.double()
    words = matrix.long()
    shift = part_bits * number
    shifted = words >> shift
    if wraps and shift:
        shifted &= (1 << (64 - shift)) - 1
    if number < parts - 1:
        shifted &= (1 << part_bits) - 1
    return shifted.double()


def _rotated(residues: Any, places: int) -> Any:
    """Residues times 2^places, modulo p."""
    places %= BITS
    if places == 0:
        return residues
    kept = BITS - places
    return ((residues & ((1 << kept) - 1)) << places) | (residues >> kept)
