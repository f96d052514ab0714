"""Addresses, hashes and chain ids, each in one canonical spelling."""

from __future__ import annotations

import re
from typing import Final, NewType

from computility.domain.errors import InvalidIdentifier
from computility.domain.keccak import keccak256

Address = NewType("Address", str)
"""An account in EIP-55 spelling."""
Bytes32 = NewType("Bytes32", str)
"""32 bytes as 0x and 64 lower-case hex digits."""
JobId = NewType("JobId", Bytes32)
"""The EIP-712 digest of a job's terms."""
ChainId = NewType("ChainId", str)
"""CAIP-2: ``eip155:31337``."""

ZERO_ADDRESS: Final = Address("0x" + "00" * 20)
ZERO_BYTES32: Final = Bytes32("0x" + "00" * 32)

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_BYTES32: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_CHAIN_ID: Final = re.compile(r"eip155:([1-9][0-9]{0,31})")


def parse_address(text: str) -> Address:
    """An address in any usual spelling, in its canonical one.

    Raises:
        InvalidIdentifier: not 20 bytes of hex, or mixed case whose EIP-55 checksum is wrong (a mistyped address).
    """
    if not isinstance(text, str) or not _ADDRESS.fullmatch(text):
        raise InvalidIdentifier(f"an address is 0x and 40 hex digits, not {str(text)[:60]!r}")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and address_from_bytes(bytes.fromhex(digits)) != text:
        raise InvalidIdentifier(f"the checksum of address {text} is wrong: it was mistyped, or is not EIP-55")
    return address_from_bytes(bytes.fromhex(digits))


def address_from_bytes(raw: bytes) -> Address:
    """20 bytes as an address."""
    # Not by ``eth_utils``, which loads pydantic too: half of what a process that only reads the chain would hold in memory.
    digits = raw.hex()
    digest = keccak256(digits.encode()).hex()
    spelled = [digit.upper() if nibble > "7" else digit for digit, nibble in zip(digits, digest[:40], strict=True)]
    return Address("0x" + "".join(spelled))


def parse_bytes32(text: str) -> Bytes32:
    """32 bytes in hex, in lower case.

    Raises:
        InvalidIdentifier: anything else.
    """
    if not isinstance(text, str) or not _BYTES32.fullmatch(text):
        raise InvalidIdentifier(f"a hash is 0x and 64 hex digits, not {str(text)[:80]!r}")
    return Bytes32(text.lower())


def bytes32(raw: bytes) -> Bytes32:
    """32 raw bytes as hex."""
    if len(raw) != 32:
        raise InvalidIdentifier(f"a hash has 32 bytes, not {len(raw)}")
    return Bytes32("0x" + raw.hex())


def keccak_bytes32(data: bytes) -> Bytes32:
    """keccak-256 of ``data``."""
    return Bytes32("0x" + keccak256(data).hex())


def chain_id_of(number: int) -> ChainId:
    """The CAIP-2 id of an EVM chain."""
    if number < 1:
        raise InvalidIdentifier(f"an EVM chain id is positive, not {number}")
    return ChainId(f"eip155:{number}")


def chain_number(chain_id: str) -> int:
    """The EVM chain id inside a CAIP-2 id.

    Raises:
        InvalidIdentifier: not of the ``eip155`` namespace.
    """
    match = _CHAIN_ID.fullmatch(chain_id)
    if match is None:
        raise InvalidIdentifier(f"a chain id is eip155: and a number, not {chain_id[:60]!r}")
    return int(match[1])


def account_id(chain_id: ChainId, address: Address) -> str:
    """CAIP-10: ``eip155:31337:0x…``."""
    return f"{chain_id}:{address}"
