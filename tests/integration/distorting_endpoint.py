"""A proxy before a chain endpoint that distorts its answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

Distort = Callable[[str, Any], Any]
"""Method and result → the result that is passed on."""
DistortCall = Callable[[dict[str, Any], Any], Any]
"""The same, by the whole call."""


def _as_it_is(_call: Any, result: Any) -> Any:
    return result


@contextmanager
def distorted(upstream: str, distort: Distort = _as_it_is, distort_call: DistortCall = _as_it_is) -> Iterator[str]:
    """URL of an endpoint that answers as ``upstream`` does, but for what ``distort`` and ``distort_call`` make of it."""

    # One for all: each would read the certificates anew.
    client = httpx.Client(timeout=20)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Ask upstream, and pass on."""
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = json.loads(body)
            answered = client.post(upstream, content=body, headers={"content-type": "application/json"}).json()
            calls = asked if isinstance(asked, list) else [asked]
            answers = answered if isinstance(answered, list) else [answered]
            by_id = {call["id"]: call for call in calls}
            for answer in answers:
                if "result" in answer:
                    call = by_id[answer["id"]]
                    answer["result"] = distort_call(call, distort(call["method"], answer["result"]))
            reply = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        client.close()
