"""``ReaderNotice``: the key to which jobs are sealed for an account, told by the account itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from computility.domain.eip712 import Message, StructType
from computility.domain.identifiers import Address, Bytes32


@dataclass(frozen=True)
class ReaderNotice(Message):
    """``key`` is an X25519 public key, ``at`` UTC seconds. An account's newest notice stands."""

    STRUCT: ClassVar[StructType] = StructType("ReaderNotice(address account,bytes32 key,uint40 at)")

    account: Address
    key: Bytes32
    at: int
