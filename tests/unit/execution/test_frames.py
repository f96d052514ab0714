"""Frames between an executor and the process of a job."""

from __future__ import annotations

from io import BytesIO

import pytest

from computility.execution.wasm.frames import FrameError, pack_frames, read_blob, read_header

PACKED = b"".join(pack_frames({"a": 1, "text": "größe"}, [b"", b"one"]))


def test_frames__packed_and_read__are_the_same() -> None:
    stream = BytesIO(PACKED)
    assert read_header(stream) == {"a": 1, "text": "größe"}
    assert [read_blob(stream), read_blob(stream)] == [b"", b"one"]


@pytest.mark.parametrize("length", range(len(PACKED)))
def test_frames__cut_anywhere__are_refused(length: int) -> None:
    stream = BytesIO(PACKED[:length])
    with pytest.raises(FrameError):
        (read_header(stream), read_blob(stream), read_blob(stream))


@pytest.mark.parametrize("header", [b"\x02" + b"\0" * 7 + b"[]", b"\x01" + b"\0" * 7 + b"x"])
def test_header__that_is_no_object__is_refused(header: bytes) -> None:
    with pytest.raises(FrameError):
        read_header(BytesIO(header))
