"""The web app: files of its build, and its index for every path that the app itself routes."""

from __future__ import annotations

import mimetypes
from pathlib import Path, PurePosixPath
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from computility.api.security_headers import page_policy

_OWN_PREFIXES: Final = ("/v1", "/rpc")
_FOREVER: Final = "public, max-age=31536000, immutable"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Computility</title></head>
<body><h1>Computility node</h1>
<p>The node is up. Its web app has not been built: run <code>make setup</code> in the checkout, then reload.</p>
<p>The API is at <a href="/v1/health">/v1/health</a>; <a href="/v1/openapi.json">/v1/openapi.json</a> describes it.</p>
</body></html>
"""


class WebPage:
    """ASGI application for whatever the API does not route."""

    def __init__(self, dist: Path, connect_to: str | None = None) -> None:
        self._dist = dist.resolve()
        self._policy = page_policy(connect_to)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # A WebSocket: there are none here.
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope)
        path = request.url.path
        if any(path == prefix or path.startswith(prefix + "/") for prefix in _OWN_PREFIXES):
            raise HTTPException(404)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        response = self._respond(path)
        response.headers["Content-Security-Policy"] = self._policy
        await response(scope, receive, send)

    def _respond(self, path: str) -> Response:
        file = self._file_at(path)
        if file is not None:
            # Vite puts a hash of the content into the names under assets/.
            cache = _FOREVER if path.startswith("/assets/") else "no-cache"
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            return FileResponse(file, media_type=kind, headers={"Cache-Control": cache})
        if PurePosixPath(path).suffix:
            raise HTTPException(404)
        index = self._dist / "index.html"
        if index.is_file():
            return FileResponse(index, media_type="text/html", headers={"Cache-Control": "no-cache"})
        return HTMLResponse(_NOT_BUILT, headers={"Cache-Control": "no-store"})

    def _file_at(self, path: str) -> Path | None:
        if "\x00" in path:
            return None
        # Resolved, so that neither `..` nor a link leads out of the build.
        file = (self._dist / path.lstrip("/")).resolve()
        return file if file.is_relative_to(self._dist) and file.is_file() else None
