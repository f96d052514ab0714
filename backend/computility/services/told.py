"""How an error that is survived is told: one that was foreseen in its words, any other with where it came from, once."""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from computility.domain.errors import ComputilityError

_FORESEEN: Final = (ComputilityError, SQLAlchemyError, OSError)
_MOST: Final = 100


class Told:
    """What was told into one log."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._traced: set[str] = set()

    def of(self, error: Exception) -> str:
        """The error in words. The traceback of one that nobody foresaw goes to the log the first time."""
        if isinstance(error, _FORESEEN):
            return str(error)
        said = f"{type(error).__name__}: {error}"
        if said not in self._traced and len(self._traced) < _MOST:
            self._traced.add(said)
            self._log.error("an error that nobody foresaw; please report it", exc_info=error)
        return said
