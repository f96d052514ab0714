"""How large a body may be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from computility.api.body_limit import RPC_LIMIT, STATEMENT_LIMIT, BodyLimit

_CONTENT_LIMIT = 100_000


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def _app() -> BodyLimit:
    routes = [Route(path, _size, methods=["POST", "PUT"]) for path in ("/v1/asks", "/v1/content", "/rpc")]
    return BodyLimit(Starlette(routes=routes), content_limit=_CONTENT_LIMIT)


async def _post(path: str, body: bytes | AsyncIterator[bytes]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=_app()), base_url="http://node") as client:
        return await client.post(path, content=body)


async def _in_pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1000):
        yield b"x" * 1000
    yield b"x" * (size % 1000)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "limit"), [("/v1/asks", STATEMENT_LIMIT), ("/v1/content", _CONTENT_LIMIT), ("/rpc", RPC_LIMIT)]
)
async def test_a_body_at_the_limit__passes_and_one_byte_more_does_not(path: str, limit: int) -> None:
    assert (await _post(path, b"x" * limit)).text == str(limit)

    refused = await _post(path, b"x" * (limit + 1))

    assert refused.status_code == 413
    assert refused.json()["code"] == "request-too-large"


@pytest.mark.anyio
async def test_a_body_that_hides_its_length__is_cut_off_at_the_limit() -> None:
    assert (await _post("/v1/asks", _in_pieces(STATEMENT_LIMIT))).text == str(STATEMENT_LIMIT)
    assert (await _post("/v1/asks", _in_pieces(STATEMENT_LIMIT + 1))).status_code == 413
