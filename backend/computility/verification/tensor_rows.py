"""Matrices of which a block of rows at a time comes to a device: whatever NumPy can read (mapped files, columns first, other byte orders), and never
the whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_IN_WIDER: Final = {"u2": "i4", "u4": "i8"}
"""Types that PyTorch does not reckon with, and those that hold the same numbers."""


class TensorRows:
    """A matrix as the checks on tensors want it: ``shape``, ``device``, ``is_cuda``, and slices of rows, which are tensors on the device.

    64-bit integers without sign come as the same bits with one, and ``wraps`` says so; with ``as_numbers`` they come as doubles.
    """

    def __init__(self, matrix: npt.NDArray[Any], device: str, *, as_numbers: bool = False) -> None:
        self._matrix = matrix
        self._torch: Any = import_module("torch")
        self.device: Any = self._torch.device(device)
        self.shape = matrix.shape
        self.is_cuda = self.device.type == "cuda"
        kind = f"{matrix.dtype.kind}{matrix.dtype.itemsize}"
        self.wraps = kind == "u8" and not as_numbers
        unsigned = "f8" if as_numbers else "u8"
        self._type = np.dtype(unsigned if kind == "u8" else _IN_WIDER.get(kind, kind))

    def __getitem__(self, rows: slice) -> Any:
        block = self._matrix[rows]
        # Written into memory that PyTorch may use: what was read in place may not be written to.
        own = np.empty(block.shape, self._type)
        own[...] = block
        return self._torch.from_numpy(own.view(np.int64) if self.wraps else own).to(self.device)
