"""Raw logs → domain events, by fixed-width slices.

All our event parameters are words of 32 bytes (``Terms`` is 23 of them in a row, arrays have a fixed length), so a log decodes by cutting: over a
million a second where a general ABI decoder does 40,000. Words that do not fit their type are refused, as a contract cannot have written them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from computility.domain.errors import ChainMisbehaved
from computility.domain.events import EVENTS_BY_CONTRACT, Event, EventField
from computility.domain.identifiers import Address, Bytes32, address_from_bytes, bytes32, parse_address, parse_bytes32
from computility.domain.terms import Terms

_WORD: Final = 32
_Decoder = Callable[[bytes], Any]


@dataclass(frozen=True)
class RawLog:
    """A log as the chain has it. ``topics`` and ``data`` are bytes."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: Bytes32
    tx_hash: Bytes32
    log_index: int


def parse_raw_log(document: Mapping[str, Any]) -> RawLog:
    """A log of an ``eth_getLogs`` answer.

    Raises:
        ChainMisbehaved: it is no mined log.
    """
    try:
        if document.get("removed"):
            raise ValueError("a removed log")
        return RawLog(
            address=parse_address(document["address"]),
            topics=tuple(bytes.fromhex(parse_bytes32(topic)[2:]) for topic in document["topics"]),
            data=bytes.fromhex(document["data"].removeprefix("0x")),
            block_number=int(document["blockNumber"], 16),
            block_hash=parse_bytes32(document["blockHash"]),
            tx_hash=parse_bytes32(document["transactionHash"]),
            log_index=int(document["logIndex"], 16),
        )
    except Exception as error:
        raise ChainMisbehaved(f"the chain endpoint answers with something that is no log: {error}") from error


class EventDecoder:
    """Decodes one event class."""

    def __init__(self, event: type[Event]) -> None:
        self.event = event
        self._topics = tuple((field.python_name, _word_decoder(field.type)) for field in event.EVENT.indexed)
        self._data: list[tuple[str, int, int, _Decoder]] = []
        start = 0
        for field in event.EVENT.data:
            width = _width(field)
            self._data.append((field.python_name, start, start + width, _decoder(field)))
            start += width
        self._data_length = start

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> Event:
        """The event of a log whose first topic is this event's.

        Raises:
            ChainMisbehaved: topics or data do not have this event's form.
        """
        if len(topics) != len(self._topics) + 1 or len(data) != self._data_length:
            raise ChainMisbehaved(
                f"a {self.event.__name__} log has {len(topics)} topics and {len(data)} bytes, "
                f"not {len(self._topics) + 1} and {self._data_length}"
            )
        values = {name: decode(topic) for (name, decode), topic in zip(self._topics, topics[1:], strict=True)}
        for name, start, stop, decode in self._data:
            values[name] = decode(data[start:stop])
        return self.event(**values)


@cache
def _decoders(contract: str) -> Mapping[bytes, EventDecoder]:
    events = EVENTS_BY_CONTRACT.get(contract, ())
    return {bytes.fromhex(event.EVENT.topic[2:]): EventDecoder(event) for event in events}


def decode_log(contract: str, topics: tuple[bytes, ...], data: bytes) -> Event | None:
    """The event of a log of the named contract; None for an event that the ledger does not need.

    Raises:
        ChainMisbehaved: the log does not have its event's form.
    """
    decoder = _decoders(contract).get(topics[0]) if topics else None
    return decoder.decode(topics, data) if decoder else None


def _width(field: EventField) -> int:
    if field.type == "Terms":
        return _WORD * len(Terms.STRUCT.fields)
    if field.type.endswith("]"):
        return _WORD * int(field.type[field.type.index("[") + 1 : -1])
    return _WORD


def _decoder(field: EventField) -> _Decoder:
    if field.type == "Terms":
        return _decode_terms
    if field.type.endswith("]"):
        return _array_decoder(_word_decoder(field.type[: field.type.index("[")]))
    return _word_decoder(field.type)


def _array_decoder(decode: _Decoder) -> _Decoder:
    return lambda data: tuple(decode(data[at : at + _WORD]) for at in range(0, len(data), _WORD))


def _decode_terms(data: bytes) -> Terms:
    return Terms(*(decode(data[_WORD * at : _WORD * (at + 1)]) for at, decode in enumerate(_TERMS_DECODERS)))


def _word_decoder(declared: str) -> _Decoder:
    if declared == "address":
        return _decode_address
    if declared == "bytes32":
        return bytes32
    if declared == "bool":
        return _decode_bool
    return _uint_decoder(int(declared.removeprefix("uint")))


def _decode_address(word: bytes) -> Address:
    if any(word[:12]):
        raise ChainMisbehaved(f"0x{word.hex()} is no address")
    return address_from_bytes(word[12:])


def _decode_bool(word: bytes) -> bool:
    value = int.from_bytes(word, "big")
    if value > 1:
        raise ChainMisbehaved(f"0x{word.hex()} is no bool")
    return value == 1


def _uint_decoder(bits: int) -> _Decoder:
    def decode(word: bytes) -> int:
        value = int.from_bytes(word, "big")
        if value >> bits:
            raise ChainMisbehaved(f"0x{word.hex()} is no uint{bits}")
        return value

    return decode


_TERMS_DECODERS: Final = tuple(_word_decoder(field.type) for field in Terms.STRUCT.fields)
