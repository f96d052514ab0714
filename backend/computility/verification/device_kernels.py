"""The kernels of ``device_kernels.cu`` on the current NVIDIA GPU, through CuPy. Everything stays on the device unless it says otherwise."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from computility.verification.mersenne61 import PRIME, Residues

LANES: Final = 32
"""Threads that share a row."""
MAX_COLUMNS: Final = LANES * 1024
"""So that a thread's sums fit 64 bits."""
_THREADS: Final = 256
_HASHING_THREADS: Final = 64


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

    def draw_rows(self, key: bytes, rows: npt.NDArray[np.int32], size: int) -> Any:
        """Rows of a matrix of the hardware challenge, int8 (len(rows), size): as ``hardware_challenge`` draws them. ``size`` is a multiple of 8."""
        words = size // 8
        out = self.xp.empty((len(rows), words), dtype=self.xp.uint64)
        first, second = (np.uint64(word) for word in np.frombuffer(key[:16], dtype="<u8"))
        threads = len(rows) * -(-words // 4)
        arguments = (self.xp.asarray(rows), np.int32(len(rows)), np.int32(words), first, second, out)
        self._module.get_function("draw_rows")((-(-threads // _THREADS),), (_THREADS,), arguments)
        return out.view(self.xp.int8)

    def row_digests(self, product: Any) -> npt.NDArray[np.uint8]:
        """SHA-256 of each row of an int32 matrix on the device, as ``row_digest``: (rows, 32), on the host."""
        rows, columns = product.shape
        digests = self.xp.empty((rows, 8), dtype=self.xp.uint32)
        arguments = (product, np.int32(rows), np.int32(columns), digests)
        self._module.get_function("sha256_rows")((-(-rows // _HASHING_THREADS),), (_HASHING_THREADS,), arguments)
        found: npt.NDArray[np.uint8] = self.xp.asnumpy(digests).view(np.uint8).reshape(rows, 32)
        return found

    def products(self, matrix: Any, vector: Any) -> Any:
        """An int8 or int32 matrix on the device times residues (columns,) modulo 2^61 − 1: residues (rows,), on the device.

        Raises:
            ValueError: more than ``MAX_COLUMNS`` columns, or entries of another type.
        """
        rows, columns = matrix.shape
        name = {"int8": "products_i8", "int32": "products_i32"}.get(str(matrix.dtype))
        if name is None or columns > MAX_COLUMNS:
            raise ValueError(f"int8 or int32 and at most {MAX_COLUMNS} columns, not {matrix.dtype} and {columns}")
        parts = self.xp.empty((rows, LANES), dtype=self.xp.uint64)
        arguments = (matrix, vector, np.int32(rows), np.int32(columns), parts)
        self._module.get_function(name)((-(-rows * LANES // _THREADS),), (_THREADS,), arguments)
        # Half words, as the sum of 32 residues passes 64 bits.
        low = (parts & self.xp.uint64(0xFFFFFFFF)).sum(axis=1) % self.xp.uint64(PRIME)
        high = (parts >> self.xp.uint64(32)).sum(axis=1) % self.xp.uint64(PRIME)
        turned = ((high << self.xp.uint64(32)) & self.xp.uint64(PRIME)) | (high >> self.xp.uint64(29))
        return (low + turned) % self.xp.uint64(PRIME)

    def is_product(self, left: Any, right: Any, product: Any, vector: Residues) -> bool:
        """Freivalds' check on the device: one round with ``vector``, residues (columns of ``right``,), drawn after the commitment.

        The caller sees to the range of the entries, as ``check_integer_product`` does: int8 factors and an int32 product always fit.
        """
        drawn = self.xp.asarray(vector)
        expected = self.products(left, self.products(right, drawn))
        return bool((expected == self.products(product, drawn)).all())


@cache
def device_kernels() -> DeviceKernels:
    """The kernels of this process."""
    return DeviceKernels()
