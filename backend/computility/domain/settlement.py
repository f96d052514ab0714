"""``Settlement``: buyer and provider end a job by agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from computility.domain.eip712 import Message, StructType
from computility.domain.identifiers import Bytes32


@dataclass(frozen=True)
class Settlement(Message):
    """As ``contracts/types/Settlement.sol``."""

    STRUCT: ClassVar[StructType] = StructType("Settlement(bytes32 job,uint64 units,uint40 deadline)")

    job: Bytes32
    units: int
    deadline: int
