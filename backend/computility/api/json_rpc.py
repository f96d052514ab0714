"""JSON-RPC pass-through, so that on a development chain the page needs one port only.

Only for callers on this machine, under the page's own origin, and only for methods that read or that send what is
already signed: a development chain would otherwise sign for its unlocked accounts, move its clock or rewrite its state
for whoever asks.
"""

from __future__ import annotations

from typing import Any, Final

import httpx
import orjson
from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from computility.api.hosts import is_loopback
from computility.domain.errors import ChainUnavailable

router = APIRouter()

_MAX_BATCH: Final = 50
_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_METHOD_NOT_FOUND: Final = -32601
_INVALID_REQUEST: Final = -32600
_PARSE_ERROR: Final = -32700

_METHODS: Final = frozenset(
    {
        "eth_blockNumber",
        "eth_call",
        "eth_chainId",
        "eth_estimateGas",
        "eth_feeHistory",
        "eth_gasPrice",
        "eth_getBalance",
        "eth_getBlockByHash",
        "eth_getBlockByNumber",
        "eth_getCode",
        "eth_getLogs",
        "eth_getStorageAt",
        "eth_getTransactionByHash",
        "eth_getTransactionCount",
        "eth_getTransactionReceipt",
        "eth_maxPriorityFeePerGas",
        "eth_sendRawTransaction",
        "eth_syncing",
        "net_version",
        "web3_clientVersion",
    }
)


@router.post("/rpc", include_in_schema=False)
async def pass_through(request: Request) -> Response:
    """Hand a request, or a batch of up to 50, to the chain."""
    _demand_own_page(request)
    try:
        question = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return _answer(_refusal(None, _PARSE_ERROR, "the body is not JSON"))
    refused = _refuse(question)
    if refused is not None:
        return _answer(refused)
    return await _forward(request, question)


def _demand_own_page(request: Request) -> None:
    if not is_loopback(request.client.host if request.client else None):
        raise HTTPException(403, "The chain may be asked through this node only from the node's own machine.")
    # A form or a text/plain request needs no preflight, so a stranger's page could send one.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415)
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != request.headers.get("host", "").lower():
        raise HTTPException(403, "The chain may be asked through this node only by the node's own page.")


def _refuse(question: Any) -> Any:
    """The JSON-RPC answer to a question that is not passed on, else None."""
    if not isinstance(question, list):
        return _refuse_single(question)
    if not 0 < len(question) <= _MAX_BATCH:
        return _refusal(None, _INVALID_REQUEST, f"a batch has 1 to {_MAX_BATCH} requests")
    return next((refused for refused in map(_refuse_single, question) if refused), None)


def _refuse_single(question: Any) -> Any:
    if not isinstance(question, dict) or not isinstance(question.get("method"), str):
        return _refusal(None, _INVALID_REQUEST, "a request is an object with a method")
    if question["method"] not in _METHODS:
        name = question["method"][:64]
        return _refusal(
            question.get("id"), _METHOD_NOT_FOUND, f"this node does not pass {name} on; ask the chain itself"
        )
    return None


def _refusal(identifier: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identifier, "error": {"code": code, "message": message}}


def _answer(content: Any) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


async def _forward(request: Request, question: Any) -> Response:
    client: httpx.AsyncClient = request.app.state.rpc_client
    collected = bytearray()
    try:
        async with client.stream("POST", "", json=question) as answer:
            async for chunk in answer.aiter_bytes():
                collected += chunk
                if len(collected) > _MAX_ANSWER_BYTES:
                    raise ChainUnavailable("The chain's answer is too large to pass on: ask for fewer blocks.")
        orjson.loads(collected)
    except httpx.HTTPError as error:
        raise ChainUnavailable("The chain does not answer. Wait, or start it again; nothing was sent twice.") from error
    except orjson.JSONDecodeError as error:
        raise ChainUnavailable("The chain answered with something that is not JSON. Is the RPC URL right?") from error
    return Response(bytes(collected), media_type="application/json")
