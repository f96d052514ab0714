"""Raw logs → domain events, through the generated decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from computility.chain.event_decoders import Decoder, decoder_of
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import EVENTS_BY_CONTRACT, Event
from computility.domain.identifiers import Address, Bytes32, parse_address, parse_bytes32

_WORD: Final = 32


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


def raw_log(
    address: Address,
    topics: tuple[bytes, ...],
    data: bytes,
    block_number: int,
    block_hash: Bytes32,
    tx_hash: Bytes32,
    log_index: int,
) -> RawLog:
    """A ``RawLog``, past the constructor of a frozen class: an audit makes one of every log."""
    made = object.__new__(RawLog)
    object.__setattr__(
        made,
        "__dict__",
        {
            "address": address,
            "topics": topics,
            "data": data,
            "block_number": block_number,
            "block_hash": block_hash,
            "tx_hash": tx_hash,
            "log_index": log_index,
        },
    )
    return made


def event_of(contract: str, log: RawLog) -> Event | None:
    """As ``decode_log``; asked twice of the same log, it decodes once."""
    found: tuple[str, Event | None] | None = log.__dict__.get("_event")
    if found is None or found[0] != contract:
        found = log.__dict__["_event"] = contract, decode_log(contract, log.topics, log.data)
    return found[1]


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


def decode_log(contract: str, topics: tuple[bytes, ...], data: bytes) -> Event | None:
    """The event of a log of the named contract; None for an event that the ledger does not need.

    Raises:
        ChainMisbehaved: the log does not have its event's form.
    """
    known = event_classes(contract).get(topics[0]) if topics else None
    if known is None:
        return None
    event, decode = known
    count = len(event.EVENT.indexed) + 1
    if len(topics) != count:
        raise ChainMisbehaved(f"a {event.__name__} log has {len(topics)} topics, not {count}")
    return decode(b"".join((*topics[1:], data)))


@cache
def event_classes(contract: str) -> Mapping[bytes, tuple[type[Event], Decoder]]:
    """The events of the named contract, each with its decoder, by their first topic."""
    events = EVENTS_BY_CONTRACT.get(contract, ())
    return {bytes.fromhex(event.EVENT.topic[2:]): (event, decoder_of(event)) for event in events}


def job_place(event: type[Event]) -> slice | None:
    """Where an event's topics name the job among whose events it is listed; None where they name none."""
    if event.told_job is not Event.told_job:
        return None
    for at, field in enumerate(event.EVENT.indexed, 1):
        if field.name == "job":
            return slice(_WORD * at, _WORD * (at + 1))
    return None
