"""An endpoint in front of another, that fails as networks and providers do: by status, by broken bytes, by silence."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

TRICKLES = {
    "header": b"x-slow: ",
    "body": b"content-length: 1000000\r\n\r\n",
    "chunk": b"transfer-encoding: chunked\r\n\r\n",
}
"""What comes at once of an answer of which the rest trickles in."""


@dataclass(frozen=True)
class Fault:
    """What comes instead of the answer. ``body`` None is what upstream said; ``keep`` cuts it to so many bytes; ``silent`` never answers;
    ``trickle`` sends a byte at a time for ever, of the "header", the "body" or a "chunk"."""

    status: int = 200
    body: bytes | None = None
    keep: int | None = None
    silent: bool = False
    trickle: str | None = None


Decide = Callable[[list[dict[str, Any]]], Fault | None]
"""From the calls of a request: None lets it through."""


@contextmanager
def faulty(upstream: str, decide: Decide) -> Iterator[str]:
    """URL of an endpoint that answers as ``upstream`` does, but for the faults."""
    over = threading.Event()
    # One for all: each would read the certificates anew.
    client = httpx.Client(timeout=20)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = json.loads(body)
            fault = decide(asked if isinstance(asked, list) else [asked]) or Fault()
            if fault.silent:
                over.wait(20)
                self.close_connection = True
                return
            if fault.trickle is not None:
                self._trickle(fault.trickle)
                return
            reply = fault.body
            if reply is None:
                reply = client.post(upstream, content=body, headers={"content-type": "application/json"}).content
            self.send_response(fault.status)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply[: fault.keep])
            if fault.keep is not None:
                self.close_connection = True

        def _trickle(self, part: str) -> None:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + TRICKLES[part])
            with contextlib.suppress(OSError):
                # Until whoever asked hangs up.
                while not over.wait(0.02):
                    self.wfile.write(b"1")

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        client.close()
        server.shutdown()
        server.server_close()
