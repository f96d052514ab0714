"""``Terms`` as their ABI encoding: 23 words, exactly the bytes that ``JobOpened`` carries."""

from __future__ import annotations

import struct
from typing import Any, Final

from computility.chain.event_decoders import WORDS, terms_decoder
from computility.domain.terms import Terms

_HEX, _SMALL, _LARGE = 0, 1, 2


def terms_to_bytes(terms: Terms) -> bytes:
    """The words of terms: those from which they were decoded, where they were."""
    values = terms.__dict__
    words: bytes | None = values.get(WORDS)
    if words is not None:
        return words
    parts: list[Any] = []
    for name, kind in _FIELDS:
        value = values[name]
        if kind == _HEX:
            parts.append(bytes.fromhex(value[2:]))
        elif kind == _SMALL:
            parts.append(value)
        else:
            parts += (value >> 64, value & _LOW)
    return _PACK(*parts)


def terms_from_bytes(words: bytes) -> Terms:
    """Terms from their words.

    Raises:
        ChainMisbehaved: a word does not fit its field.
    """
    return terms_decoder()(words)


def _layout(declared: str) -> tuple[int, str]:
    if declared == "address":
        return _HEX, "12x20s"
    if declared == "bytes32":
        return _HEX, "32s"
    return (_SMALL, "24xQ") if int(declared.removeprefix("uint")) <= 64 else (_LARGE, "16xQQ")


_LOW: Final = 2**64 - 1
_FIELDS: Final = tuple((field.python_name, _layout(field.type)[0]) for field in Terms.STRUCT.fields)
_PACK: Final = struct.Struct(">" + "".join(_layout(field.type)[1] for field in Terms.STRUCT.fields)).pack
