"""Column types that keep hashes, addresses and chain ids as few bytes, and show them in their canonical spelling.

Half the bytes of hex text make tables and indexes half as large, and an index half as deep in memory.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from computility.chain.event_decoders import ADDRESSES
from computility.domain.identifiers import Address, Bytes32, ChainId


class HashColumn(TypeDecorator[Bytes32]):
    """32 bytes, shown as 0x hex."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """To the database."""
        return None if value is None else bytes.fromhex(value[2:])

    def process_result_value(self, value: Any, dialect: Dialect) -> Bytes32 | None:
        """From the database."""
        return None if value is None else Bytes32("0x" + bytes(value).hex())


class AddressColumn(TypeDecorator[Address]):
    """20 bytes, shown with their checksum."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """To the database."""
        return None if value is None else bytes.fromhex(value[2:])

    def process_result_value(self, value: Any, dialect: Dialect) -> Address | None:
        """From the database."""
        return None if value is None else ADDRESSES[bytes(value)]


class ChainColumn(TypeDecorator[ChainId]):
    """The number of an EVM chain, shown as CAIP-2."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        """To the database."""
        return None if value is None else chain_number(ChainId(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> ChainId | None:
        """From the database."""
        return None if value is None else ChainId(f"eip155:{value}")


def chain_number(chain_id: ChainId) -> int:
    """The number in ``eip155:…``."""
    return int(chain_id.partition(":")[2])
