"""The application: one port for the API, the web app, and on development chains JSON-RPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

import httpx
from fastapi import APIRouter, FastAPI

from computility.api.body_limit import BodyLimit
from computility.api.hosts import KnownHostsOnly
from computility.api.json_rpc import router as json_rpc
from computility.api.metrics import router as metrics
from computility.api.openapi_document import openapi_document
from computility.api.page import WebPage
from computility.api.problems import install_problem_handlers
from computility.api.routers import (
    accounts,
    asks,
    content,
    events,
    institutions,
    jobs,
    leases,
    node,
    quotes,
    ratings,
    readers,
    statistics,
    uploads,
)
from computility.api.security_headers import SecurityHeaders
from computility.services.node import Node
from computility.settings import NodeSettings

_DESCRIPTION: Final = """\
An open ledger for trading computing power. Statements are signed with EIP-712 in the escrow's domain, which
`GET /v1/config` tells; the chain, not this node, is the authority on every trade.

Amounts and units are decimal strings, times UTC seconds. Errors are problem details (RFC 9457) with a stable `code`.
Lists come in pages: pass `next` as `cursor`.
"""


def create_app(settings: NodeSettings) -> FastAPI:
    """The node as an ASGI application. Starting it opens the store and follows the chain; stopping it ends both."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        timeout = httpx.Timeout(settings.rpc_timeout_s)
        async with httpx.AsyncClient(base_url=settings.rpc_url, timeout=timeout, trust_env=False) as rpc_client:
            app.state.rpc_client = rpc_client
            with Node.running(settings) as running:
                app.state.node = running
                yield

    app = FastAPI(
        title="Computility",
        version=version("computility"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        # Their pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api = APIRouter(prefix="/v1")
    for part in (
        node,
        asks,
        quotes,
        jobs,
        leases,
        ratings,
        readers,
        accounts,
        events,
        statistics,
        institutions,
        content,
        uploads,
    ):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(metrics)
    if settings.development:
        app.include_router(json_rpc)
    connect_to = str(settings.rpc_url_public) if settings.rpc_url_public else None
    app.router.default = WebPage(settings.web_dist, connect_to)

    install_problem_handlers(app)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, content_limit=settings.max_content_bytes)
    app.add_middleware(KnownHostsOnly, allowed=settings.allowed_hosts)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    return app
