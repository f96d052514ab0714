"""Column types for integers that no database's own integer holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Numeric, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_DIGITS: Final = 39
_OFFSET: Final = 10**_DIGITS


class Amount(TypeDecorator[int]):
    """An integer of up to 38 digits and a sign, exact everywhere: ``NUMERIC(39,0)`` on PostgreSQL, fixed-width text on SQLite.

    SQLite's INTEGER overflows and its NUMERIC becomes a float. Its text is the value plus 10^39, so that it has 40 digits and sorts as numbers do,
    negative ones too.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(_DIGITS, 0))
        return dialect.type_descriptor(String(_DIGITS + 1))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        if abs(value) >= 10 ** (_DIGITS - 1):
            raise ValueError(f"{value} does not fit an amount column")
        return Decimal(value) if dialect.name == "postgresql" else self.as_text(value)

    @staticmethod
    def as_text(value: int) -> str:
        """As SQLite holds it."""
        # Of what is not negative the sum is the digits after a one.
        return f"1{value:039d}" if 0 <= value < _OFFSET else str(value + _OFFSET).zfill(_DIGITS + 1)

    @staticmethod
    def from_text(value: str) -> int:
        """Back from what SQLite holds."""
        return int(value) - _OFFSET

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """From the database."""
        if value is None:
            return None
        return int(value) if dialect.name == "postgresql" else int(value) - _OFFSET
