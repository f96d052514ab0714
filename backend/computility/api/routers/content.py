"""Content by its hash: specifications, modules, inputs, manifests, outputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, BinaryIO, Final, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from computility.api.byte_range import parse_range
from computility.api.dependencies import Client, RunningNode
from computility.api.problems import problem, problems
from computility.api.schemas.node import StoredContent
from computility.api.schemas.wire import ContentIdText

router = APIRouter(prefix="/content", tags=["content"])

_CHUNK: Final = 256 * 1024
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}

ContentIdPath = Annotated[ContentIdText, Path(description="CIDv1, raw, SHA-256.")]
ImageType = Annotated[
    Literal["image/png", "image/jpeg", "image/webp"] | None,
    Query(description="Answer as this image type. Anything else comes as a plain download."),
]


@router.put(
    "",
    status_code=201,
    responses={200: {"model": StoredContent, "description": "The node had it already"}, **problems(413, 422, 429, 507)},
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/octet-stream": {**_BINARY, "example": "hello"}}}
    },
)
async def store_content(
    request: Request,
    response: Response,
    node: RunningNode,
    client: Client,
    expected: Annotated[
        ContentIdText | None, Query(alias="cid", description="What the sender takes it for: another hash is an error.")
    ] = None,
) -> StoredContent:
    """Keep the body, and name it by its SHA-256."""
    announced = request.headers.get("content-length")
    with node.content.receive(client, int(announced) if announced else None) as upload:
        async for chunk in request.stream():
            await run_in_threadpool(upload.write, chunk)
        kept = await run_in_threadpool(upload.keep, expected)
    response.status_code = 201 if kept.created else 200
    return StoredContent(cid=str(kept.cid), size=kept.size)


@router.api_route(
    "/{cid}",
    methods=["GET"],
    response_class=Response,
    responses={
        200: {
            "description": "The content",
            "content": {"application/octet-stream": {**_BINARY, "example": "hello"}, "image/png": _BINARY},
        },
        206: {
            "description": "The range that was asked for",
            "content": {"application/octet-stream": {**_BINARY, "example": "ell"}},
        },
        304: {"description": "The client has it already"},
        **problems(404, 416, 422),
    },
)
def get_content(
    cid: ContentIdPath,
    node: RunningNode,
    image: Annotated[ImageType, Query(alias="type")] = None,
    if_none_match: Annotated[str | None, Header(max_length=1024)] = None,
    wanted: Annotated[
        str | None, Header(alias="Range", max_length=128, description="One range of bytes, like `bytes=0-1023`.")
    ] = None,
    if_range: Annotated[str | None, Header(max_length=128)] = None,
) -> Response:
    """Download, whole or a range of bytes. The name is the hash, so whoever downloads can check what it got."""
    size = node.content.size(cid)
    headers = _headers(cid, size)
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=_without_length(headers))
    media_type = image or "application/octet-stream"
    part = parse_range(wanted, size) if if_range in (None, headers["ETag"]) else None
    if part is None:
        return StreamingResponse(_chunks(node.content.open(cid), size), media_type=media_type, headers=headers)
    told = {"Content-Range": part.told_of(size)}
    if not part.satisfiable:
        return problem(
            416, "range-not-satisfiable", f"the content has {size} bytes: ask for some of them", headers=told
        )
    file = node.content.open(cid)
    file.seek(part.start)
    length = part.end - part.start
    headers |= {**told, "Content-Length": str(length)}
    return StreamingResponse(_chunks(file, length), status_code=206, media_type=media_type, headers=headers)


@router.head(
    "/{cid}", response_class=Response, responses={200: {"description": "The node has it"}, **problems(404, 422)}
)
def head_content(cid: ContentIdPath, node: RunningNode) -> Response:
    """Whether the node has it, and its size."""
    return Response(media_type="application/octet-stream", headers=_headers(cid, node.content.size(cid)))


def _headers(cid: str, size: int) -> dict[str, str]:
    return {
        "Content-Length": str(size),
        "ETag": f'"{cid}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        # A stranger wrote it: whatever a browser takes it for, it may do nothing with this origin.
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{cid}"',
    }


def _without_length(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name != "Content-Length"}


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (chunk := file.read(min(_CHUNK, length))):
            length -= len(chunk)
            yield chunk
