"""HTTP servers that behave as no chain endpoint should."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOWER_THAN_ANY_TIMEOUT_S = 40


class _Handler(BaseHTTPRequestHandler):
    behaviour = ""

    def do_POST(self) -> None:
        """Answer a JSON-RPC call badly."""
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.behaviour == "is slow":
            time.sleep(SLOWER_THAN_ANY_TIMEOUT_S)
        body = b"<html>Welcome to nginx!</html>"
        if self.behaviour == "lies":
            body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": {"not": "a quantity"}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Be quiet."""


@contextmanager
def endpoint_that(behaviour: str) -> Iterator[str]:
    """A URL whose server ``talks html``, ``lies`` or ``is slow``."""
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
