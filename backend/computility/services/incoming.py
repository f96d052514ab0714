"""Blocks with the contracts' logs, checked and ready to be folded; and how settled a chain says that they are."""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from computility.chain.wire import UnreadLogs, WireHeader, WireLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.logs_digest import digest_of_bytes
from computility.domain.packed_logs import ADDRESS_AT, FORMAT, HEAD, TOPICS_AT, TX_AT, compressed, expanded
from computility.services.log_forms import WORD_DIGITS, WORDS_AT, ContractForms, LogForm
from computility.services.log_kinds import LogKinds

_MOST_PLACES: Final = 100_000
_TIME_BITS: Final = 40
"""Of a UTC second that the contracts can reckon with."""
_block_number = attrgetter("block_number")

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
        self._contracts = {
            address: ContractForms(address, numbers, kinds.numbered) for address, numbers in kinds.by_address.items()
        }
        self._places = _Places()

    def incoming(
        self, headers: Sequence[WireHeader], logs: Sequence[WireLog] | UnreadLogs, head: Head, source: str
    ) -> Incoming:
        """Blocks and logs that fit together.

        Raises:
            ChainMisbehaved: they do not: the endpoint lies, or the chain is reorganising just now.
        """
        blocks = linked_blocks(headers, source)
        try:
            self._read({hex(block.number): block for block in blocks}, logs, source)
        except ValueError as error:
            raise ChainMisbehaved(f"{source} answers with something that is no log: {error}") from error
        return Incoming(blocks, head, len(logs))

    def _read(self, blocks: Mapping[str, IncomingBlock], logs: Iterable[WireLog], source: str) -> None:
        seen: set[str] = set()
        for number, logs_here in groupby(logs, _block_number):
            if number in seen:
                # An endpoint may give the logs of a block in several places, but hardly one does.
                self._read(blocks, sorted(logs, key=_block_number), source)
                return
            seen.add(number)
            if number not in blocks:
                raise ChainMisbehaved(f"{source} answers with a log of a block that is not on its chain")
            self._read_block(blocks[number], list(logs_here), source)

    def _read_block(self, block: IncomingBlock, logs: list[WireLog], source: str) -> None:
        # The texts of all logs are put in the row in which they are packed, so that they are made bytes at once. What is checked before is how long
        # each of them is, so that every byte comes to stand in its place; the words are checked there.
        block_hash = "0x" + block.hash.hex()
        digits, forms = [FORMAT.hex()], list[LogForm]()
        address: str | None = None
        tx_hash: str | None = None
        for place, log in self._in_order(logs, source):
            if log.removed:
                raise ChainMisbehaved(f"{source} answers with a removed log")
            if log.block_hash != block_hash:
                raise ChainMisbehaved(f"{source} answers with a log of a block that is not on its chain")
            if log.address != address:
                address = log.address
                contract = self._contract(address, source)
            if log.transaction_hash != tx_hash:
                tx_hash = log.transaction_hash
                tx_digits = tx_hash[2:]
                if len(tx_digits) != WORD_DIGITS:
                    raise ChainMisbehaved(f"{source} answers with a log of no transaction")
            topics, data = log.topics, log.data[2:]
            form = contract[topics[0]] if topics else None
            if form is None or len(topics) != form.topics or len(data) != form.data_digits:
                form = contract.alone(log, source)
            forms.append(form)
            digits += (place, form.lengths, tx_digits, form.start)
            for topic in topics[1:]:
                word = topic.removeprefix("0x")
                if len(word) != WORD_DIGITS:
                    raise ChainMisbehaved(f"{source} answers with a log whose topic has not 32 bytes")
                digits.append(word)
            digits.append(data)
        packed = unhexlify("".join(digits))
        self._check_words(packed, forms, source)
        block.digest = digest_of_bytes(memoryview(packed)[len(FORMAT) :])
        block.packed = compressed(_of_known_events(packed, forms))
        block.kinds = [form.number for form in forms if form.number is not None]

    def _in_order(self, logs: list[WireLog], source: str) -> Iterable[tuple[str, WireLog]]:
        places = [self._places[log.log_index] for log in logs]
        if len(set(places)) != len(places):
            raise ChainMisbehaved(f"{source} answers with one log twice")
        in_order = sorted(places)
        if places == in_order:
            return zip(places, logs, strict=True)
        by_place = dict(zip(places, logs, strict=True))
        return [(place, by_place[place]) for place in in_order]

    def _contract(self, address: str, source: str) -> ContractForms:
        contract = self._contracts.get(address.lower())
        if contract is None:
            raise ChainMisbehaved(f"{source} answers with a log of {address}, which was not asked for")
        return contract

    def _check_words(self, packed: bytes, forms: list[LogForm], source: str) -> None:
        end = len(FORMAT)
        for form in forms:
            start, end = end + WORDS_AT, end + form.size
            if form.check(packed, start, end) is None:
                assert form.number is not None
                # It says what is wrong with them.
                self._kinds[form.number].decode(packed[start:end])
                raise ChainMisbehaved(f"{source} answers with a log of another form than its event's")


class _Places(dict[str, str]):
    """Log indexes as they come → as they are packed, in hex: put in order they are in that of the numbers. The same ones come in every block."""

    def __missing__(self, text: str) -> str:
        index = int(text, 16)
        if not 0 <= index < 1 << 32:
            raise ValueError("no block has so many logs")
        if len(self) >= _MOST_PLACES:
            self.clear()
        self[text] = place = f"{index:08x}"
        return place


def _of_known_events(packed: bytes, forms: list[LogForm]) -> bytes:
    if all(form.number is not None for form in forms):
        return packed
    end, known = len(FORMAT), [FORMAT]
    for form in forms:
        start, end = end, end + form.size
        if form.number is not None:
            known.append(packed[start:end])
    return b"".join(known)


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
                _time(header.timestamp),
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


def _time(text: str) -> int:
    timestamp = int(text, 16)
    if timestamp >> _TIME_BITS:
        # Its day would not fit the store either, which would fail each time that it is read.
        raise ValueError(f"its time is {timestamp}")
    return timestamp
