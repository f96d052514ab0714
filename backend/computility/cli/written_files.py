"""Around the writing of files that somebody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from computility.domain.errors import ComputilityError


class CannotWrite(ComputilityError):
    """A file that was asked for cannot be written."""

    code = "cannot-write"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """A full disk, a folder that is not there or not ours to write to: a reason, and no fault of ours.

    Raises:
        CannotWrite: with the path and what the system says.
    """
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{error.filename or path} cannot be written ({error.strerror or error}): see that its folder is there, that you may write to it, "
            "and that the disk has room"
        ) from error
