"""Blocks with the contracts' logs, decoded and ready to be folded; and how settled a chain says that they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from computility.chain.log_decoding import event_classes
from computility.chain.wire import WireHeader, WireLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import Event
from computility.domain.identifiers import Address
from computility.domain.logs_digest import LogsDigest
from computility.services.contract_directory import ContractDirectory


@dataclass(frozen=True)
class Head:
    """Numbers of the newest block, and of the newest ones that the chain calls safe and final (-1: none yet)."""

    number: int
    safe: int
    final: int


@dataclass(slots=True)
class IncomingBlock:
    """A block. ``digest`` binds its logs of ours; None without any."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    digest: bytes | None = None


@dataclass(slots=True)
class IncomingLog:
    """One log of ours. Hashes are bytes, ``topics`` 32 bytes each in a row."""

    block: IncomingBlock
    log_index: int
    tx_hash: bytes
    address: Address
    address_bytes: bytes
    generation: int
    contract: str
    topics: bytes
    data: bytes
    event: Event


@dataclass(slots=True)
class Incoming:
    """Consecutive blocks, each the parent of the next, and their logs in the order of the ledger."""

    blocks: list[IncomingBlock]
    logs: list[IncomingLog]
    head: Head
    received: int = field(default=0)
    """Logs as they came, those of no known event too."""

    @property
    def first(self) -> IncomingBlock:
        """The lowest block."""
        return self.blocks[0]

    @property
    def last(self) -> IncomingBlock:
        """The highest block."""
        return self.blocks[-1]


class LogReader:
    """Makes wire logs into incoming ones, believing none that does not fit its block."""

    def __init__(self, directory: ContractDirectory) -> None:
        self._owners = {
            address.lower(): (
                address,
                bytes.fromhex(address[2:]),
                *directory.owner_of(address),
                {
                    "0x" + topic.hex(): (32 * (1 + len(event.EVENT.indexed)), decode)
                    for topic, (event, decode) in event_classes(directory.owner_of(address)[1]).items()
                },
            )
            for address in directory.addresses
        }

    def incoming(self, headers: Sequence[WireHeader], logs: Iterable[WireLog], head: Head, source: str) -> Incoming:
        """Blocks and logs that fit together.

        Raises:
            ChainMisbehaved: they do not: the endpoint lies, or the chain is reorganising just now.
        """
        blocks = linked_blocks(headers, source)
        try:
            read, received = self._read(blocks, logs, source)
        except (ValueError, OverflowError) as error:
            raise ChainMisbehaved(f"{source} answers with something that is no log: {error}") from error
        return Incoming(blocks, read, head, received)

    def _read(self, blocks: list[IncomingBlock], logs: Iterable[WireLog], source: str) -> tuple[list[IncomingLog], int]:
        by_number = {hex(block.number): block for block in blocks}
        hashes = {number: "0x" + block.hash.hex() for number, block in by_number.items()}
        keyed = [(int(log.block_number, 16) << 32 | int(log.log_index, 16), log) for log in logs]
        keyed.sort(key=_first)
        read: list[IncomingLog] = []
        before, at, last_tx, tx_hash = -1, "", "", b""
        block: IncomingBlock | None = None
        digest: LogsDigest | None = None
        owners, fromhex = self._owners, bytes.fromhex
        for position, log in keyed:
            if position == before:
                raise ChainMisbehaved(f"{source} answers with one log twice")
            before = position
            if log.removed:
                raise ChainMisbehaved(f"{source} answers with a removed log")
            if log.block_number != at:
                if block is not None and digest is not None:
                    block.digest = digest.digest()
                at, block, digest = log.block_number, by_number.get(log.block_number), LogsDigest()
            if block is None or digest is None or hashes[at] != log.block_hash:
                raise ChainMisbehaved(f"{source} answers with a log of a block that is not on its chain")
            owner = owners.get(log.address.lower())
            if owner is None:
                raise ChainMisbehaved(f"{source} answers with a log of {log.address}, which was not asked for")
            address, address_bytes, generation, contract, events = owner
            if log.transaction_hash != last_tx:
                last_tx, tx_hash = log.transaction_hash, fromhex(log.transaction_hash[2:])
                if len(tx_hash) != 32:
                    raise ChainMisbehaved(f"{source} answers with a log of no transaction")
            topics = fromhex("".join(log.topics).replace("0x", ""))
            data = fromhex(log.data[2:])
            log_index = position & 0xFFFFFFFF
            digest.add(log_index, tx_hash, address_bytes, topics, data)
            known = events.get(log.topics[0]) if log.topics else None
            if known is None:
                continue
            width, decode = known
            if len(topics) != width:
                raise ChainMisbehaved(f"{source} answers with a log of {len(topics) // 32} topics, not {width // 32}")
            event = decode(topics[32:] + data)
            read.append(
                IncomingLog(
                    block, log_index, tx_hash, address, address_bytes, generation, contract, topics, data, event
                )
            )
        if block is not None and digest is not None:
            block.digest = digest.digest()
        return read, len(keyed)


def linked_blocks(headers: Sequence[WireHeader], source: str) -> list[IncomingBlock]:
    """Headers as blocks.

    Raises:
        ChainMisbehaved: one is malformed, or does not follow the one below it.
    """
    try:
        blocks = [
            IncomingBlock(
                int(header.number, 16),
                _hash(header.hash),
                _hash(header.parent_hash),
                int(header.timestamp, 16),
            )
            for header in headers
        ]
    except ValueError as error:
        raise ChainMisbehaved(f"{source} answers with something that is no block header: {error}") from error
    for index in range(1, len(blocks)):
        below, above = blocks[index - 1], blocks[index]
        if above.parent_hash != below.hash or above.number != below.number + 1:
            raise ChainMisbehaved(f"block {above.number} of {source} does not follow block {below.number}")
    return blocks


def _hash(text: str) -> bytes:
    raw = bytes.fromhex(text[2:])
    if len(raw) != 32:
        raise ValueError("a hash has 32 bytes")
    return raw


def _first(pair: tuple[int, WireLog]) -> int:
    return pair[0]
