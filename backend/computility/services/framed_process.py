"""A module run as a process of its own, which answers with frames on its standard output: four bytes of length, then a
tuple as ``marshal`` writes it.

What it is told goes to its standard input, so that no key in an endpoint's URL shows among its arguments. It ends with its parent. Unlike
``multiprocessing`` it does not import the caller's main module again, so it holds no more in memory than its own work needs.
"""

from __future__ import annotations

import marshal
import queue
import struct
import subprocess
import sys
import threading
from types import TracebackType
from typing import Any, Final, Self

from computility.chain.tether import end_with_parent
from computility.services.uncollected import uncollected

_LENGTH: Final = struct.Struct(">I")
_FRAMES_AHEAD: Final = 4
_STOP_WITHIN_S: Final = 10.0
_MARSHAL_FORMAT: Final = 2
"""The newer ones look for objects that occur twice: that costs as much as writing them."""

Frame = tuple[Any, ...]


class FramedProcess:
    """The parent's side. A few frames wait here; the process waits when there are as many."""

    def __init__(self, module: str, told: bytes) -> None:
        self._module = module
        self._told = told
        self._frames: queue.Queue[bytes] = queue.Queue(_FRAMES_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name=module.rpartition(".")[2], daemon=True)
        self.ended = False
        """It was killed, by want of memory say, or has said all that it had to say."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._process.kill()
        self._process.wait(_STOP_WITHIN_S)
        self._thread.join(_STOP_WITHIN_S)

    def next(self, timeout_s: float | None = None) -> Frame | None:
        """The next frame; None when none came in time, or it has ended."""
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
        return frame

    def _read(self) -> None:
        tell, stream = self._process.stdin, self._process.stdout
        assert tell is not None
        assert stream is not None
        try:
            with tell:
                tell.write(self._told)
        except OSError:
            pass  # It has ended already, which is seen below.
        with stream:
            while not self._stop.is_set():
                raw = b""
                if len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
                    raw = stream.read(_LENGTH.unpack(head)[0])
                self._put(raw)
                if not raw:
                    return

    def _put(self, raw: bytes) -> None:
        while not self._stop.is_set():
            try:
                self._frames.put(raw, timeout=0.2)
            except queue.Full:
                continue
            return


def told_by_parent() -> bytes:
    """In the process itself: what it was told, all of it. It ends with its parent from now on."""
    end_with_parent()
    return sys.stdin.buffer.read()


def send(frame: Frame) -> None:
    """In the process itself: hand a frame to the parent."""
    stream = sys.stdout.buffer
    raw = marshal.dumps(frame, _MARSHAL_FORMAT)
    stream.write(_LENGTH.pack(len(raw)))
    stream.write(raw)
    stream.flush()
