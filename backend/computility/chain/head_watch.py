"""Waits for a new block: by ``newHeads`` over a WebSocket where there is one, by the clock otherwise.

It only wakes who waits. What the new head is, is asked over HTTP like everything else, so that a socket that lies or falls
silent costs nothing but time.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Final, Self

import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

_log = logging.getLogger(__name__)

_OPEN_WITHIN_S: Final = 10.0
_TRY_AGAIN_S: Final = 5.0
_MOST_BYTES: Final = 1024 * 1024
_POLL_BESIDE: Final = 8
"""With a socket the clock runs this much slower: it is only there for a socket that fell silent."""


class HeadWatch:
    """Use as a context manager. Without ``websocket_url`` it is a clock."""

    def __init__(self, websocket_url: str | None, poll_interval_s: float) -> None:
        self._url = websocket_url
        self._poll_s = poll_interval_s
        self._stop = threading.Event()
        self._news = threading.Event()
        self._listening = threading.Event()
        self._socket: ClientConnection | None = None
        self._thread = threading.Thread(target=self._listen, name="head-watch", daemon=True)

    def __enter__(self) -> Self:
        if self._url:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._news.set()
        if self._url:
            if (socket := self._socket) is not None:
                socket.close()
            self._thread.join(_OPEN_WITHIN_S)

    @property
    def listening(self) -> bool:
        """Whether new heads are told over the socket just now."""
        return self._listening.is_set()

    def wait(self, stop: threading.Event) -> None:
        """Return when there may be a new block, or ``stop`` is set."""
        if not self._url:
            stop.wait(self._poll_s)
            return
        left_s = self._poll_s * (_POLL_BESIDE if self.listening else 1)
        while left_s > 0 and not stop.is_set():
            if self._news.wait(min(left_s, 0.25)):
                self._news.clear()
                return
            left_s -= 0.25

    def _listen(self) -> None:
        assert self._url is not None
        told = False
        while not self._stop.is_set():
            try:
                with connect(
                    self._url, open_timeout=_OPEN_WITHIN_S, close_timeout=1, max_size=_MOST_BYTES, proxy=None
                ) as self._socket:
                    socket = self._socket
                    socket.send(
                        orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
                    )
                    if "result" not in orjson.loads(socket.recv(timeout=_OPEN_WITHIN_S)):
                        raise WebSocketException("newHeads is refused")
                    self._listening.set()
                    told = False
                    while not self._stop.is_set():
                        try:
                            socket.recv(timeout=1.0)
                        except TimeoutError:
                            continue
                        self._news.set()
            except (OSError, WebSocketException, ValueError, TypeError) as error:
                if not told and not self._stop.is_set():
                    _log.warning(
                        "new blocks are polled for: the WebSocket does not tell of them (%s)", type(error).__name__
                    )
                    told = True
            self._listening.clear()
            # Whoever waits for the socket goes on by the clock.
            self._news.set()
            self._stop.wait(_TRY_AGAIN_S)
