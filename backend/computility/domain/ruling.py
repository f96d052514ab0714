"""``Ruling``: the arbiter's decision on a disputed job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from computility.domain.eip712 import Message, StructType
from computility.domain.identifiers import Bytes32


@dataclass(frozen=True)
class Ruling(Message):
    """As ``contracts/types/Ruling.sol``."""

    STRUCT: ClassVar[StructType] = StructType("Ruling(bytes32 job,uint64 units,uint16 slashBps,uint16 costBps)")

    job: Bytes32
    units: int
    slash_bps: int
    cost_bps: int
