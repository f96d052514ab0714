"""A socket whose reads and writes take no longer than what is left until a set instant.

A socket's own limit holds for each receive: whoever sends a byte now and then is never too late, in the middle of a body or of a header.
"""

from __future__ import annotations

import io
import socket
import time
from typing import IO, Any


class TimedSocket:
    """What ``http.client`` asks of a socket. ``give_up`` is by the monotonic clock, and set before each call."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.give_up = 0.0

    def sendall(self, data: Any) -> None:
        """Send everything.

        Raises:
            TimeoutError: the instant came first.
        """
        view = memoryview(data).cast("B")
        while view:
            self.allow_what_is_left()
            view = view[self._socket.send(view) :]

    def makefile(self, _mode: str = "rb") -> IO[bytes]:
        """What comes, to be read. It keeps the connection open until it is closed itself, as an answer outlives its connection's use.

        Raises, as it is read:
            TimeoutError: the instant came first.
        """
        return io.BufferedReader(_Received(self, self._socket.makefile("rb", buffering=0)))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def allow_what_is_left(self) -> None:
        """Let the next read or write take what time there is.

        Raises:
            TimeoutError: none.
        """
        left_s = self.give_up - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s)


class _Received(io.RawIOBase):
    def __init__(self, timed: TimedSocket, raw: socket.SocketIO) -> None:
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.allow_what_is_left()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
