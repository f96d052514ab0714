"""The kernels of ``device_kernels.cu`` on the current NVIDIA GPU, through CuPy. Everything stays on the device unless it says otherwise."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

import numpy as np

from computility.domain.identifiers import Bytes32, bytes32
from computility.verification.mersenne61 import Residues

MAX_COLUMNS: Final = 2**17
"""So that a thread's sums fit 64 bits."""
SUMS: Final = 22
"""Of a thread of ``neighbour_sums``."""
GROUP: Final = 8
"""Columns of such a thread."""
_THREADS: Final = 256
_ROWS: Final = 8
_HASHING_THREADS: Final = 64
_LEAST_SUMMED: Final = 4
_MOST_SUMMED: Final = 64
_BUSY_THREADS: Final = 2**17


def kernel_source() -> str:
    """The text that is compiled."""
    return files("computility.verification").joinpath("device_kernels.cu").read_text()


class DeviceKernels:
    """Compiled once for each process. ``xp`` is CuPy.

    Raises:
        ImportError: CuPy is not installed.
    """

    def __init__(self) -> None:
        self.xp: Any = import_module("cupy")
        self._module: Any = self.xp.RawModule(code=kernel_source())

    def draw_rows(self, key: bytes, rows: int, size: int) -> Any:
        """The first rows of a matrix of the hardware challenge, int8 (rows, size), as ``hardware_challenge`` draws them; ``size`` in steps of 8."""
        return self._drawn(key, rows, size, turned=False)

    def draw_columns(self, key: bytes, rows: int, size: int) -> Any:
        """The same matrix, laid out by columns, as tensor cores want a right factor: the entries do not move, their addresses do."""
        return self._drawn(key, rows, size, turned=True)

    def _drawn(self, key: bytes, rows: int, size: int, *, turned: bool) -> Any:
        words = size // 8
        out = self.xp.empty(rows * words, dtype=self.xp.uint64)
        first, second = (np.uint64(word) for word in np.frombuffer(key[:16], dtype="<u8"))
        numbers = self.xp.arange(rows, dtype=self.xp.int32)
        arguments = (numbers, np.int32(rows), np.int32(words), first, second, np.int32(turned), out)
        self._run("draw_rows", rows * -(-words // 4), _THREADS, arguments)
        entries = out.view(self.xp.int8)
        return entries.reshape(size, rows).T if turned else entries.reshape(rows, size)

    def row_digests(self, product: Any) -> Any:
        """SHA-256 of each row of an int32 matrix, as ``row_digest``: uint8 (rows, 32)."""
        rows, columns = product.shape
        digests = self.xp.empty((rows, 8), dtype=self.xp.uint32)
        self._run("sha256_rows", rows, _HASHING_THREADS, (product, np.int32(rows), np.int32(columns), digests))
        return digests.view(self.xp.uint8).reshape(rows, 32)

    def merkle_root(self, digests: Any) -> Bytes32:
        """The root over the rows of a matrix, uint8 (rows, 32), at least one: as ``domain.merkle.merkle_root``; only the root leaves the device."""
        nodes = self._joined(digests, 1)
        while len(nodes) > 1:
            nodes = self._joined(nodes, 2)
        return bytes32(self.xp.asnumpy(nodes).tobytes())

    def _joined(self, nodes: Any, joined: int) -> Any:
        count = -(-len(nodes) // joined)
        out = self.xp.empty((count, 32), dtype=self.xp.uint8)
        self._run("merkle_level", count, _HASHING_THREADS, (nodes, np.int32(len(nodes)), np.int32(joined), out))
        return out

    def products(self, matrix: Any, vector: Any) -> Any:
        """An int8 or int32 matrix times residues (columns,) modulo 2^61 − 1: residues (rows,).

        Raises:
            ValueError: more than ``MAX_COLUMNS`` columns, or entries of another type.
        """
        out = self.xp.empty(matrix.shape[0], dtype=self.xp.uint64)
        self._multiply(matrix, vector, np.uint64(0), out, np.uint64(0))
        return out

    def _multiply(self, matrix: Any, vector: Any, expected: Any, out: Any, wrong: Any) -> None:
        rows, columns = matrix.shape
        name = {"int8": "products_i8", "int32": "products_i32"}.get(str(matrix.dtype))
        if name is None or columns > MAX_COLUMNS:
            raise ValueError(f"int8 or int32 and at most {MAX_COLUMNS} columns, not {matrix.dtype} and {columns}")
        arguments = (matrix, vector, np.int32(rows), np.int32(columns), expected, out, wrong)
        self._run(name, -(-rows // _ROWS) * _THREADS, _THREADS, arguments)

    def is_product(self, left: Any, right: Any, product: Any, vector: Residues) -> bool:
        """Freivalds' check on the device: one round with ``vector``, residues (columns of ``right``,), drawn after the commitment.

        All three matrices lie by rows. The caller sees to the range of the entries, as ``check_integer_product`` does: int8 factors and an int32
        product always fit.
        """
        drawn = self.xp.asarray(vector)
        expected = self.products(left, self.products(right, drawn))
        wrong = self.xp.zeros(1, dtype=self.xp.int32)
        self._multiply(product, drawn, expected, np.uint64(0), wrong)
        return not int(wrong[0])

    def weighted_squares(self, matrix: Any, weights: Any) -> Any:
        """Σ_i w_i·m_ij² of doubles (rows, columns), by rows, and w, (rows,): (columns,)."""
        return self._summed(matrix, matrix, weights, np.uint64(0))[0]

    def neighbour_sums(self, left: Any, right: Any | None) -> tuple[list[Any], Any]:
        """Of x = left ∘ right (of left alone without ``right``), doubles (rows, columns), by rows.

        Returns:
            Sums down the columns: of x, of its squares, and of the squares of sums of 2 and of 4 neighbours, without a last that is not whole; and
            the sums of 8 neighbours, doubles (rows, columns // 8).
        """
        eighths = self.xp.empty((left.shape[0], left.shape[1] // GROUP))
        other = np.uint64(0) if right is None else right
        return self._summed(left, other, np.uint64(0), eighths), eighths

    def _summed(self, left: Any, right: Any, weights: Any, eighths: Any) -> list[Any]:
        rows, columns = left.shape
        threads = -(-columns // GROUP)
        # Few rows a thread where there are few columns: enough threads to keep the card busy.
        chunk = max(_LEAST_SUMMED, min(_MOST_SUMMED, rows * threads // _BUSY_THREADS))
        chunks = -(-rows // chunk)
        sums = self.xp.empty((chunks, SUMS * threads))
        sizes = (np.int32(rows), np.int32(columns), np.int32(chunk))
        self._run("neighbour_sums", chunks * threads, _THREADS, (left, right, weights, *sizes, sums, eighths))
        total = self.xp.ones(chunks) @ sums
        return [total[first * threads :][: columns >> level] for first, level in ((0, 0), (8, 0), (16, 1), (20, 2))]

    def _run(self, name: str, threads: int, of_a_block: int, arguments: tuple[Any, ...]) -> None:
        self._module.get_function(name)((-(-threads // of_a_block),), (of_a_block,), arguments)


@cache
def device_kernels() -> DeviceKernels:
    """The kernels of this process."""
    return DeviceKernels()
