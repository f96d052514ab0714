"""What a host call can touch of the program that makes it: its memory and its fuel."""

from __future__ import annotations

import ctypes
import struct

from wasmtime import Memory, Store

from computility.domain.errors import FuelExhausted, JobTrapped
from computility.execution.wasm.engine_settings import BYTE_FUEL
from computility.execution.wasm.errno import Errno, WasiError

MAX_IO_VECTORS = 1_024


class Guest:
    """Linear memory, bounds checked, and the fuel left. Addresses and lengths are unsigned 32-bit numbers."""

    def __init__(self, store: Store) -> None:
        self.memory: Memory | None = None
        self._store = store

    def charge(self, fuel: int) -> None:
        """Take fuel for work done on the program's behalf.

        Raises:
            FuelExhausted: there is less than that.
        """
        left = self._store.get_fuel()
        if left < fuel:
            self._store.set_fuel(0)
            raise FuelExhausted("the program used up its fuel in a host call")
        self._store.set_fuel(left - fuel)

    def read(self, address: int, length: int) -> bytes:
        """Bytes of the memory.

        Raises:
            WasiError: FAULT, where the range is not inside the memory.
        """
        return ctypes.string_at(self._checked(address, length), length)

    def write(self, address: int, data: bytes | bytearray) -> None:
        """Put bytes into the memory.

        Raises:
            WasiError: FAULT, where they do not fit there.
        """
        ctypes.memmove(self._checked(address, len(data)), bytes(data), len(data))

    def write_u32(self, address: int, value: int) -> None:
        """Put a 32-bit number into the memory."""
        self.write(address, struct.pack("<I", value))

    def write_u64(self, address: int, value: int) -> None:
        """Put a 64-bit number into the memory."""
        self.write(address, struct.pack("<Q", value))

    def text(self, address: int, length: int) -> str:
        """UTF-8 in the memory; longer ones than a path can be are refused before they are read.

        Raises:
            WasiError: FAULT, INVAL, or ILSEQ where it is no UTF-8.
        """
        if length > 4_096:
            raise WasiError(Errno.INVAL)
        try:
            return self.read(address, length).decode()
        except UnicodeDecodeError:
            raise WasiError(Errno.ILSEQ) from None

    def io_vectors(self, address: int, count: int) -> list[tuple[int, int]]:
        """Buffers as (address, length), all inside the memory; the bytes that they hold together are charged.

        Raises:
            WasiError: FAULT, or INVAL where there are too many.
            FuelExhausted: not enough fuel to move as many bytes.
        """
        if count > MAX_IO_VECTORS:
            raise WasiError(Errno.INVAL)
        packed = self.read(address, 8 * count)
        vectors = [struct.unpack_from("<II", packed, 8 * index) for index in range(count)]
        for start, length in vectors:
            self._checked(start, length)
        self.charge(BYTE_FUEL * sum(length for _, length in vectors))
        return vectors

    def _checked(self, address: int, length: int) -> int:
        """The host's address of a range of the memory."""
        if self.memory is None:
            raise JobTrapped("the program made a host call and exports no memory")
        if address + length > self.memory.data_len(self._store):
            raise WasiError(Errno.FAULT)
        if length == 0:
            return 0
        return ctypes.addressof(self.memory.data_ptr(self._store).contents) + address
