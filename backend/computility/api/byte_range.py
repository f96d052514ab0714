"""One range of bytes, as RFC 9110 asks for it. Several at once, and units other than bytes, are left alone: the whole is a right answer to them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ONE: Final = re.compile(r"bytes=\s*(\d{0,19})-(\d{0,19})\s*", re.ASCII)


@dataclass(frozen=True)
class ByteRange:
    """``start`` and ``end`` are the first byte and the one after the last. Empty where nothing of the content is asked for: answer 416."""

    start: int
    end: int

    @property
    def satisfiable(self) -> bool:
        """Whether there is anything in it."""
        return self.start < self.end

    def told_of(self, size: int) -> str:
        """The ``Content-Range`` of an answer."""
        return f"bytes {self.start}-{self.end - 1}/{size}" if self.satisfiable else f"bytes */{size}"


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The range of ``size`` bytes that a ``Range`` header asks for; None for the whole."""
    found = _ONE.fullmatch(header) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        return ByteRange(max(0, size - int(found[2])), size)
    start, end = int(found[1]), int(found[2]) + 1 if found[2] else size
    if end <= start and found[2]:
        # Not a range at all.
        return None
    return ByteRange(min(start, size), min(end, size))
