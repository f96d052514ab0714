"""Exact products of integer matrices with vectors modulo the Mersenne prime p = 2^61 − 1, at the speed of floating-point BLAS.

No machine word holds the sums, so both factors are cut: a vector r in [0, p) into limbs of w bits, r = Σ r_l · 2^(w·l), and a matrix with
entries of b bits, where need be, into parts of v bits, M = Σ M_q · 2^(v·q). A double holds every integer up to 2^53, and hence every partial
sum of a product of a part with a limb exactly, in whatever order the library adds and with or without fused operations, as long as

    columns · 2^v · 2^w ≤ 2^53.

The products of parts and limbs are then joined modulo p, where a multiplication by 2^s is a rotation of 61 bits by s places.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

BITS: Final = 61
PRIME: Final = (1 << BITS) - 1
_EXACT_BITS: Final = 53
_FEW: Final = 3
_BLOCK_BYTES: Final = 8 * 1024 * 1024
"""A block of rows, as doubles, that a verifier holds at one time."""
_CACHED_BYTES: Final = 1024 * 1024
"""Rows, as doubles, that stay in the cache of one core between being converted and being multiplied."""

IntegerMatrix: TypeAlias = npt.NDArray[Any]
Residues: TypeAlias = npt.NDArray[np.uint64]


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices that cover ``rows``, each of so many rows as fit the cache as doubles: a memory-mapped matrix is never read as a whole."""
    return _slices(rows, columns, _BLOCK_BYTES)


def magnitude(matrix: IntegerMatrix) -> int:
    """The highest absolute value in it, exactly; 0 where it is empty."""
    if matrix.size == 0:
        return 0
    return max(int(matrix.max()), -int(matrix.min()))


def _slices(rows: int, columns: int, size: int) -> Iterator[slice]:
    step = max(1, size // (8 * max(1, columns)))
    for start in range(0, rows, step):
        yield slice(start, min(rows, start + step))


class VectorProducts:
    """Products of matrices with the same vectors modulo p. The vectors' limbs are cut once for each width that is asked for."""

    def __init__(self, vectors: Residues) -> None:
        """``vectors``: residues, (columns, count)."""
        self._vectors = vectors
        self._limbs: dict[int, npt.NDArray[np.float64]] = {}
        # One block as doubles, kept from call to call: fresh memory costs more than the conversion.
        self._scratch = np.empty(0)

    def of(self, matrix: IntegerMatrix, highest: int) -> Residues:
        """``matrix @ vectors`` modulo p: residues, (rows, count).

        Args:
            matrix: of any integer type up to 64 bits, (rows, columns); a block of rows at a time keeps memory small.
            highest: at least ``magnitude(matrix)``; the work grows with its bits.
        """
        columns, count = self._vectors.shape
        part_bits, parts, limb_bits = cut(max(1, highest.bit_length()), columns)
        limbs = self._limbs.get(limb_bits)
        if limbs is None:
            limbs = self._limbs[limb_bits] = limbs_of(self._vectors, limb_bits)
        total = np.zeros((matrix.shape[0], count), dtype=np.uint64)
        for number in range(parts):
            exact = np.empty((matrix.shape[0], limbs.shape[1]))
            for rows in _slices(matrix.shape[0], matrix.shape[1], _CACHED_BYTES):
                exact[rows] = _product(self._part(matrix[rows], number, parts, part_bits), limbs)
            sums = exact.astype(np.int64) % PRIME
            for limb in range(limbs.shape[1] // count):
                residues = sums[:, limb * count : (limb + 1) * count].astype(np.uint64)
                total = add(total, rotate(residues, part_bits * number + limb_bits * limb))
        return total

    def _part(self, matrix: IntegerMatrix, number: int, parts: int, part_bits: int) -> npt.NDArray[np.float64]:
        """One part as doubles: the lower ones are unsigned, the highest has the sign. It stands until the next is asked for."""
        if self._scratch.size < matrix.size:
            self._scratch = np.empty(matrix.size)
        doubles = self._scratch[: matrix.size].reshape(matrix.shape)
        if parts == 1:
            doubles[...] = matrix
            return doubles
        word = np.uint64 if matrix.dtype.kind == "u" else np.int64
        shifted = matrix.astype(word) >> word(part_bits * number)
        if number < parts - 1:
            shifted &= word((1 << part_bits) - 1)
        doubles[...] = shifted
        return doubles


def add(left: Residues, right: Residues) -> Residues:
    """The sum of residues modulo p."""
    total = left + right
    return np.where(total >= PRIME, total - np.uint64(PRIME), total)


def rotate(residues: Residues, places: int) -> Residues:
    """Residues times 2^places, modulo p."""
    places %= BITS
    if places == 0:
        return residues
    kept = BITS - places
    low = residues & np.uint64((1 << kept) - 1)
    # A rotation of a residue is again below p, as only p itself is 61 ones.
    return (low << np.uint64(places)) | (residues >> np.uint64(kept))


def _product(part: npt.NDArray[np.float64], limbs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """part · limbs. BLAS prepares a product of matrices for more columns than there are here: a few vectors are multiplied faster one by one."""
    if limbs.shape[1] > _FEW:
        product: npt.NDArray[np.float64] = part @ limbs
        return product
    return np.column_stack([part @ limb for limb in limbs.T])


@cache
def cut(bits: int, columns: int) -> tuple[int, int, int]:
    """Bits of a part, number of parts, and bits of a limb, with the fewest products."""
    room = _EXACT_BITS - max(0, columns - 1).bit_length()
    choices = []
    for parts in range(1, bits + 1):
        part_bits = -(-bits // parts)
        limb_bits = min(BITS, room - part_bits)
        if limb_bits > 0:
            choices.append((parts * -(-BITS // limb_bits), part_bits, parts, limb_bits))
    if not choices:
        raise ValueError(f"a matrix has less than 2^52 columns, not {columns}")
    _, part_bits, parts, limb_bits = min(choices)
    return part_bits, parts, limb_bits


def limbs_of(vectors: Residues, limb_bits: int) -> npt.NDArray[np.float64]:
    """The limbs of every vector as doubles, lowest first: (columns, limbs · count)."""
    mask = np.uint64((1 << limb_bits) - 1)
    shifts = range(0, BITS, limb_bits)
    limbs = np.hstack([((vectors >> np.uint64(shift)) & mask).astype(np.float64) for shift in shifts])
    return np.asfortranarray(limbs)
