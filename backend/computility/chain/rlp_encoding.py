"""RLP (yellow paper, appendix B), both ways.

Written out because every receipt of every block passes here: the ``rlp`` library takes twenty times as long for a receipt. Decoding refuses whatever
the encoder would write otherwise, so an item has one spelling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from computility.domain.errors import InvalidProof

Item: TypeAlias = "bytes | list[Item]"
"""Bytes, or a list of items."""

_SHORT = 56
_DEEPEST = 16


def encode_bytes(value: bytes) -> bytes:
    """One string."""
    length = len(value)
    if length == 1 and value[0] < 0x80:
        return value
    if length < _SHORT:
        return bytes((0x80 + length,)) + value
    size = (length.bit_length() + 7) >> 3
    return bytes((0xB7 + size,)) + length.to_bytes(size, "big") + value


def encode_list(encoded: Sequence[bytes]) -> bytes:
    """A list of items that are encoded already."""
    payload = b"".join(encoded)
    length = len(payload)
    if length < _SHORT:
        return bytes((0xC0 + length,)) + payload
    size = (length.bit_length() + 7) >> 3
    return bytes((0xF7 + size,)) + length.to_bytes(size, "big") + payload


def encode_integer(value: int) -> bytes:
    """A scalar: big-endian without leading zeros."""
    return encode_bytes(value.to_bytes((value.bit_length() + 7) >> 3, "big"))


def encode(item: Item) -> bytes:
    """An item of any depth."""
    return encode_bytes(item) if isinstance(item, bytes) else encode_list([encode(part) for part in item])


def decode(data: bytes) -> Item:
    """The one item that ``data`` spells.

    Raises:
        InvalidProof: no item, one in another than its shortest spelling, or bytes after it.
    """
    item, end = _decode(data, 0, 0)
    if end != len(data):
        raise InvalidProof(f"an RLP item of {end} bytes is followed by {len(data) - end} more")
    return item


def decode_list(data: bytes) -> list[Item]:
    """The items of a list.

    Raises:
        InvalidProof: as ``decode``; or it is no list.
    """
    item = decode(data)
    if isinstance(item, bytes):
        raise InvalidProof("an RLP list was expected, and there is a string")
    return item


def expect_bytes(item: Item) -> bytes:
    """An item that has to be a string.

    Raises:
        InvalidProof: it is a list.
    """
    if not isinstance(item, bytes):
        raise InvalidProof("an RLP string was expected, and there is a list")
    return item


def expect_integer(item: Item) -> int:
    """An item that has to be a scalar.

    Raises:
        InvalidProof: it is a list, or starts with a zero.
    """
    raw = expect_bytes(item)
    if raw[:1] == b"\0":
        raise InvalidProof("an RLP integer starts with a zero")
    return int.from_bytes(raw, "big")


def _decode(data: bytes, at: int, depth: int) -> tuple[Item, int]:
    if depth > _DEEPEST:
        raise InvalidProof(f"RLP lists are nested deeper than {_DEEPEST}")
    first = _byte(data, at)
    if first < 0x80:
        return data[at : at + 1], at + 1
    is_list = first >= 0xC0
    start, end = _extent(data, at, first - (0xC0 if is_list else 0x80))
    if not is_list:
        value = data[start:end]
        if len(value) == 1 and value[0] < 0x80:
            raise InvalidProof("an RLP byte below 128 stands for itself")
        return value, end
    return _decode_items(data, start, end, depth + 1), end


def _decode_items(data: bytes, at: int, end: int, depth: int) -> list[Item]:
    """The items of a list. Short strings, which nearly all are, without a call for each."""
    items: list[Item] = []
    while at < end:
        first = data[at]
        if first < 0x80:
            items.append(data[at : at + 1])
            at += 1
        elif first < 0x80 + _SHORT:
            start, at = at + 1, at + first - 0x7F
            if at > len(data):
                raise InvalidProof("an RLP item ends before its bytes do")
            if first == 0x81 and data[start] < 0x80:
                raise InvalidProof("an RLP byte below 128 stands for itself")
            items.append(data[start:at])
        else:
            item, at = _decode(data, at, depth)
            items.append(item)
    if at != end:
        raise InvalidProof("an RLP item overruns its list")
    return items


def _extent(data: bytes, at: int, code: int) -> tuple[int, int]:
    start, length = at + 1, code
    if code >= _SHORT:
        size = code - _SHORT + 1
        raw = data[start : start + size]
        start += size
        length = int.from_bytes(raw, "big")
        if length < _SHORT or raw[0] == 0:
            raise InvalidProof("an RLP length is written longer than it has to be")
    if start + length > len(data):
        raise InvalidProof("an RLP item ends before its bytes do")
    return start, start + length


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise InvalidProof("RLP ends where an item should begin")
    return data[at]
