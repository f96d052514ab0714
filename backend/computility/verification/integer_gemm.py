"""Exact products of int8 matrices on whatever this machine has: the work of the hardware challenge.

Floating-point units compute it exactly: |a·b| ≤ 2^14, so a float32 holds every partial sum of 1,024 products, at most 2^24, in any order of addition.
Blocks of 1,024 along the inner dimension are added as int32.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

EXACT_BLOCK: Final = 1_024
MAX_INNER: Final = 2**17
"""Beyond it a sum of products of −128 with −128 passes int32."""


class IntegerGemm(Protocol):
    """One way to multiply. ``name`` says which, for the log and the rating's evidence."""

    @property
    def name(self) -> str: ...

    def multiply(self, left: npt.NDArray[np.int8], right: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        """``left @ right``, exact: (m, k) and (k, n) with k below ``MAX_INNER`` give (m, n)."""
        ...


class NumpyGemm:
    """The processor's BLAS."""

    name: Final = "numpy"

    def multiply(self, left: npt.NDArray[np.int8], right: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        product = np.zeros((left.shape[0], right.shape[1]), dtype=np.int32)
        for start in range(0, left.shape[1], EXACT_BLOCK):
            inner = slice(start, start + EXACT_BLOCK)
            block = left[:, inner].astype(np.float32) @ right[inner].astype(np.float32)
            np.add(product, block, out=product, casting="unsafe")
        return product


class TorchGemm:
    """A GPU through PyTorch, in float32 without TF32: for a machine without CuPy. `device_challenge` is many times faster."""

    def __init__(self, device: str = "cuda") -> None:
        # CUDA counts cards by speed unless told otherwise, and NVML by their place on the bus.
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        self._torch: Any = import_module("torch")
        self._torch.backends.cuda.matmul.allow_tf32 = False
        self._device = device

    @property
    def name(self) -> str:
        return f"torch-{self._device}"

    def multiply(self, left: npt.NDArray[np.int8], right: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        torch = self._torch
        a, b = (torch.from_numpy(np.ascontiguousarray(matrix)).to(self._device) for matrix in (left, right))
        product = torch.zeros((left.shape[0], right.shape[1]), dtype=torch.int32, device=self._device)
        for start in range(0, left.shape[1], EXACT_BLOCK):
            end = start + EXACT_BLOCK
            product += (a[:, start:end].float() @ b[start:end].float()).int()
        result: npt.NDArray[np.int32] = product.cpu().numpy()
        return result
