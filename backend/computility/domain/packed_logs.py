"""The logs of one block as one string of bytes: how they cross between processes, rest in the store, and are digested.

Format 1: a byte that says so, then the logs in the order of the block, each of them

=====  ====================================
bytes  what (numbers are big-endian)
=====  ====================================
4      log index
1      length of the topics, ``t``
4      length of the data, ``d``
32     hash of the transaction
20     address of the contract
``t``  topics, 32 bytes each
``d``  data
=====  ====================================

After the first byte it is what the block's digest binds (``domain.logs_digest``), where no log of an unknown event was left out.

Format 2: a byte that says so, then all that stands after the first byte of format 1 as one Zstandard frame. Most of a log is the zeros before its
numbers and the same parties again, so that it takes a seventh of the room or less.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import Final

import zstandard

from computility.domain.errors import StoreError
from computility.domain.logs_digest import DigestedLog

PackedLog = tuple[int, bytes, bytes, bytes, bytes]
"""Log index, hash of the transaction, address, topics and data."""

FORMAT: Final = b"\x01"
_COMPRESSED: Final = b"\x02"
_LEVEL: Final = 1
"""The quickest of the usual ones. Those above it find hardly more in words of 32 bytes."""
_LARGEST_BYTES: Final = 1 << 30
"""Of one block's logs: no block has the gas for so many."""
HEAD: Final = struct.Struct(">IBI").unpack_from
"""Log index, length of the topics, length of the data."""
TX_AT: Final = 9
ADDRESS_AT: Final = 41
TOPICS_AT: Final = 61
"""Where they stand in a log."""


def packed_logs(logs: Iterable[DigestedLog]) -> bytes:
    """Logs in the order of their block, as one string."""
    return b"".join([FORMAT, *[part for log in logs for part in log]])


def compressed(packed: bytes) -> bytes:
    """Packed logs of format 1 in format 2: for where they rest."""
    return _COMPRESSED + _ZSTANDARD.compress(memoryview(packed)[len(FORMAT) :])


def expanded(packed: bytes) -> bytes:
    """Packed logs of either format in format 1.

    Raises:
        StoreError: it is of a later format, or cut short.
    """
    form = packed[:1]
    if form == FORMAT:
        return packed
    if form != _COMPRESSED:
        raise StoreError(
            "a block's stored logs are of a format that this version does not know: use the newest version"
        )
    try:
        frame = memoryview(packed)[len(_COMPRESSED) :]
        if zstandard.frame_content_size(frame) > _LARGEST_BYTES:
            raise StoreError("a block's stored logs are larger than any block's: index from an empty database")
        return FORMAT + _ZSTANDARD.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise _cut_short() from error


def unpacked_logs(packed: bytes) -> Iterator[PackedLog]:
    """Back from what ``packed_logs`` or ``compressed`` makes.

    Raises:
        StoreError: it is of a later format, or cut short.
    """
    packed = expanded(packed)
    for at, index, topics, data in _places(packed):
        yield index, *_parts(packed, at, topics, data)


def some_unpacked(packed: bytes, indexes: Collection[int]) -> Iterator[PackedLog]:
    """As ``unpacked_logs``, those of some log indexes."""
    packed = expanded(packed)
    for at, index, topics, data in _places(packed):
        if index in indexes:
            yield index, *_parts(packed, at, topics, data)


def _places(packed: bytes) -> Iterator[tuple[int, int, int, int]]:
    at, end = len(FORMAT), len(packed)
    while at < end:
        try:
            index, topics, data = HEAD(packed, at)
        except struct.error:
            break
        yield at, index, topics, data
        at += TOPICS_AT + topics + data
    if at != end:
        raise _cut_short()


def _parts(packed: bytes, at: int, topics: int, data: int) -> tuple[bytes, bytes, bytes, bytes]:
    topics_at = at + TOPICS_AT
    data_at = topics_at + topics
    return (
        packed[at + TX_AT : at + ADDRESS_AT],
        packed[at + ADDRESS_AT : topics_at],
        packed[topics_at:data_at],
        packed[data_at : data_at + data],
    )


def _cut_short() -> StoreError:
    return StoreError("a block's stored logs are cut short: index from an empty database")


class _Zstandard(threading.local):
    """One of each a thread: they hold what they work in, and are not for several at once."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_ZSTANDARD: Final = _Zstandard()
