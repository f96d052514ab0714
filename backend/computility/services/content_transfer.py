"""Content over a connection that may break: a download goes on where it was, by range, and a large upload in pieces, by tus 1.0.0."""

from __future__ import annotations

import base64
import time
from typing import Final

import httpx

from computility.domain.content_id import ContentId

PIECE_BYTES: Final = 4 * 1024 * 1024
_ATTEMPTS: Final = 5
"""How often it is tried again without a byte more."""
_TUS: Final = {"Tus-Resumable": "1.0.0"}


class TooLong(Exception):
    """More arrives than may be there."""


def download(http: httpx.Client, path: str, limit: int) -> httpx.Response:
    """The answer to a download, its content whole. What arrived before a connection broke is not asked for again.

    Raises:
        httpx.HTTPError: it broke too often.
        TooLong: more than ``limit`` bytes.
    """
    received = bytearray()
    etag = ""
    failures = 0
    while True:
        headers = {"Range": f"bytes={len(received)}-", "If-Range": etag} if received and etag else {}
        before = len(received)
        try:
            with http.stream("GET", path, headers=headers) as response:
                if response.status_code != httpx.codes.PARTIAL_CONTENT:
                    received.clear()
                etag = response.headers.get("etag", "")
                for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > limit:
                        raise TooLong
                status = httpx.codes.OK if response.status_code == httpx.codes.PARTIAL_CONTENT else response.status_code
                media_type = response.headers.get("content-type", "")
                return httpx.Response(status, headers={"content-type": media_type}, content=bytes(received))
        except httpx.TransportError:
            failures = failures + 1 if len(received) <= before else 1
            if failures >= _ATTEMPTS:
                raise
            time.sleep(min(2.0, 0.2 * 2**failures))


def upload(http: httpx.Client, data: bytes, cid: ContentId) -> httpx.Response:
    """Bring content in pieces. The last answer: 204 when it is kept, else a refusal.

    Raises:
        httpx.HTTPError: it broke too often.
    """
    named = base64.b64encode(cid.encode()).decode()
    begun = http.post(
        "/v1/uploads", headers={**_TUS, "Upload-Length": str(len(data)), "Upload-Metadata": f"cid {named}"}
    )
    if begun.status_code != httpx.codes.CREATED:
        return begun
    place, offset, failures = begun.headers["location"], 0, 0
    while True:
        headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        try:
            answer = http.patch(place, headers=headers, content=data[offset : offset + PIECE_BYTES])
            if answer.status_code == httpx.codes.CONFLICT:
                # The answer to a piece was lost, or half of it arrived.
                answer = http.head(place, headers=_TUS)
        except httpx.TransportError:
            failures += 1
            if failures >= _ATTEMPTS:
                raise
            time.sleep(min(2.0, 0.2 * 2**failures))
            continue
        if answer.is_error or "content-id" in answer.headers:
            return answer
        reached = int(answer.headers["upload-offset"])
        failures = 0 if reached > offset else failures + 1
        offset = reached
