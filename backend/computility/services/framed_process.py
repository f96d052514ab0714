"""A module run as a process of its own. Frames go both ways through its standard streams: four bytes of length, then a tuple, by ``marshal``.

What it says comes through a socket, where a whole frame is one call. A pipe gives 64 KiB a call, and after each of them the thread that reads asks
for the interpreter again, for which it waits 5 ms while another thread computes: that was longer than making and folding what a frame holds.

No key in an endpoint's URL shows among its arguments, and it ends with its parent. Unlike ``multiprocessing`` it does not import the caller's main
module again, so it holds no more in memory than its own work needs.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import queue
import socket
import struct
import subprocess
import sys
import threading
from types import TracebackType
from typing import IO, Any, Final, Self

from computility.domain import errors
from computility.domain.errors import ComputilityError
from computility.services.uncollected import uncollected

_LENGTH: Final = struct.Struct(">I")
_FRAMES_AHEAD: Final = 4
_STOP_WITHIN_S: Final = 10.0
_MARSHAL_FORMAT: Final = 2
"""The newer ones look for objects that occur twice: that costs as much as writing them."""
_FAILED: Final = "failed"

Frame = tuple[Any, ...]


class FramedProcess:
    """The parent's side. A few frames wait here; the process waits when there are as many."""

    def __init__(self, module: str, *told: Frame) -> None:
        """``told`` is what it hears first."""
        self._module = module
        self._told = told
        self._frames: queue.Queue[bytearray] = queue.Queue(_FRAMES_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name=module.rpartition(".")[2], daemon=True)
        self.ended = False
        """It was killed, by want of memory say, or has said all that it had to say."""

    def __enter__(self) -> Self:
        self._said, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module], stdin=subprocess.PIPE, stdout=theirs.fileno()
            )
        for frame in self._told:
            self.tell(frame)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._process.kill()
        self._process.wait(_STOP_WITHIN_S)
        self._thread.join(_STOP_WITHIN_S)
        assert self._process.stdin is not None
        # What it never read is still in the buffer.
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def tell(self, frame: Frame) -> None:
        """Let it hear something. One that has ended does not, which ``next`` shows."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            _write(self._process.stdin, frame)

    def next(self, timeout_s: float | None = None) -> Frame | None:
        """The next frame; None when none came in time, or it has ended.

        Raises:
            ComputilityError: what ended it, as it was raised there.
        """
        if self.ended:
            return None
        try:
            raw = self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if not raw:
            self.ended = True
            return None
        with uncollected():
            frame: Frame = marshal.loads(raw)  # noqa: S302  # from a process of our own
        if frame[0] == _FAILED:
            _, name, message = frame
            raise _ERRORS.get(name, ComputilityError)(message)
        return frame

    def _read(self) -> None:
        with self._said as said:
            while not self._stop.is_set():
                head = _received(said, _LENGTH.size)
                raw = _received(said, *_LENGTH.unpack(head)) if head else head
                self._put(raw)
                if not raw:
                    return

    def _put(self, raw: bytearray) -> None:
        while not self._stop.is_set():
            try:
                self._frames.put(raw, timeout=0.2)
            except queue.Full:
                continue
            return


_ERRORS: Final[dict[str, type[ComputilityError]]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type)
    and issubclass(found, ComputilityError)
    # Those that need no more than a message.
    and (found.__init__ is Exception.__init__ or found is errors.RpcRefused)
}


def _received(said: socket.socket, size: int) -> bytearray:
    """So many bytes; none where the process ended before it had said as many."""
    raw = bytearray(size)
    view, at = memoryview(raw), 0
    while at < size:
        try:
            more = said.recv_into(view[at:], 0, socket.MSG_WAITALL)
        except ConnectionError:
            more = 0
        if not more:
            return bytearray()
        at += more
    return raw


# ---------------------------------------------------------------- in the process itself


def heard() -> Frame | None:
    """What the parent tells next; None when it has ended, or tells no more."""
    raw = _read(sys.stdin.buffer)
    return marshal.loads(raw) if raw else None  # noqa: S302  # from our parent


def send(frame: Frame) -> None:
    """Hand a frame to the parent. Where that was killed nobody is left to be told anything, and this process ends."""
    try:
        _write(sys.stdout.buffer, frame)
    except BrokenPipeError:
        # Not by an exception, which would be written to a terminal that somebody else may use by now.
        os._exit(1)


def send_error(error: ComputilityError) -> None:
    """Raise an error in the parent."""
    send((_FAILED, type(error).__name__, str(error)))


def _write(stream: IO[bytes], frame: Frame) -> None:
    raw = marshal.dumps(frame, _MARSHAL_FORMAT)
    stream.write(_LENGTH.pack(len(raw)))
    stream.write(raw)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    head = stream.read(_LENGTH.size)
    return stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
