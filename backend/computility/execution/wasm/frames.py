"""What travels between an executor and the process of a job: frames of an 8-byte length and as many bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")


class FrameError(Exception):
    """The bytes end before their frames do."""


def pack_frames(header: Mapping[str, Any], blobs: Iterable[bytes]) -> Iterator[bytes]:
    """A header as JSON, then blobs, as chunks to write one after the other."""
    for blob in (json.dumps(header).encode(), *blobs):
        yield _LENGTH.pack(len(blob))
        yield blob


def read_header(stream: BinaryIO) -> dict[str, Any]:
    """The header.

    Raises:
        FrameError: there is none.
    """
    try:
        header = json.loads(read_blob(stream))
    except ValueError as error:
        raise FrameError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise FrameError("the header is no object")
    return header


def read_blob(stream: BinaryIO) -> bytes:
    """The next blob.

    Raises:
        FrameError: the stream ends before.
    """
    (length,) = _LENGTH.unpack(_read(stream, _LENGTH.size))
    return _read(stream, length)


def _read(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise FrameError(f"{length} bytes should follow, and {len(data)} do")
    return data
