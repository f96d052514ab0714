"""What an event of the contracts is: its declaration, its place in the ledger, and what follows from both.

An event's class names its Solidity event in ``EVENT`` (``Name(type indexed? name,…)``); its fields are the same names in snake case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from computility.domain.identifiers import Address, Bytes32, ChainId, keccak_bytes32
from computility.domain.terms import Terms


@dataclass(frozen=True)
class EventOrigin:
    """Where an event stands in the ledger. Its key is (chain id, block hash, log index)."""

    chain_id: ChainId
    block_hash: Bytes32
    block_number: int
    log_index: int
    tx_hash: Bytes32
    address: Address
    timestamp: int


def event_origin(
    chain_id: ChainId,
    block_hash: Bytes32,
    block_number: int,
    log_index: int,
    tx_hash: Bytes32,
    address: Address,
    timestamp: int,
) -> EventOrigin:
    """An ``EventOrigin``, past the constructor of a frozen class: an audit makes one for every event."""
    made = object.__new__(EventOrigin)
    object.__setattr__(
        made,
        "__dict__",
        {
            "chain_id": chain_id,
            "block_hash": block_hash,
            "block_number": block_number,
            "log_index": log_index,
            "tx_hash": tx_hash,
            "address": address,
            "timestamp": timestamp,
        },
    )
    return made


@dataclass(frozen=True)
class EventField:
    """One parameter of an event."""

    type: str
    indexed: bool
    name: str

    @cached_property
    def python_name(self) -> str:
        """The name in snake case; Python's ``from`` is ``from_``."""
        snake = re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match[1].lower(), self.name)
        return f"{snake}_" if snake == "from" else snake


class EventType:
    """An event's declaration, and what follows from it."""

    def __init__(self, declaration: str) -> None:
        match = re.fullmatch(r"(\w+)\((.*)\)", declaration)
        if match is None:
            raise ValueError(f"not an event declaration: {declaration}")
        self.name = match[1]
        self.fields = tuple(_field(part) for part in match[2].split(","))
        self.indexed = tuple(field for field in self.fields if field.indexed)
        """The fields that travel as topics, in order."""
        self.data = tuple(field for field in self.fields if not field.indexed)
        """The fields that travel as data, in order."""
        self.topic: Bytes32 = keccak_bytes32(
            f"{self.name}({','.join(_abi_type(f.type) for f in self.fields)})".encode()
        )


def _field(declared: str) -> EventField:
    words = declared.strip().split(" ")
    return EventField(words[0], "indexed" in words, words[-1])


def _abi_type(declared: str) -> str:
    if declared == "Terms":
        return f"({','.join(field.type for field in Terms.STRUCT.fields)})"
    return declared


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    EVENT: ClassVar[EventType]

    def to_json(self) -> dict[str, Any]:
        """Arguments by their Solidity names; uint64 and wider as decimal strings."""
        return {field.name: _value_to_json(field.type, getattr(self, field.python_name)) for field in self.EVENT.fields}

    @property
    def job_id(self) -> Bytes32 | None:
        """The job whose record it changes, if any."""
        return getattr(self, "job", None)

    @property
    def told_job(self) -> Bytes32 | None:
        """The job whose story it is part of: among whose events it is listed."""
        return getattr(self, "job", None)

    @property
    def accounts(self) -> frozenset[Address]:
        """All accounts that it names."""
        found: set[Address] = set()
        for field in self.EVENT.fields:
            value = getattr(self, field.python_name)
            if field.type == "address":
                found.add(value)
            elif isinstance(value, Terms):
                found |= {value.buyer, value.payer, value.provider, value.verifier, value.arbiter}
        return frozenset(found)


def _value_to_json(declared: str, value: Any) -> Any:
    if isinstance(value, Terms):
        return value.to_json()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if declared.startswith("uint") and "[" not in declared and int(declared[4:]) >= 64:
        return str(value)
    return value
