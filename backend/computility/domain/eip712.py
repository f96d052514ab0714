"""EIP-712: typed messages, defined once as dataclasses, hashed as the contracts hash them.

A message class lists its Solidity fields in ``STRUCT``; its Python fields are the same names in snake case, in the same order. From that one
description follow the type string, the digest, and the JSON form (camelCase; uint64 and wider as decimal strings).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Self

from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Address, Bytes32, bytes32, parse_address, parse_bytes32
from computility.domain.keccak import keccak256
from computility.domain.units import parse_integer

DOMAIN_NAME: Final = "Computility"
DOMAIN_VERSION: Final = "1"
_DOMAIN_TYPE_HASH: Final = keccak256(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_DECIMAL_STRING_BITS: Final = 64
"""Integers this wide and wider travel as strings: JSON numbers lose them."""
_MAX_STRING_BYTES: Final = 2_048
_MAX_LIST_ITEMS: Final = 16


def domain_separator(name: str, chain_number: int, contract: Address) -> bytes:
    """The separator of a contract that signs under a name, in version 1 as each of ours."""
    return keccak256(
        _DOMAIN_TYPE_HASH
        + keccak256(name.encode())
        + keccak256(DOMAIN_VERSION.encode())
        + chain_number.to_bytes(32, "big")
        + bytes.fromhex(contract[2:]).rjust(32, b"\0")
    )


@dataclass(frozen=True)
class Eip712Domain:
    """Chain and escrow that every signature is bound to. ``chain_number`` is the EVM chain id."""

    chain_number: int
    escrow: Address

    @cached_property
    def separator(self) -> bytes:
        """The domain separator, 32 bytes."""
        return domain_separator(DOMAIN_NAME, self.chain_number, self.escrow)

    def digest(self, struct_hash: bytes) -> Bytes32:
        """What is signed for a struct of this domain."""
        return bytes32(keccak256(b"\x19\x01" + self.separator + struct_hash))

    def to_json(self) -> dict[str, Any]:
        """As wallets take it in ``eth_signTypedData_v4``."""
        return {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": self.chain_number,
            "verifyingContract": self.escrow,
        }


@dataclass(frozen=True)
class Field:
    """One field: its Solidity type and its camelCase name."""

    type: str
    name: str

    @cached_property
    def python_name(self) -> str:
        """The name in snake case."""
        return re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), self.name)

    @cached_property
    def bits(self) -> int:
        """Width of an unsigned integer; 0 for other types."""
        return int(self.type[4:]) if self.type.startswith("uint") else 0

    def encode(self, value: Any) -> bytes:
        """The 32-byte word that goes into the struct hash."""
        if self.bits:
            return int(value).to_bytes(32, "big")
        match self.type:
            case "address":
                return bytes.fromhex(value[2:]).rjust(32, b"\0")
            case "bytes32":
                return bytes.fromhex(value[2:])
            case "bool":
                return int(value).to_bytes(32, "big")
            case "string":
                return keccak256(value.encode())
            case "address[]":
                return keccak256(b"".join(bytes.fromhex(item[2:]).rjust(32, b"\0") for item in value))
        raise AssertionError(f"no encoding for {self.type}")

    def check(self, value: Any) -> Any:
        """``value`` in canonical form.

        Raises:
            InvalidMessage: of another type, or out of range.
        """
        if self.bits:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**self.bits:
                raise InvalidMessage(f"{self.name} has to be a {self.type}, not {str(value)[:80]!r}")
            return value
        match self.type:
            case "address":
                return parse_address(value)
            case "bytes32":
                return parse_bytes32(value)
            case "bool":
                if not isinstance(value, bool):
                    raise InvalidMessage(f"{self.name} has to be true or false, not {str(value)[:80]!r}")
                return value
            case "string":
                if not isinstance(value, str) or len(value.encode()) > _MAX_STRING_BYTES:
                    raise InvalidMessage(f"{self.name} has to be a text of at most {_MAX_STRING_BYTES} bytes")
                return value
            case "address[]":
                if not isinstance(value, list | tuple) or len(value) > _MAX_LIST_ITEMS:
                    raise InvalidMessage(f"{self.name} has to be a list of at most {_MAX_LIST_ITEMS} addresses")
                return tuple(parse_address(item) for item in value)
        raise AssertionError(f"no check for {self.type}")

    def to_json(self, value: Any) -> Any:
        """``value`` as it travels."""
        if self.bits >= _DECIMAL_STRING_BITS:
            return str(value)
        if self.bits:
            return int(value)
        return list(value) if self.type == "address[]" else value

    def from_json(self, value: Any) -> Any:
        """A travelled value, unchecked but for its JSON type."""
        if self.bits >= _DECIMAL_STRING_BITS:
            if not isinstance(value, str):
                raise InvalidMessage(f"{self.name} has to be a string of decimal digits, not {str(value)[:80]!r}")
            return parse_integer(value, 2**self.bits - 1)
        return value


class StructType:
    """A struct: ``StructType("Mail(address from,string contents)")``."""

    def __init__(self, type_string: str) -> None:
        match = re.fullmatch(r"(\w+)\(([^()]+)\)", type_string)
        if match is None:
            raise ValueError(f"not an EIP-712 type string: {type_string}")
        self.type_string = type_string
        self.name = match[1]
        self.fields = tuple(Field(*declared.split(" ")) for declared in match[2].split(","))
        self.type_hash = keccak256(type_string.encode())

    def struct_hash(self, values: tuple[Any, ...]) -> bytes:
        """``hashStruct`` of EIP-712."""
        return keccak256(self.type_hash + self.encode(values))

    def encode(self, values: tuple[Any, ...]) -> bytes:
        """``encodeData`` of EIP-712; of a struct of fixed-width fields also its ABI encoding."""
        return b"".join(field.encode(value) for field, value in zip(self.fields, values, strict=True))

    def to_json(self) -> list[dict[str, str]]:
        """The fields as wallets take them in ``types``."""
        return [{"name": field.name, "type": field.type} for field in self.fields]


@dataclass(frozen=True)
class Message:
    """Base of all signed messages. Construction checks every field and brings it into canonical form.

    Raises:
        InvalidMessage: a field does not fit its Solidity type.
    """

    STRUCT: ClassVar[StructType]

    def __post_init__(self) -> None:
        declared = [field.python_name for field in self.STRUCT.fields]
        assert declared == [field.name for field in dataclasses.fields(self)], "the dataclass differs from its STRUCT"
        for field in self.STRUCT.fields:
            object.__setattr__(self, field.python_name, self._canonical(field, getattr(self, field.python_name)))

    def _canonical(self, field: Field, value: Any) -> Any:
        return field.check(value)

    def values(self) -> tuple[Any, ...]:
        """Field values in Solidity's order, as an ABI encoder takes the struct."""
        return tuple(getattr(self, field.python_name) for field in self.STRUCT.fields)

    def digest(self, domain: Eip712Domain) -> Bytes32:
        """The EIP-712 digest, which is what is signed."""
        return domain.digest(self.STRUCT.struct_hash(self.values()))

    def to_json(self) -> dict[str, Any]:
        """The message as it travels."""
        return {field.name: field.to_json(getattr(self, field.python_name)) for field in self.STRUCT.fields}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read a travelled message.

        Raises:
            InvalidMessage: a field is missing, unknown, or does not fit.
        """
        names = {field.name for field in cls.STRUCT.fields}
        if not isinstance(document, Mapping) or document.keys() != names:
            given = set(document) if isinstance(document, Mapping) else set()
            wrong = sorted(given ^ names)
            raise InvalidMessage(f"{cls.STRUCT.name} has exactly the fields {sorted(names)}; check {wrong[:5]}")
        return cls(**{field.python_name: field.from_json(document[field.name]) for field in cls.STRUCT.fields})

    def typed_data(self, domain: Eip712Domain) -> dict[str, Any]:
        """The document that a wallet signs with ``eth_signTypedData_v4``."""
        return {
            "domain": domain.to_json(),
            "primaryType": self.STRUCT.name,
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                self.STRUCT.name: self.STRUCT.to_json(),
            },
            "message": self.to_json(),
        }
