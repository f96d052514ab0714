"""``Terms`` as their ABI encoding: 23 words, exactly the bytes that ``JobOpened`` carries."""

from __future__ import annotations

from typing import Any, Final

from computility.chain.event_decoders import terms_decoder
from computility.domain.terms import Terms

_FIELDS: Final = tuple((field.python_name, field.type) for field in Terms.STRUCT.fields)


def terms_to_bytes(terms: Terms) -> bytes:
    """The words of terms."""
    values = terms.__dict__
    return b"".join([_word(declared, values[name]) for name, declared in _FIELDS])


def terms_from_bytes(words: bytes) -> Terms:
    """Terms from their words.

    Raises:
        ChainMisbehaved: a word does not fit its field.
    """
    return terms_decoder()(words)


def _word(declared: str, value: Any) -> bytes:
    if declared == "address":
        return bytes(12) + bytes.fromhex(value[2:])
    if declared == "bytes32":
        return bytes.fromhex(value[2:])
    word: bytes = value.to_bytes(32, "big")
    return word
