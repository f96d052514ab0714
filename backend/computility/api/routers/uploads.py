"""Uploads that may break off and go on: the core and the creation of tus 1.0.0 (https://tus.io), so that any client of it can bring large content."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from computility.api.dependencies import Client, RunningNode
from computility.api.problems import problems
from computility.api.schemas.wire import ContentIdText
from computility.domain.content_id import parse_content_id
from computility.domain.errors import ContentMismatch, InvalidMessage

router = APIRouter(prefix="/uploads", tags=["content"])

_VERSION: Final = "1.0.0"
_CONTENT_TYPE: Final = "application/offset+octet-stream"
UploadIdPath = Annotated[str, Path(min_length=1, max_length=64, description="As `Location` named it.")]


@router.post("", status_code=201, response_class=Response, responses=problems(413, 422, 429, 507))
def begin_upload(
    node: RunningNode,
    client: Client,
    upload_length: Annotated[int, Header(ge=0, le=2**53, description="Bytes of the whole.")] = 0,
    upload_metadata: Annotated[
        str | None, Header(max_length=1024, description="`cid` and the content id in base64: another hash is an error.")
    ] = None,
) -> Response:
    """Begin an upload; its place is in `Location`. An upload that is left alone for an hour is dropped."""
    upload = node.uploads.begin(upload_length, _expected(upload_metadata), client)
    return Response(
        status_code=201, headers={**_told(upload.offset, upload.size), "Location": f"/v1/uploads/{upload.id}"}
    )


@router.head("/{upload}", response_class=Response, responses={200: {"description": "How far it is"}, **problems(404)})
def head_upload(upload: UploadIdPath, node: RunningNode) -> Response:
    """How far an upload is: go on at `Upload-Offset`."""
    found = node.uploads.find(upload)
    return Response(headers={**_told(found.offset, found.size), "Cache-Control": "no-store"})


@router.patch(
    "/{upload}",
    status_code=204,
    response_class=Response,
    responses={
        204: {"description": "Taken in; with the last piece, `Content-Id` names the content"},
        **problems(404, 409, 413, 422, 507),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {_CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "hello"}},
        }
    },
)
async def continue_upload(
    upload: UploadIdPath,
    request: Request,
    node: RunningNode,
    upload_offset: Annotated[int, Header(ge=0, le=2**53, description="Where the body belongs.")] = 0,
) -> Response:
    """Add a piece. What arrived of a piece that broke off is kept."""
    with node.uploads.writing(upload, upload_offset) as piece:
        async for chunk in request.stream():
            await run_in_threadpool(piece.write, chunk)
    kept = await run_in_threadpool(node.uploads.finish, upload)
    found = {"Content-Id": str(kept)} if kept else {}
    return Response(status_code=204, headers={**_told(piece.offset, piece.size), **found})


@router.delete("/{upload}", status_code=204, response_class=Response, responses=problems(404, 409))
def drop_upload(upload: UploadIdPath, node: RunningNode) -> Response:
    """Give an upload up."""
    node.uploads.drop(upload)
    return Response(status_code=204, headers={"Tus-Resumable": _VERSION})


def _told(offset: int, size: int) -> dict[str, str]:
    return {"Tus-Resumable": _VERSION, "Upload-Offset": str(offset), "Upload-Length": str(size)}


def _expected(metadata: str | None) -> ContentIdText | None:
    for entry in (metadata or "").split(","):
        name, _, value = entry.strip().partition(" ")
        if name != "cid":
            continue
        try:
            return str(parse_content_id(base64.b64decode(value, validate=True).decode("ascii")))
        except (binascii.Error, UnicodeDecodeError, InvalidMessage) as error:
            raise ContentMismatch(f"the cid of an upload is a content id in base64: {error}") from error
    return None
