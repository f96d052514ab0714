"""Which host names the node answers to."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from computility.api.hosts import KnownHostsOnly, host_name, is_loopback


async def _hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _ask_as(host: str, allowed: tuple[str, ...] = ()) -> httpx.Response:
    app = KnownHostsOnly(Starlette(routes=[Route("/", _hello)]), allowed)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://placeholder") as client:
        return await client.get("/", headers={"Host": host})


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000"])
async def test_loopback_names__are_answered(host: str) -> None:
    assert (await _ask_as(host)).text == "hello"


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "[::2]"])
async def test_another_name__is_refused_with_advice(host: str) -> None:
    answer = await _ask_as(host)

    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unknown-host"
    assert "COMPUTILITY_ALLOWED_HOSTS" in answer.json()["detail"]


@pytest.mark.anyio
async def test_a_name_that_the_operator_allows__is_answered() -> None:
    assert (await _ask_as("node.example:443", ("node.example",))).status_code == 200


def test_host_name__drops_port_and_brackets() -> None:
    assert host_name("[2001:DB8::1]:80") == "2001:db8::1"
    assert host_name("Example.org:80") == "example.org"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("testclient", False),
        (None, False),
    ],
)
def test_is_loopback__knows_this_machine(address: str | None, expected: bool) -> None:
    assert is_loopback(address) is expected
