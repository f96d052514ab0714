"""Every error has a status, and says nothing that a stranger should not read."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI, Query

from computility.api.problems import install_problem_handlers, status_of
from computility.domain import errors

pytestmark = pytest.mark.anyio


def _classes(root: type[errors.ComputilityError]) -> Iterator[type[errors.ComputilityError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _classes(child)


async def _provoke(path: str, app: FastAPI, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        return await client.request(method, path)


def _app(error: Exception) -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/fail")
    def fail(number: int = Query(default=1, le=10)) -> None:
        raise error

    return app


def test_codes__are_unique_slugs() -> None:
    codes = [cls.code for cls in _classes(errors.ComputilityError)]

    assert len(codes) == len(set(codes))
    assert all(code == code.lower() and " " not in code for code in codes)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UnknownAsk("x"), 404),
        (errors.ContentNotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.ContentTooLarge("x"), 413),
        (errors.SignerMismatch("x"), 422),
        (errors.AmountOutOfRange("x"), 422),
        (errors.InvalidSignature("x"), 422),
        (errors.LimitReached("x"), 429),
        (errors.NodeBusy("x"), 503),
        (errors.ChainUnavailable("x"), 503),
        (errors.ContractReverted("x", "NotAuthorised"), 503),
        (errors.QuotaExceeded("x"), 507),
        (errors.StoreError("x"), 500),
    ],
)
async def test_an_error_of_the_tree__keeps_its_code_and_message(error: errors.ComputilityError, status: int) -> None:
    assert status_of(error) == status

    answer = await _provoke("/fail", _app(error))

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["code"] == error.code
    assert document["type"] == f"urn:computility:problem:{error.code}"
    assert document["detail"] == "x"
    assert document["instance"] == "/fail"
    assert answer.headers.get("retry-after") == ("5" if status in (429, 503) else None)


async def test_an_unforeseen_error__says_nothing_of_itself() -> None:
    answer = await _provoke("/fail", _app(RuntimeError("password=hunter2")))

    assert answer.status_code == 500
    assert answer.json()["code"] == "internal-error"
    assert "hunter2" not in answer.text


async def test_a_parameter_that_does_not_fit__is_named() -> None:
    answer = await _provoke("/fail?number=11", _app(RuntimeError()))

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-request"
    assert answer.json()["errors"] == [
        {"location": "query.number", "message": "Input should be less than or equal to 10"}
    ]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/fail", 405)])
async def test_the_frameworks_own_errors__are_problems_too(method: str, path: str, status: int) -> None:
    answer = await _provoke(path, _app(RuntimeError()), method)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
