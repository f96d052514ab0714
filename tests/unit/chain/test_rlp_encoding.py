"""RLP as the ``rlp`` library writes it, and nothing but that is read."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st

from computility.chain.rlp_encoding import decode, decode_list, encode, encode_integer
from computility.domain.errors import InvalidProof

ITEMS = st.recursive(
    st.binary(max_size=70) | st.binary(min_size=300, max_size=300),
    lambda part: st.lists(part, max_size=5),
    max_leaves=12,
)


@given(ITEMS)
@settings(deadline=None)
def test_every_item__is_written_and_read_as_by_the_library(item: Any) -> None:
    encoded = encode(item)
    assert encoded == rlp.encode(item)
    assert decode(encoded) == item


@given(st.integers(0, 2**256 - 1))
def test_every_integer__is_written_as_by_the_library(value: int) -> None:
    assert encode_integer(value) == rlp.encode(value)


@given(st.binary(max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_bytes__are_refused_or_have_one_spelling(data: bytes) -> None:
    try:
        item = decode(data)
    except InvalidProof:
        return
    assert encode(item) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81\x05",
        b"\xb8\x01a",
        b"\xb9\x00\x38" + bytes(56),
        b"\x83ab",
        b"\xc2\x83a",
        b"\x05\x05",
        b"\xc1" * 40 + b"\xc0",
    ],
)
def test_another_spelling__is_refused(data: bytes) -> None:
    with pytest.raises(InvalidProof):
        decode(data)


def test_a_string__is_no_list() -> None:
    with pytest.raises(InvalidProof, match="list was expected"):
        decode_list(b"\x80")
