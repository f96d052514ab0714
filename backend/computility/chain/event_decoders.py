"""Decoders of events, generated from their declarations: one ``struct.unpack`` for a whole log, one comparison for all its padding.

All our event parameters are words of 32 bytes (``Terms`` is 23 of them in a row, arrays have a fixed length). For each event class a function is
written and compiled once, as ``dataclasses`` does; a general ABI decoder takes some thirty times as long. Bits that a value of the declared type
cannot have are refused, as a contract cannot have written them. A test holds every decoder against ``eth_abi``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any, Final

from computility.domain.errors import ChainMisbehaved
from computility.domain.events import Event
from computility.domain.identifiers import Address, address_from_bytes
from computility.domain.packed_logs import ADDRESS_AT, TOPICS_AT, TX_AT
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
    if event not in _DECODERS and _is_dynamic(event):
        _DECODERS[event] = _dynamic_decoder(event)
    if event not in _DECODERS:
        fields = [(field.python_name, field.type) for field in (*event.EVENT.indexed, *event.EVENT.data)]
        _DECODERS[event] = _generate(event, fields)
    return _DECODERS[event]


def sparing_decoder_of(event: type[Event], names: Collection[str]) -> Decoder:
    """As ``decoder_of``, for whoever looks at some fields only: the words are checked as a whole, and the event has no others than those.

    Names are those of the fields, ``terms.…`` of the terms'.
    """
    if _is_dynamic(event):
        return decoder_of(event)
    decoder: Decoder = _generate(
        event, [(field.python_name, field.type) for field in (*event.EVENT.indexed, *event.EVENT.data)], names
    )
    return decoder


_DECODERS: Final[dict[type[Event], Decoder]] = {}


Checker = Callable[[bytes, int, int], object]
"""Looks at the words of a log, which stand in a longer string from one place up to another. None where they are not of its event's form."""


def checker_of(event: type[Event]) -> Checker:
    """Refuses the words that the event's decoder refuses, which can say why, for a third of its time.

    A dynamic event's does what its decoder does, and raises what it raises.
    """
    if _is_dynamic(event):
        decode = decoder_of(event)
        return lambda packed, start, end: decode(packed[start:end])
    pattern = b"".join(_word_pattern(declared) for declared in _types_of_words(event))
    return re.compile(pattern, re.DOTALL).fullmatch


def words_length(event: type[Event]) -> int | None:
    """How many bytes an event's words have; None where that depends on what they say."""
    return None if _is_dynamic(event) else _WORD * len(_types_of_words(event))


def _types_of_words(event: type[Event]) -> list[str]:
    found: list[str] = []
    for field in (*event.EVENT.indexed, *event.EVENT.data):
        element, _, length = field.type.removesuffix("]").partition("[")
        found += [each for _, each in _TERMS_FIELDS] if element == "Terms" else [element] * int(length or 1)
    return found


def _word_pattern(declared: str) -> bytes:
    if declared == "bool":
        return rb"\0{31}+[\0\1]"
    used = _bits(declared) // 8
    # Possessive, as there is nothing to go back for: otherwise each piece remembers where that would be.
    value = rb".{%d}+" % used
    return value if used == _WORD else rb"\0{%d}+" % (_WORD - used) + value


def terms_picker(*names: str) -> Callable[[bytes], tuple[Any, ...]]:
    """Reads some fields out of the words of terms, in the order in which they stand there, and checks nothing.

    Hashes and addresses come as bytes; what has more than 64 bits as two numbers, the upper one first.
    """
    return struct.Struct(">" + _picked(_TERMS_FIELDS, names)).unpack


def log_layout(event: type[Event], *names: str) -> struct.Struct:
    """Of a log as ``domain.packed_logs`` packs it: ``unpack_from`` reads its transaction's hash, and then some fields as ``terms_picker`` does.

    Names are those of the fields, the indexed ones first; ``terms.…`` of the terms'.
    """
    fields = [(field.python_name, field.type) for field in (*event.EVENT.indexed, *event.EVENT.data)]
    skipped = f"{TX_AT}x32s{TOPICS_AT - ADDRESS_AT + _WORD}x"
    return struct.Struct(">" + skipped + _picked(fields, names))


def _picked(fields: Sequence[tuple[str, str]], names: Sequence[str]) -> str:
    flat: list[tuple[str, str]] = []
    for name, declared in fields:
        flat += [(f"terms.{n}", d) for n, d in _TERMS_FIELDS] if declared == "Terms" else [(name, declared)]
    if [name for name, _ in flat if name in names] != list(names):
        raise TypeError(f"no such fields in this order: {names}")
    writer = _Writer()
    for name, declared in flat:
        if name in names:
            writer.value(declared)
        else:
            writer.formats.append(f"{_WORD}x")
    return "".join(writer.formats)


@cache
def terms_decoder() -> Callable[[bytes], Terms]:
    """The decoder of the 23 words of ``Terms`` by themselves."""
    decode: Callable[[bytes], Terms] = _generate(Terms, _TERMS_FIELDS)

    def decode_and_keep(words: bytes) -> Terms:
        terms = decode(words)
        terms.__dict__[WORDS] = words
        return terms

    return decode_and_keep


_DYNAMIC: Final = frozenset({"bytes", "string"})


def _is_dynamic(event: type[Event]) -> bool:
    return any(field.type in _DYNAMIC for field in event.EVENT.fields)


def _dynamic_decoder(event: type[Event]) -> Decoder:
    """For the few events that have no fixed width, all of them rare: word by word. Of text that is no UTF-8, what can be read: anybody may send it.

    By hand, as eth_abi takes 0.3 s to load, which a back-fill would wait for at the first call that its history schedules.
    """
    fields = (*event.EVENT.indexed, *event.EVENT.data)
    indexed = len(event.EVENT.indexed)
    # Each dynamic value stands behind all heads, in order and without a gap: so a contract writes them, and nothing else is believed.
    head_bytes = _WORD * len(fields)

    def decode(words: bytes) -> Event:
        values: dict[str, Any] = {}
        tail = head_bytes
        for at, field in enumerate(fields):
            word = words[_WORD * at : _WORD * (at + 1)]
            if len(word) != _WORD:
                raise _of_another_form(event)
            number = int.from_bytes(word, "big")
            if field.type not in _DYNAMIC:
                if number >> _bits(field.type):
                    raise ChainMisbehaved(f"{event.__name__} has a word that does not fit its type: 0x{word.hex()}")
                values[field.python_name] = _plain(field.type, word, number)
                continue
            start = tail + _WORD
            end = start + int.from_bytes(words[tail:start], "big")
            tail = end + -(end - start) % _WORD
            # Where a value stands is counted from the first word of the data.
            if number != start - _WORD * (indexed + 1) or tail > len(words) or any(words[end:tail]):
                raise _of_another_form(event)
            content = words[start:end]
            values[field.python_name] = content.decode("utf-8", "replace") if field.type == "string" else content
        if tail != len(words):
            raise _of_another_form(event)
        return event(**values)

    return decode


def _of_another_form(event: type[Event]) -> ChainMisbehaved:
    return ChainMisbehaved(f"{event.__name__} has words of another form than the contract writes")


def _plain(declared: str, word: bytes, number: int) -> Any:
    if declared == "address":
        return ADDRESSES[word[12:]]
    if declared == "bytes32":
        return "0x" + word.hex()
    return number == 1 if declared == "bool" else number


def _generate(cls: type, fields: Sequence[tuple[str, str]], only: Collection[str] | None = None) -> Any:
    writer = _Writer(only)
    values = [f"{name!r}: {value}" for name, declared in fields if (value := writer.value(declared, name)) is not None]
    lines = [
        "def decode(words):",
        *_check_lines(cls, writer),
        *([f"    {''.join(f'{name}, ' for name in writer.names)}= unpack(words)"] if writer.names else []),
        *writer.lines,
        "    made = new(cls)",
        # The classes are frozen: their own constructors take the way through object.__setattr__ for each field, ten times as long.
        f"    fill(made, '__dict__', {{{', '.join(values)}}})",
        "    return made",
    ]
    return _compile(lines, writer, cls)


def _check_lines(cls: type, writer: _Writer) -> list[str]:
    length = writer.words * _WORD
    return [
        f"    if len(words) != {length}:",
        f"        raise misbehaved(f'{cls.__name__} has {{len(words)}} bytes of words, not {length}')",
        "    if from_bytes(words, 'big') & mask:",
        f"        raise misbehaved('{cls.__name__} has a word that does not fit its type: 0x' + words.hex())",
    ]


def _compile(lines: Sequence[str], writer: _Writer, cls: type) -> Any:
    scope: dict[str, Any] = {
        "cls": cls,
        "terms_class": Terms,
        "new": object.__new__,
        "fill": object.__setattr__,
        "addresses": ADDRESSES,
        "from_bytes": int.from_bytes,
        "mask": writer.mask,
        "unpack": struct.Struct(">" + "".join(writer.formats)).unpack,
        "misbehaved": ChainMisbehaved,
    }
    source = "\n".join(lines)
    exec(compile(source, f"<decode of {cls.__name__}>", "exec"), scope)  # noqa: S102  # our own text, from our own declarations
    return scope["decode"]


class _Writer:
    """Gathers what the words of an event are unpacked into."""

    def __init__(self, only: Collection[str] | None = None) -> None:
        """``only`` some fields, if not all; the words of the others are skipped."""
        self._only = only
        self.words = 0
        self.mask = 0
        self.formats: list[str] = []
        self.names: list[str] = []
        self.lines: list[str] = []

    def value(self, declared: str, name: str = "") -> str | None:
        """The expression of a field's value; None for one that is not asked for."""
        if declared == "Terms":
            start = self.words * _WORD
            members = [(each, self.value(member, f"terms.{each}")) for each, member in _TERMS_FIELDS]
            values = [f"{each!r}: {value}" for each, value in members if value is not None]
            if self._only is None:
                values.append(f"{WORDS!r}: words[{start}:{self.words * _WORD}]")
            self.lines += ["    terms = new(terms_class)", f"    fill(terms, '__dict__', {{{', '.join(values)}}})"]
            return "terms"
        element, _, length = declared.removesuffix("]").partition("[")
        count = int(length or 1)
        if self._only is not None and name not in self._only:
            for _ in range(count):
                self._skipped(element)
            return None
        if declared.endswith("]"):
            return f"({''.join(f'{self._word(element)}, ' for _ in range(count))})"
        return self._word(declared)

    def _skipped(self, declared: str) -> None:
        self.words += 1
        self.mask = self.mask << 256 | ((1 << 256) - (1 << _bits(declared)))
        self.formats.append(f"{_WORD}x")

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
