"""Answers the hardware challenge on an NVIDIA GPU: draws, multiplies in int8 on the tensor cores, and hashes there; only digests leave the card,
and the rows that a verifier opens."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from computility.verification.device_kernels import DeviceKernels
from computility.verification.hardware_challenge import HardwareChallenge


class DeviceAnswer:
    """A card's product, which stays on the card, and the SHA-256 of each of its rows."""

    def __init__(self, card: str, product: Any, digests: tuple[bytes, ...]) -> None:
        self.card = card
        self.digests = digests
        self._product = product

    def opened(self, rows: Sequence[int]) -> npt.NDArray[np.int32]:
        """The rows that a verifier asks for."""
        found: npt.NDArray[np.int32] = self._product[list(rows)].get()
        return found


def answer_on_device(challenge: HardwareChallenge, card: str, kernels: DeviceKernels) -> DeviceAnswer:
    """Do the work of one card on the current device.

    Raises:
        ImportError: PyTorch is not installed.
        RuntimeError: the device refuses, for instance for want of memory.
    """
    left = kernels.draw_rows(challenge.left_key(card), np.arange(challenge.rows, dtype=np.int32), challenge.size)
    right = kernels.draw_rows(challenge.right_key(), np.arange(challenge.size, dtype=np.int32), challenge.size)
    product = multiply_on_device(left, right)
    digests = kernels.row_digests(product)
    return DeviceAnswer(card, product, tuple(digest.tobytes() for digest in digests))


def multiply_on_device(left: Any, right: Any) -> Any:
    """int8 CuPy matrices to their exact int32 product, by the tensor cores through PyTorch. Sides are multiples of 8, rows more than 16."""
    cupy, torch = import_module("cupy"), import_module("torch")
    # PyTorch works on a stream of its own choice: what CuPy has queued has to be done, and the reverse.
    cupy.cuda.get_current_stream().synchronize()
    a, b = torch.from_dlpack(left), torch.from_dlpack(right)
    try:
        product = torch._int_mm(a, b)
    except RuntimeError:
        # Some versions of cuBLAS take the right factor by columns only.
        product = torch._int_mm(a, b.t().contiguous().t())
    torch.cuda.synchronize()
    return cupy.from_dlpack(product)
