"""Errors as RFC 9457 problem details: the one place where the error tree meets HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from computility.domain import errors

_log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
_MAX_LISTED_ERRORS: Final = 20

# The first class of an error's ancestry that stands here gives the status.
_STATUS: Final[Mapping[type[errors.ComputilityError], int]] = {
    errors.NotFound: 404,
    errors.ContentNotFound: 404,
    errors.Conflict: 409,
    errors.ContentTooLarge: 413,
    errors.StatementRefused: 422,
    errors.InvalidSignature: 422,
    errors.InvalidProof: 422,
    errors.InvalidMessage: 422,
    errors.ContentMismatch: 422,
    errors.LimitReached: 429,
    errors.NodeBusy: 503,
    errors.ChainError: 503,
    errors.QuotaExceeded: 507,
}

_HTTP_CODES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad-request", "The request could not be read: check that its body is what the operation takes."),
    403: ("forbidden", "This is not allowed from here."),
    404: ("not-found", "There is nothing at this path: see /v1/openapi.json for the operations."),
    405: ("method-not-allowed", "This path has no such operation: see the Allow header for those it has."),
    413: ("request-too-large", "The body is larger than the operation takes."),
    415: ("unsupported-media-type", "Send the body as application/json."),
}


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""
    app.add_exception_handler(errors.ComputilityError, _on_computility_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


def status_of(error: errors.ComputilityError) -> int:
    """The HTTP status of an error; 500 for one that no request should have met."""
    for ancestor in type(error).__mro__:
        if ancestor in _STATUS:
            return _STATUS[ancestor]
    return 500


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> JSONResponse:
    """A problem as a response. ``extra`` members are added to the document."""
    document = {
        "type": f"urn:computility:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "instance": instance,
        **extra,
    }
    return JSONResponse(
        {name: value for name, value in document.items() if value is not None},
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for the problems that an operation answers with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    listed: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses
    }
    listed["default"] = {"description": "Any other error", "content": content}
    return listed


async def _on_computility_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.ComputilityError)
    status = status_of(error)
    if status == 500:
        _log.error("%s %s: %s: %s", request.method, request.url.path, error.code, error)
    headers = {"Retry-After": "5"} if status in (429, 503) else {}
    return problem(status, error.code, str(error), instance=request.url.path, headers=headers)


async def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    listed = [
        {"location": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in error.errors()[:_MAX_LISTED_ERRORS]
    ]
    first = listed[0] if listed else {"location": "request", "message": "does not fit"}
    detail = f"{first['location']}: {first['message']}. Correct it as /v1/openapi.json describes."
    return problem(422, "invalid-request", detail, instance=request.url.path, errors=listed)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, advice = _HTTP_CODES.get(error.status_code, (_slug(error.status_code), str(error.detail)))
    phrase = HTTPStatus(error.status_code).phrase
    detail = advice if error.detail == phrase else str(error.detail)
    return problem(error.status_code, code, detail, instance=request.url.path, headers=error.headers)


async def _on_unexpected_error(request: Request, error: Exception) -> JSONResponse:
    # The server's own log has the traceback; the answer tells a stranger nothing of it.
    detail = "The node met an error of its own. Try again; if it stays, report it with the time and this path."
    return problem(500, "internal-error", detail, instance=request.url.path)


def _slug(status: int) -> str:
    return re.sub(r"[^a-z]+", "-", HTTPStatus(status).phrase.lower()).strip("-")
