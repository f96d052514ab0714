"""A contract's interface as its artifact describes it: calls and constructors encoded, answers and calldata decoded.

By ``eth_abi``, without web3.py around it: that loads clients of HTTP and of websockets, 0.3 s of processor time in each command and agent. A test
holds both against each other. Bytes go in as they are or as 0x hex, structs as tuples. Addresses come out in canonical spelling, arrays as lists,
structs as tuples (by name from calldata).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from computility.chain.artifacts import artifact
from computility.domain.identifiers import address_from_bytes
from computility.domain.keccak import keccak256

AbiField = Mapping[str, Any]
"""One entry of ``inputs``, ``outputs`` or ``components``."""
_SELECTOR_BYTES = 4


@dataclass(frozen=True)
class AbiFunction:
    """One function: its selector, and what goes in and comes out."""

    name: str
    inputs: Sequence[AbiField]
    outputs: Sequence[AbiField]
    input_types: tuple[str, ...]
    output_types: tuple[str, ...]
    selector: bytes

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> AbiFunction:
        """The function of an ABI's entry."""
        inputs, outputs = (tuple(_type(field) for field in entry[side]) for side in ("inputs", "outputs"))
        selector = keccak256(f"{entry['name']}({','.join(inputs)})".encode())[:_SELECTOR_BYTES]
        return cls(entry["name"], entry["inputs"], entry["outputs"], inputs, outputs, selector)


class ContractAbi:
    """The interface of one packaged contract."""

    def __init__(self, name: str) -> None:
        packaged = artifact(name)
        self.name = name
        self._bytecode = packaged.bytecode
        functions = [AbiFunction.of(entry) for entry in packaged.abi if entry["type"] == "function"]
        self._by_selector = {function.selector: function for function in functions}
        self._by_name: dict[str, list[AbiFunction]] = {}
        for function in functions:
            self._by_name.setdefault(function.name, []).append(function)
        constructors = (entry["inputs"] for entry in packaged.abi if entry["type"] == "constructor")
        self._constructor: Sequence[AbiField] = next(constructors, [])

    def creation(self, *arguments: Any) -> str:
        """What a transaction that deploys the contract carries, 0x hex.

        Raises:
            ValueError: arguments that the constructor does not take.
        """
        if len(arguments) != len(self._constructor):
            raise ValueError(f"{self.name} is made of {len(self._constructor)} arguments, not {len(arguments)}")
        return self._bytecode + _encoded(self._constructor, arguments).hex()

    def encode(self, function: str, *arguments: Any) -> str:
        """Calldata of a call, 0x hex.

        Raises:
            ValueError: no such function, or arguments that it does not take.
        """
        called = self._called(function, len(arguments))
        return "0x" + (called.selector + _encoded(called.inputs, arguments)).hex()

    def decode_answer(self, function: str, count: int, answer: bytes) -> Any:
        """What a view that was called with ``count`` arguments answers: one value, or a tuple of several.

        Raises:
            ValueError: the answer does not have the form of the function's.
        """
        called = self._called(function, count)
        values = _decoded(called.output_types, answer)
        plain = tuple(_plain(field, value) for field, value in zip(called.outputs, values, strict=True))
        return plain[0] if len(plain) == 1 else plain

    def decode_call(self, calldata: str) -> tuple[str, dict[str, Any]]:
        """The function that calldata calls, and its arguments by name, structs too.

        Raises:
            ValueError: none of this contract's, or its arguments are malformed.
        """
        raw = bytes.fromhex(calldata.removeprefix("0x"))
        called = self._by_selector.get(raw[:_SELECTOR_BYTES])
        if called is None:
            raise ValueError(f"{self.name} has no function 0x{raw[:_SELECTOR_BYTES].hex()}")
        values = _decoded(called.input_types, raw[_SELECTOR_BYTES:])
        return called.name, _named(called.inputs, values)

    def _called(self, function: str, count: int) -> AbiFunction:
        fitting = [known for known in self._by_name.get(function, ()) if len(known.inputs) == count]
        if len(fitting) != 1:
            raise ValueError(f"{self.name} has {len(fitting)} functions {function} of {count} arguments, not one")
        return fitting[0]


@cache
def contract_abi(name: str) -> ContractAbi:
    """The interface of a packaged contract.

    Raises:
        DeploymentMissing: no contract of that name was compiled.
    """
    return ContractAbi(name)


def _type(field: AbiField) -> str:
    """The type as signatures have it: a struct is the list of its fields' types."""
    declared = str(field["type"])
    if not declared.startswith("tuple"):
        return declared
    return f"({','.join(_type(part) for part in field['components'])}){declared.removeprefix('tuple')}"


def _encoded(fields: Sequence[AbiField], values: Sequence[Any]) -> bytes:
    raw = [_raw(field, value) for field, value in zip(fields, values, strict=True)]
    try:
        return encode([_type(field) for field in fields], raw)
    except EncodingError as error:
        raise ValueError(str(error)) from error


def _raw(field: AbiField, value: Any) -> Any:
    """As ``eth_abi`` takes it; it would fill up bytes that are too few."""
    declared = str(field["type"])
    if declared.endswith("]"):
        return [_raw(_item(field), part) for part in value]
    if declared == "tuple":
        return tuple(_raw(part, one) for part, one in zip(field["components"], value, strict=True))
    if not declared.startswith("bytes"):
        return value
    content = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else value
    if not isinstance(content, bytes):
        raise ValueError(f"{field['name']} is a {declared}, and {content!r:.80} is not")
    if declared != "bytes" and len(content) != int(declared.removeprefix("bytes")):
        raise ValueError(f"{field['name']} is a {declared}, and {len(content)} bytes are not")
    return content


def _decoded(types: Sequence[str], content: bytes) -> tuple[Any, ...]:
    try:
        return decode(types, content)
    except (DecodingError, OverflowError) as error:
        raise ValueError(str(error)) from error


def _plain(field: AbiField, value: Any) -> Any:
    declared = str(field["type"])
    if declared.endswith("]"):
        return [_plain(_item(field), part) for part in value]
    if declared == "tuple":
        return tuple(_plain(part, one) for part, one in zip(field["components"], value, strict=True))
    return address_from_bytes(bytes.fromhex(value[2:])) if declared == "address" else value


def _named(fields: Sequence[AbiField], values: Sequence[Any]) -> dict[str, Any]:
    return {str(field["name"]): _by_name(field, value) for field, value in zip(fields, values, strict=True)}


def _by_name(field: AbiField, value: Any) -> Any:
    if str(field["type"]).endswith("]"):
        return [_by_name(_item(field), part) for part in value]
    return _named(field["components"], value) if field["type"] == "tuple" else _plain(field, value)


def _item(field: AbiField) -> AbiField:
    """What an array is of."""
    declared = str(field["type"])
    return {**field, "type": declared[: declared.rindex("[")]}
