"""Ranges of bytes, as RFC 9110 asks for them."""

from __future__ import annotations

import pytest

from computility.api.byte_range import parse_range


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("bytes=0-0", "bytes 0-0/10"),
        ("bytes=2-4", "bytes 2-4/10"),
        ("bytes=7-", "bytes 7-9/10"),
        ("bytes=-3", "bytes 7-9/10"),
        ("bytes=-30", "bytes 0-9/10"),
        ("bytes=5-99", "bytes 5-9/10"),
        ("bytes=10-", "bytes */10"),
        ("bytes=99-100", "bytes */10"),
        ("bytes=-0", "bytes */10"),
    ],
)
def test_one_range__is_cut_to_what_is_there(header: str, told: str) -> None:
    found = parse_range(header, 10)
    assert found is not None
    assert found.told_of(10) == told
    assert found.satisfiable == ("*" not in told)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=4-2", "bytes=0-1,3-4", "items=0-1", "bytes=a-b", "bytes=٣-"]
)
def test_anything_else__is_a_wish_for_the_whole(header: str | None) -> None:
    assert parse_range(header, 10) is None


def test_content_of_no_bytes__has_no_range() -> None:
    found = parse_range("bytes=0-", 0)
    assert found is not None
    assert found.told_of(0) == "bytes */0"
