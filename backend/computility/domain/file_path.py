"""Names of a job's files: relative POSIX paths, one spelling each, that stay below where they are unpacked."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MAX_LENGTH: Final = 255
"""Characters of a path."""


def path_fault(path: str) -> str | None:
    """What is wrong with a path, for people; None where nothing is."""
    if not 0 < len(path) <= MAX_LENGTH:
        return f"a path has 1 to {MAX_LENGTH} characters, not {len(path)}"
    if any(character in "\\\x7f" or character < " " or "\ud800" <= character <= "\udfff" for character in path):
        return f"a path has no backslash and no control character, unlike {path[:80]!r}"
    if unicodedata.normalize("NFC", path) != path:
        return f"a path is in Unicode's normal form C, unlike {path[:80]!r}"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return f"a path is relative and has no empty part, '.' or '..', unlike {path[:80]!r}"
    return None


def paths_fault(paths: Iterable[str]) -> str | None:
    """What is wrong with the paths of files side by side, for people; None where nothing is."""
    known: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        if fault := path_fault(path):
            return fault
        if path in known:
            return f"two files are called {path!r}"
        known.add(path)
        parts = path.split("/")
        folders.update("/".join(parts[:length]) for length in range(1, len(parts)))
    both = known & folders
    return f"{min(both)!r} is a file and a folder" if both else None
