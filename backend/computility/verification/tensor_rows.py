"""Matrices of which a block of rows at a time comes to a device: whatever NumPy can read (mapped files, columns first, other byte orders), and never
the whole."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_STAGED_BYTES: Final = 2**25
"""Of each of the two buffers that a card reads from while the other is filled."""
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
        if self.is_cuda and block.size:
            return self._staged(block)
        # Written into memory that PyTorch may use: what was read in place may not be written to.
        own = np.empty(block.shape, self._type)
        own[...] = block
        return self._torch.from_numpy(own.view(np.int64) if self.wraps else own).to(self.device)

    def _staged(self, block: npt.NDArray[Any]) -> Any:
        """A block on a card, by way of page-locked memory: what lies elsewhere comes at a tenth of the bus's speed. PyTorch keeps the buffers for the
        next block."""
        torch = self._torch
        kind = np.dtype(np.int64) if self.wraps else self._type
        there = torch.empty(block.shape, dtype=torch.from_numpy(np.empty(0, kind)).dtype, device=self.device)
        rows = min(len(block), max(1, _STAGED_BYTES // (block.shape[1] * kind.itemsize)))
        buffers = [torch.empty((rows, block.shape[1]), dtype=there.dtype, pin_memory=True) for _ in range(2)]
        read = [torch.cuda.Event() for _ in buffers]
        for number, start in enumerate(range(0, len(block), rows)):
            buffer, was_read = buffers[number % 2], read[number % 2]
            was_read.synchronize()
            some = block[start : start + rows]
            buffer.numpy().view(self._type)[: len(some)] = some
            there[start : start + rows].copy_(buffer[: len(some)], non_blocking=True)
            was_read.record()
        return there
