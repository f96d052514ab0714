"""One page of a list, and the cursor that leads to the next: the sort key of the last item seen, as opaque text."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson

from computility.domain.errors import InvalidMessage

ItemT = TypeVar("ItemT")
OtherT = TypeVar("OtherT")

_HIGHEST_KEY: Final = 2**63 - 1
"""Of an integer column."""


@dataclass(frozen=True)
class PageOf(Generic[ItemT]):
    """``next`` is the cursor of the following page, or None after the last."""

    items: tuple[ItemT, ...]
    next: str | None = None

    def map(self, change: Callable[[ItemT], OtherT]) -> PageOf[OtherT]:
        """The same page with every item changed."""
        return PageOf(tuple(change(item) for item in self.items), self.next)


def page_of(rows: Sequence[ItemT], limit: int, key: Callable[[ItemT], tuple[Any, ...]]) -> PageOf[ItemT]:
    """A page from ``limit`` + 1 rows: the one too many says that there is a next page."""
    if len(rows) <= limit:
        return PageOf(tuple(rows))
    return PageOf(tuple(rows[:limit]), write_cursor(*key(rows[limit - 1])))


def write_cursor(*key: Any) -> str:
    """A sort key as a cursor."""
    return urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def read_cursor(cursor: str | None, *types: type) -> tuple[Any, ...] | None:
    """The sort key in a cursor, whose parts are of ``types``; None without a cursor.

    Raises:
        InvalidMessage: not a cursor of this list.
    """
    if cursor is None:
        return None
    try:
        key = orjson.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        key = None
    if (
        not isinstance(key, list)
        or [type(part) for part in key] != list(types)
        or any(isinstance(part, int) and not 0 <= part <= _HIGHEST_KEY for part in key)
        or any(isinstance(part, str) and "\x00" in part for part in key)
    ):
        raise InvalidMessage("the cursor is not one that this list gave out: begin again without one")
    return tuple(key)
