"""Column types for integers that no database's own integer holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from sqlalchemy import LargeBinary, Numeric, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_DIGITS: Final = 39
_BYTES: Final = 16
OFFSET: Final = 1 << 127
_TEXT_OFFSET: Final = 10**_DIGITS


class Amount(TypeDecorator[int]):
    """An integer of up to 38 digits and a sign, exact everywhere: ``NUMERIC(39,0)`` on PostgreSQL, 16 bytes on SQLite.

    SQLite's INTEGER overflows and its NUMERIC becomes a float. Its bytes are the value plus 2^127, the highest first, so that they sort as numbers
    do, negative ones too. Stores of before have the value plus 10^39 as text, until they have built their rows anew.
    """

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(_DIGITS, 0))
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """To the database."""
        if value is None:
            return None
        if abs(value) >= 10 ** (_DIGITS - 1):
            raise ValueError(f"{value} does not fit an amount column")
        return Decimal(value) if dialect.name == "postgresql" else self.as_bytes(value)

    @staticmethod
    def as_bytes(value: int) -> bytes:
        """As SQLite holds it."""
        return (value + OFFSET).to_bytes(_BYTES, "big")

    @staticmethod
    def from_rest(value: bytes | str) -> int:
        """Back from what SQLite holds."""
        return int.from_bytes(value, "big") - OFFSET if isinstance(value, bytes) else int(value) - _TEXT_OFFSET

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """From the database."""
        if value is None:
            return None
        return int(value) if dialect.name == "postgresql" else self.from_rest(value)
