"""Pages and cursors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.errors import InvalidMessage
from computility.services.pages import page_of, read_cursor, write_cursor


@given(st.lists(st.integers(0, 2**63 - 1), unique=True), st.integers(1, 5))
def test_following_the_cursor__shows_every_row_once(rows: list[int], limit: int) -> None:
    rows.sort()
    seen: list[int] = []
    cursor: str | None = None
    while True:
        after = read_cursor(cursor, int)
        left = [row for row in rows if after is None or row > after[0]]
        page = page_of(left[: limit + 1], limit, lambda row: (row,))
        seen += page.items
        cursor = page.next
        if cursor is None:
            break

    assert seen == rows


def test_no_cursor__is_the_beginning() -> None:
    assert read_cursor(None, int) is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "é",
        "bnVsbA",
        write_cursor("text"),
        write_cursor(1, 2),
        write_cursor(-1),
        write_cursor(2**63),
        write_cursor(True),
        write_cursor(1.5),
    ],
)
def test_what_this_list_never_gave_out__is_refused(cursor: str) -> None:
    with pytest.raises(InvalidMessage, match="begin again"):
        read_cursor(cursor, int)


@pytest.mark.parametrize("key", [("\x00", 1), (1, "a")])
def test_a_key_that_the_database_would_choke_on__is_refused(key: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidMessage):
        read_cursor(write_cursor(*key), str, int)
