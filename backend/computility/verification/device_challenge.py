"""Answers the hardware challenge on an NVIDIA GPU: draws, multiplies in int8 on the tensor cores, hashes and builds the tree there; only the root
leaves the card, and what a verifier asks to see."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from computility.domain.errors import ExecutorBusy
from computility.domain.identifiers import Bytes32
from computility.verification.device_kernels import DeviceKernels, device_kernels
from computility.verification.hardware_challenge import HardwareChallenge


class DeviceAnswer:
    """A card's product, which stays on the card until it is closed, and the root over the SHA-256 of its rows."""

    def __init__(self, card: str, product: Any, digests: Any, root: Bytes32) -> None:
        self.card = card
        self.root = root
        self._device = product.device
        self._product = product
        self._digests = digests

    @property
    def digests(self) -> tuple[bytes, ...]:
        """Of all rows."""
        with self._device:
            return tuple(row.tobytes() for row in self._digests.get())

    def opened(self, rows: Sequence[int]) -> npt.NDArray[np.int32]:
        """The rows that a verifier asks for."""
        with self._device:
            found: npt.NDArray[np.int32] = self._product[list(rows)].get()
        return found

    def close(self) -> None:
        """Leave the card's memory to others. No row can be opened after it."""
        self._product = self._digests = None
        with self._device:
            import_module("cupy").get_default_memory_pool().free_all_blocks()
        import_module("torch").cuda.empty_cache()


class DeviceWorker:
    """One card, by its place on the bus.

    Raises:
        ImportError: PyTorch or CuPy is not installed.
    """

    def __init__(self, place: int) -> None:
        # CUDA counts cards by speed unless told otherwise, and NVML by their place on the bus.
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        self._place = place
        self._cupy, self._torch = import_module("cupy"), import_module("torch")
        self._kernels = device_kernels()

    @property
    def name(self) -> str:
        return f"cuda:{self._place}"

    def warm(self, challenge: HardwareChallenge, card: str) -> None:
        """Load libraries and compile kernels, by work like ``challenge``; the memory is given back."""
        self.answer(challenge, card).close()

    def answer(self, challenge: HardwareChallenge, card: str) -> DeviceAnswer:
        """Do the work of this card.

        Raises:
            ExecutorBusy: the device refuses, for instance for want of memory that another process has.
        """
        try:
            return self._answer(challenge, card)
        except (RuntimeError, MemoryError) as error:
            raise ExecutorBusy(f"{self.name} refuses: {str(error)[:200]}") from error

    def _answer(self, challenge: HardwareChallenge, card: str) -> DeviceAnswer:
        with self._cupy.cuda.Device(self._place), self._torch.cuda.device(self._place):
            return answer_on_device(challenge, card, self._kernels)


def answer_on_device(challenge: HardwareChallenge, card: str, kernels: DeviceKernels) -> DeviceAnswer:
    """Do the work of one card on the current device.

    Raises:
        ImportError: PyTorch is not installed.
        RuntimeError: the device refuses, for instance for want of memory.
    """
    left = kernels.draw_rows(challenge.left_key(card), challenge.rows, challenge.size)
    right = kernels.draw_columns(challenge.right_key(), challenge.size, challenge.size)
    product = multiply_on_device(left, right)
    digests = kernels.row_digests(product)
    return DeviceAnswer(card, product, digests, kernels.merkle_root(digests))


def multiply_on_device(left: Any, right: Any) -> Any:
    """int8 CuPy matrices to their exact int32 product, by the tensor cores through PyTorch; many times faster where ``right`` lies by columns.
    Sides are multiples of 8, rows more than 16."""
    cupy, torch = import_module("cupy"), import_module("torch")
    # PyTorch works on a stream of its own choice: what CuPy has queued has to be done, and the reverse.
    cupy.cuda.get_current_stream().synchronize()
    product = torch._int_mm(torch.from_dlpack(left), torch.from_dlpack(right))
    torch.cuda.synchronize()
    return cupy.from_dlpack(product)
