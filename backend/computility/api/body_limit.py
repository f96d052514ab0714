"""How large a request's body may be. One who sends more is cut off before it fills memory."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from computility.api.problems import problem

STATEMENT_LIMIT: Final = 16 * 1024
"""Bytes of a signed statement."""
RPC_LIMIT: Final = 1024 * 1024
"""Bytes of a JSON-RPC request: a contract's creation code fits."""


class BodyLimit:
    """ASGI middleware: answers 413 to a body over the limit of its path."""

    def __init__(self, app: ASGIApp, content_limit: int) -> None:
        self._app = app
        self._content_limit = content_limit

    def limit_of(self, path: str) -> int:
        """Bytes that a request to ``path`` may have."""
        if path == "/v1/content" or path.startswith("/v1/uploads/"):
            return self._content_limit
        return RPC_LIMIT if path == "/rpc" else STATEMENT_LIMIT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self.limit_of(scope["path"])
        advice = f"The body is larger than {limit} bytes, which is the limit here."
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or int(declared) > limit:
            await problem(413, "request-too-large", advice, instance=scope["path"])(scope, receive, send)
            return

        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise HTTPException(413, advice)
            return message

        await self._app(scope, receive_counted, send)
