"""One log out of the store: its place, its bytes, and what they mean."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from computility.chain.log_decoding import decode_log, event_classes, job_place
from computility.domain.errors import StoreError
from computility.domain.events import Event, EventOrigin
from computility.domain.identifiers import Address, Bytes32, ChainId
from computility.domain.packed_logs import PackedLog

_TOLD: Final = struct.Struct(">I32s")


@dataclass(frozen=True, slots=True)
class Emitter:
    """Whose events an address emits."""

    address: Address
    generation: int
    contract: str


@dataclass(frozen=True, slots=True)
class StoredLog:
    """A log as the chain has it. ``job`` is the job among whose events it is listed; ``topics`` are 32 bytes each in a row."""

    chain_id: ChainId
    block_number: int
    block_hash: Bytes32
    timestamp: int
    log_index: int
    tx_hash: Bytes32
    address: Address
    generation: int
    contract: str
    name: str
    job: Bytes32 | None
    topics: bytes
    data: bytes

    def event(self) -> Event:
        """The decoded event."""
        topics = tuple(self.topics[at : at + 32] for at in range(0, len(self.topics), 32))
        event = decode_log(self.contract, topics, self.data)
        assert event is not None, "its name was found by its first topic"
        return event

    def origin(self) -> EventOrigin:
        """Where it stands in the ledger."""
        return EventOrigin(
            chain_id=self.chain_id,
            block_hash=self.block_hash,
            block_number=self.block_number,
            log_index=self.log_index,
            tx_hash=self.tx_hash,
            address=self.address,
            timestamp=self.timestamp,
        )


@dataclass(frozen=True, slots=True)
class LogPlace:
    """The block of a log: number, hash, timestamp, and the jobs of those logs that do not name theirs (``told_jobs``)."""

    chain_id: ChainId
    number: int
    hash: Bytes32
    timestamp: int
    told: Mapping[int, bytes]

    def log(self, packed: PackedLog, emitters: Mapping[bytes, Emitter]) -> StoredLog:
        """One of its logs.

        Raises:
            StoreError: it is of no known event.
        """
        index, tx_hash, address, topics, data = packed
        emitter = emitters.get(address)
        known = _events(emitter.contract).get(topics[:32]) if emitter is not None else None
        if emitter is None or known is None:
            raise StoreError(
                f"log {index} of block {self.hash} is of no known event: use the newest version, or index from an empty database"
            )
        name, job_at = known
        job = self.told.get(index) if job_at is None else topics[job_at]
        return StoredLog(
            self.chain_id, self.number, self.hash, self.timestamp, index, Bytes32("0x" + tx_hash.hex()), emitter.address,
            emitter.generation, emitter.contract, name, None if job is None else Bytes32("0x" + job.hex()), topics, data,
        )  # fmt: skip


def packed_jobs(jobs: Mapping[int, bytes]) -> bytes:
    """Jobs by log index, four bytes and 32 each."""
    return b"".join([_TOLD.pack(index, job) for index, job in jobs.items()])


def told_jobs(raw: bytes) -> dict[int, bytes]:
    """Back from what ``packed_jobs`` makes."""
    return dict(_TOLD.iter_unpack(raw))


def packed(log_indexes: Iterator[int] | list[int] | tuple[int, ...]) -> bytes:
    """Log indexes of a block as the tables of events hold them, four bytes each."""
    listed = list(log_indexes)
    return struct.pack(f">{len(listed)}I", *listed)


def unpacked(raw: bytes) -> tuple[int, ...]:
    """Back from what ``packed`` makes."""
    return struct.unpack(f">{len(raw) // 4}I", raw)


@cache
def _events(contract: str) -> Mapping[bytes, tuple[str, slice | None]]:
    """By the first topic: an event's name, and where its topics name the job."""
    return {topic: (event.EVENT.name, job_place(event)) for topic, (event, _) in event_classes(contract).items()}
