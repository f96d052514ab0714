"""Decoders of events, generated from their declarations: one ``struct.unpack`` for a whole log, one comparison for all its padding.

All our event parameters are words of 32 bytes (``Terms`` is 23 of them in a row, arrays have a fixed length). For each event class a function is
written and compiled once, as ``dataclasses`` does; a general ABI decoder takes some thirty times as long. Bits that a value of the declared type
cannot have are refused, as a contract cannot have written them. A test holds every decoder against ``eth_abi``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from computility.domain.errors import ChainMisbehaved
from computility.domain.events import Event
from computility.domain.identifiers import Address, address_from_bytes
from computility.domain.terms import Terms

Decoder = Callable[[bytes], Event]
"""Decodes the words of a log: its indexed parameters and then its data, 32 bytes each. Raises ``ChainMisbehaved`` when they have another form."""

_WORD: Final = 32
_MOST_ADDRESSES: Final = 100_000
_TERMS_FIELDS: Final = tuple((field.python_name, field.type) for field in Terms.STRUCT.fields)


class _Addresses(dict[bytes, Address]):
    """Checksummed spellings: a checksum is a hash, and the same parties come again and again."""

    def __missing__(self, raw: bytes) -> Address:
        if len(self) >= _MOST_ADDRESSES:
            self.clear()
        self[raw] = spelling = address_from_bytes(raw)
        return spelling


WORDS: Final = "_words"
"""Decoded terms carry their encoding under this name, so that a store need not encode them again."""
ADDRESSES: Final = _Addresses()
"""20 bytes → address."""


def decoder_of(event: type[Event]) -> Decoder:
    """The decoder of an event class.

    Raises:
        TypeError: it has a parameter of no fixed width.
    """
    if event not in _DECODERS:
        fields = [(field.python_name, field.type) for field in (*event.EVENT.indexed, *event.EVENT.data)]
        _DECODERS[event] = _generate(event, fields)
    return _DECODERS[event]


_DECODERS: Final[dict[type[Event], Decoder]] = {}


@cache
def terms_decoder() -> Callable[[bytes], Terms]:
    """The decoder of the 23 words of ``Terms`` by themselves."""
    decode: Callable[[bytes], Terms] = _generate(Terms, _TERMS_FIELDS)

    def decode_and_keep(words: bytes) -> Terms:
        terms = decode(words)
        terms.__dict__[WORDS] = words
        return terms

    return decode_and_keep


def _generate(cls: type, fields: Sequence[tuple[str, str]]) -> Any:
    writer = _Writer()
    values = [f"{name}={writer.value(declared)}" for name, declared in fields]
    length = writer.words * _WORD
    lines = [
        "def decode(words):",
        f"    if len(words) != {length}:",
        f"        raise misbehaved(f'{cls.__name__} has {{len(words)}} bytes of words, not {length}')",
        "    if from_bytes(words, 'big') & mask:",
        f"        raise misbehaved('{cls.__name__} has a word that does not fit its type: 0x' + words.hex())",
        f"    {''.join(f'{name}, ' for name in writer.names)}= unpack(words)",
        *writer.lines,
        "    made = new(cls)",
        # The classes are frozen: their own constructors take the way through object.__setattr__, four times as long.
        f"    made.__dict__.update({', '.join(values)})",
        "    return made",
    ]
    scope: dict[str, Any] = {
        "cls": cls,
        "terms_class": Terms,
        "new": object.__new__,
        "addresses": ADDRESSES,
        "from_bytes": int.from_bytes,
        "mask": writer.mask,
        "unpack": struct.Struct(">" + "".join(writer.formats)).unpack,
        "misbehaved": ChainMisbehaved,
    }
    source = "\n".join(lines)
    exec(compile(source, f"<decoder of {cls.__name__}>", "exec"), scope)  # noqa: S102  # our own text, from our own declarations
    return scope["decode"]


class _Writer:
    """Gathers what the words of an event are unpacked into."""

    def __init__(self) -> None:
        self.words = 0
        self.mask = 0
        self.formats: list[str] = []
        self.names: list[str] = []
        self.lines: list[str] = []

    def value(self, declared: str) -> str:
        """The expression of a field's value."""
        if declared == "Terms":
            start = self.words * _WORD
            values = [f"{name}={self._word(member)}" for name, member in _TERMS_FIELDS]
            values.append(f"{WORDS}=words[{start}:{self.words * _WORD}]")
            self.lines += ["    terms = new(terms_class)", f"    terms.__dict__.update({', '.join(values)})"]
            return "terms"
        if declared.endswith("]"):
            element, _, length = declared[:-1].partition("[")
            return f"({''.join(f'{self._word(element)}, ' for _ in range(int(length)))})"
        return self._word(declared)

    def _word(self, declared: str) -> str:
        name = f"w{self.words}"
        self.words += 1
        bits = _bits(declared)
        self.mask = self.mask << 256 | ((1 << 256) - (1 << bits))
        if declared == "address":
            return self._unpacked("12x20s", f"addresses[{name}]", name)
        if declared == "bytes32":
            return self._unpacked("32s", f"'0x' + {name}.hex()", name)
        if bits <= 64:
            return self._unpacked("24xQ", f"{name} == 1" if declared == "bool" else name, name)
        if bits <= 128:
            return self._unpacked("16xQQ", f"{name}h << 64 | {name}", f"{name}h", name)
        return self._unpacked("32s", f"from_bytes({name}, 'big')", name)

    def _unpacked(self, layout: str, expression: str, *names: str) -> str:
        self.formats.append(layout)
        self.names += names
        return expression


def _bits(declared: str) -> int:
    if declared == "address":
        return 160
    if declared == "bytes32":
        return 256
    if declared == "bool":
        return 1
    if declared.startswith("uint") and declared[4:].isdigit():
        return int(declared[4:])
    raise TypeError(f"no event of ours has a parameter of type {declared}")
