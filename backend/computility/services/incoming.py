"""Blocks with the contracts' logs, checked and ready to be folded; and how settled a chain says that they are."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from computility.chain.wire import WireHeader, WireLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.logs_digest import DigestedLog, digest_of, digest_of_bytes, digested
from computility.domain.packed_logs import ADDRESS_AT, FORMAT, HEAD, TOPICS_AT, TX_AT, compressed, expanded, packed_logs
from computility.services.log_kinds import LogKinds

IncomingLog = tuple[int, bytes, int, bytes, bytes]
"""Log index, hash of the transaction, number of the kind, topics (32 bytes each in a row) and data."""


@dataclass(frozen=True)
class Head:
    """Numbers of the newest block, and of the newest ones that the chain calls safe and final (-1: none yet)."""

    number: int
    safe: int
    final: int


@dataclass(slots=True)
class IncomingBlock:
    """A block and its logs of ours, in order: packed as they are going to rest, and the numbers of their kinds.

    ``digest`` binds them and those of no known event; None without any.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    digest: bytes | None = None
    packed: bytes = b""
    kinds: Sequence[int] = ()

    def logs(self) -> list[IncomingLog]:
        """The logs, taken apart."""
        if not self.kinds:
            return []
        packed, found, at = expanded(self.packed), list[IncomingLog](), len(FORMAT)
        for kind in self.kinds:
            log_index, topics, data = HEAD(packed, at)
            topics_at = at + TOPICS_AT
            data_at = topics_at + topics
            end = data_at + data
            found.append(
                (log_index, packed[at + TX_AT : at + ADDRESS_AT], kind, packed[topics_at:data_at], packed[data_at:end])
            )
            at = end
        return found


@dataclass(slots=True)
class Incoming:
    """Consecutive blocks, each the parent of the next. ``received`` counts logs as they came, those of no known event too."""

    blocks: list[IncomingBlock]
    head: Head
    received: int = 0

    @property
    def first(self) -> IncomingBlock:
        """The lowest block."""
        return self.blocks[0]

    @property
    def last(self) -> IncomingBlock:
        """The highest block."""
        return self.blocks[-1]

    @property
    def events(self) -> int:
        """How many logs there are to fold."""
        return sum(len(block.kinds) for block in self.blocks)


class LogReader:
    """Makes wire logs into incoming ones, believing none that does not fit its block."""

    def __init__(self, kinds: LogKinds) -> None:
        self._kinds = kinds.numbered
        self._addresses = {
            address: (bytes.fromhex(address[2:]), numbers) for address, numbers in kinds.by_address.items()
        }

    def incoming(self, headers: Sequence[WireHeader], logs: Sequence[WireLog], head: Head, source: str) -> Incoming:
        """Blocks and logs that fit together.

        Raises:
            ChainMisbehaved: they do not: the endpoint lies, or the chain is reorganising just now.
        """
        blocks = linked_blocks(headers, source)
        try:
            self._read(blocks, logs, source)
        except (ValueError, OverflowError, struct.error) as error:
            raise ChainMisbehaved(f"{source} answers with something that is no log: {error}") from error
        return Incoming(blocks, head, len(logs))

    def _read(self, blocks: list[IncomingBlock], logs: Sequence[WireLog], source: str) -> None:
        by_number: dict[str, list[WireLog]] = {}
        for log in logs:
            there = by_number.get(log.block_number)
            if there is None:
                by_number[log.block_number] = [log]
            else:
                there.append(log)
        for block in blocks:
            there = by_number.pop(hex(block.number), None)
            if there is not None:
                self._read_block(block, there, source)
        if by_number:
            raise ChainMisbehaved(f"{source} answers with a log of a block that is not on its chain")

    def _read_block(self, block: IncomingBlock, logs: list[WireLog], source: str) -> None:
        block_hash, fromhex = "0x" + block.hash.hex(), bytes.fromhex
        addresses, kinds = self._addresses, self._kinds
        logs_here: list[DigestedLog] = []
        known: list[DigestedLog] = []
        numbers_of: list[int] = []
        before, last_tx, tx_hash = -1, "", b""
        for log_index, log in sorted([(int(log.log_index, 16), log) for log in logs], key=_index):
            if log_index <= before:
                raise ChainMisbehaved(f"{source} answers with one log twice")
            before = log_index
            if log.removed:
                raise ChainMisbehaved(f"{source} answers with a removed log")
            if log.block_hash != block_hash:
                raise ChainMisbehaved(f"{source} answers with a log of a block that is not on its chain")
            owner = addresses.get(log.address) or addresses.get(log.address.lower())
            if owner is None:
                raise ChainMisbehaved(f"{source} answers with a log of {log.address}, which was not asked for")
            address, numbers = owner
            if log.transaction_hash != last_tx:
                last_tx, tx_hash = log.transaction_hash, fromhex(log.transaction_hash[2:])
                if len(tx_hash) != 32:
                    raise ChainMisbehaved(f"{source} answers with a log of no transaction")
            topics = fromhex("".join(log.topics).replace("0x", ""))
            data = fromhex(log.data[2:])
            log_here = digested(log_index, tx_hash, address, topics, data)
            logs_here.append(log_here)
            number = numbers.get(log.topics[0]) if log.topics else None
            if number is None:
                continue
            kind = kinds[number]
            if len(topics) != kind.topics_bytes:
                raise ChainMisbehaved(
                    f"{source} answers with a log of {len(topics) // 32} topics, not {kind.topics_bytes // 32}"
                )
            kind.check(topics[32:] + data)
            known.append(log_here)
            numbers_of.append(number)
        packed = packed_logs(known)
        if len(known) == len(logs_here):
            # The same bytes: joining them again takes as long as digesting them.
            block.digest = digest_of_bytes(memoryview(packed)[len(FORMAT) :])
        else:
            block.digest = digest_of(logs_here)
        block.packed, block.kinds = compressed(packed), numbers_of


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


def _index(pair: tuple[int, WireLog]) -> int:
    return pair[0]
