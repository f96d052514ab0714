"""What the node passes on to the chain, and for whom."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from computility.api.json_rpc import router
from computility.api.problems import install_problem_handlers

pytestmark = pytest.mark.anyio

_CHAIN_ID = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}


@contextmanager
def _endpoint(answer: bytes, status: int = 200) -> Iterator[tuple[str, list[Any]]]:
    """A JSON-RPC endpoint that always gives ``answer``; its URL, and the questions that reached it."""
    questions: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", questions
        server.shutdown()


async def _ask(
    url: str,
    question: Any,
    headers: dict[str, str] | None = None,
    peer: str = "127.0.0.1",
    content: bytes | None = None,
) -> httpx.Response:
    app = FastAPI()
    app.include_router(router)
    install_problem_handlers(app)
    transport = httpx.ASGITransport(app=app, client=(peer, 5000), raise_app_exceptions=False)
    async with httpx.AsyncClient(base_url=url, timeout=1.0) as upstream:
        app.state.rpc_client = upstream
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            body = content if content is not None else orjson.dumps(question)
            return await client.post(
                "/rpc", content=body, headers={"Content-Type": "application/json", **(headers or {})}
            )


async def test_a_question__reaches_the_chain_and_its_answer_comes_back() -> None:
    with _endpoint(b'{"jsonrpc":"2.0","id":7,"result":"0x7a69"}') as (url, questions):
        answer = await _ask(url, _CHAIN_ID, {"Origin": "http://127.0.0.1:8000"})

    assert answer.json() == {"jsonrpc": "2.0", "id": 7, "result": "0x7a69"}
    assert questions == [_CHAIN_ID]


@pytest.mark.parametrize(
    "method",
    [
        "eth_sendTransaction",
        "eth_sign",
        "eth_accounts",
        "anvil_setBalance",
        "evm_mine",
        "debug_traceCall",
        "ETH_CHAINID",
        "",
    ],
)
async def test_a_method_that_signs_or_rewrites__never_reaches_the_chain(method: str) -> None:
    with _endpoint(b"{}") as (url, questions):
        single = await _ask(url, {**_CHAIN_ID, "method": method})
        hidden = await _ask(url, [_CHAIN_ID, {**_CHAIN_ID, "method": method}])

    assert single.json()["error"]["code"] == -32601
    assert hidden.json()["error"]["code"] == -32601
    assert questions == []


@pytest.mark.parametrize("question", [[], [_CHAIN_ID] * 51, "eth_chainId", None, 5, [5], {"method": 5}])
async def test_what_is_no_request__never_reaches_the_chain(question: Any) -> None:
    with _endpoint(b"{}") as (url, questions):
        answer = await _ask(url, question)

    assert answer.json()["error"]["code"] == -32600
    assert questions == []


async def test_a_body_that_is_not_json__is_a_parse_error() -> None:
    with _endpoint(b"{}") as (url, questions):
        answer = await _ask(url, None, content=b"{")

    assert answer.json()["error"]["code"] == -32700
    assert questions == []


@pytest.mark.parametrize(
    ("headers", "peer", "status"),
    [
        ({"Origin": "https://evil.example"}, "127.0.0.1", 403),
        ({"Origin": "http://127.0.0.1:9000"}, "127.0.0.1", 403),
        ({"Origin": "null"}, "127.0.0.1", 403),
        ({"Content-Type": "text/plain"}, "127.0.0.1", 415),
        ({}, "10.1.2.3", 403),
    ],
)
async def test_strangers__never_reach_the_chain(headers: dict[str, str], peer: str, status: int) -> None:
    with _endpoint(b"{}") as (url, questions):
        answer = await _ask(url, _CHAIN_ID, headers, peer)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert questions == []


@pytest.mark.parametrize("garbage", [b"", b"<html>", b'{"jsonrpc":'])
async def test_a_chain_that_answers_garbage__is_a_problem_with_advice(garbage: bytes) -> None:
    with _endpoint(garbage) as (url, _):
        answer = await _ask(url, _CHAIN_ID)

    assert answer.status_code == 503
    assert answer.json()["code"] == "chain-unavailable"
    assert "RPC URL" in answer.json()["detail"]


async def test_a_chain_that_is_down__is_a_problem_with_advice() -> None:
    with _endpoint(b"{}") as (url, _):
        pass

    answer = await _ask(url, _CHAIN_ID)

    assert answer.status_code == 503
    assert answer.json()["code"] == "chain-unavailable"
    assert answer.headers["retry-after"] == "5"
