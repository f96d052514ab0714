"""Host calls about the process: arguments, clocks, randomness, its end."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from computility.execution.wasm.engine_settings import BYTE_FUEL, RANDOM_BYTE_FUEL
from computility.execution.wasm.errno import Errno, WasiError
from computility.execution.wasm.guest import Guest
from computility.execution.wasm.random_stream import RandomStream

NANOSECONDS = 10**9
_CLOCKS = 4
_SUBSCRIPTION_BYTES = 48
_MAX_SUBSCRIPTIONS = 1_024
_TAG_CLOCK = 0


class ProcessExit(Exception):
    """The program called ``proc_exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit code {code}")
        self.code = code


class ProcessCalls:
    """One method a call, named as in WASI preview 1. ``arguments`` are argv; ``clock_s`` is what every clock answers."""

    def __init__(self, guest: Guest, arguments: Sequence[str], clock_s: int, seed: bytes) -> None:
        self._guest = guest
        self._arguments = [argument.encode() + b"\0" for argument in arguments]
        self._time = clock_s * NANOSECONDS
        self._random = RandomStream(seed)

    def args_sizes_get(self, count_at: int, bytes_at: int) -> None:
        """Number and bytes of argv."""
        self._guest.write_u32(count_at, len(self._arguments))
        self._guest.write_u32(bytes_at, sum(map(len, self._arguments)))

    def args_get(self, pointers_at: int, text_at: int) -> None:
        """argv."""
        for argument in self._arguments:
            self._guest.write_u32(pointers_at, text_at)
            self._guest.write(text_at, argument)
            pointers_at += 4
            text_at += len(argument)

    def environ_sizes_get(self, count_at: int, bytes_at: int) -> None:
        """There are no environment variables."""
        self._guest.write_u32(count_at, 0)
        self._guest.write_u32(bytes_at, 0)

    def environ_get(self, _pointers_at: int, _text_at: int) -> None:
        """There are none."""

    def clock_res_get(self, clock: int, at: int) -> None:
        """Clocks count seconds."""
        _check_clock(clock)
        self._guest.write_u64(at, NANOSECONDS)

    def clock_time_get(self, clock: int, _precision: int, at: int) -> None:
        """The specification's time, always."""
        _check_clock(clock)
        self._guest.write_u64(at, self._time)

    def random_get(self, address: int, length: int) -> None:
        """The next bytes of the seeded stream."""
        self._guest.charge(RANDOM_BYTE_FUEL * length)
        self._guest.write(address, self._random.take(length))

    def sched_yield(self) -> None:
        """Nobody else runs."""

    def poll_oneoff(self, subscriptions_at: int, events_at: int, count: int, count_at: int) -> None:
        """Every timer is over at once; files and streams cannot be waited for."""
        if not 0 < count <= _MAX_SUBSCRIPTIONS:
            raise WasiError(Errno.INVAL)
        self._guest.charge(BYTE_FUEL * _SUBSCRIPTION_BYTES * count)
        packed = self._guest.read(subscriptions_at, _SUBSCRIPTION_BYTES * count)
        events = bytearray()
        for offset in range(0, len(packed), _SUBSCRIPTION_BYTES):
            userdata, tag = struct.unpack_from("<QB", packed, offset)
            errno = Errno.SUCCESS if tag == _TAG_CLOCK else Errno.NOTSUP
            events += struct.pack("<QHB5xQH6x", userdata, errno, tag, 0, 0)
        self._guest.write(events_at, events)
        self._guest.write_u32(count_at, count)

    def proc_exit(self, code: int) -> None:
        """The end."""
        raise ProcessExit(code)


def _check_clock(clock: int) -> None:
    if clock >= _CLOCKS:
        raise WasiError(Errno.INVAL)
