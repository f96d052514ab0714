"""Blocks whose every log of ours is proven: header to its hash, bloom or receipts to the header.

A log that an endpoint leaves out of ``eth_getLogs`` cannot be noticed in the answer. It can here: a block whose bloom leaves no room for our
contracts has none of their logs, and of any other block all receipts are fetched and hashed to the root that its header names.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec
import orjson

from computility.chain.endpoint import Call, ChainEndpoint
from computility.chain.patricia_trie import list_root
from computility.chain.receipt_trie import Bloom, encode_receipt, receipt_logs, require_block_hash
from computility.chain.wire import WireReceipt, parse_receipt_of, parse_receipts
from computility.domain.errors import AnswerTooLarge, ChainMisbehaved, RpcRefused
from computility.domain.logs_digest import digest_of, digested
from computility.domain.packed_logs import PackedLog

_HEADERS_AT_ONCE: Final = 100
_RECEIPTS_AT_ONCE: Final = 100
_FIRST_BLOCKS: Final = 2
_MOST_BLOCKS: Final = 64
_WANTED_BYTES: Final = 1024 * 1024
"""Of an answer with the receipts of some blocks: what is read at once is held in memory at once, three times over."""

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class SealedBlock:
    """A block and all of our contracts' logs in it. ``header`` is the endpoint's answer, held against the hash."""

    number: int
    hash: str
    parent_hash: str
    header: dict[str, Any]
    logs: tuple[PackedLog, ...]
    """As they stand in the bytes that were hashed, not as the endpoint spells them."""

    @property
    def timestamp(self) -> int:
        """In UTC seconds."""
        return int(self.header["timestamp"], 16)

    def digest(self) -> bytes | None:
        """What binds the logs; None without any."""
        if not self.logs:
            return None
        return digest_of(digested(*log) for log in self.logs)


class BlockSealer:
    """Proves blocks through one endpoint, for the logs of some contracts."""

    def __init__(self, endpoint: ChainEndpoint, addresses: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._wanted = frozenset(bytes.fromhex(address[2:]) for address in addresses)
        self._blooms = tuple(map(Bloom, self._wanted))
        self._at_once = _FIRST_BLOCKS
        self._one_by_one = False
        """The endpoint has no ``eth_getBlockReceipts``."""

    def blocks(self, first: int, last: int) -> list[SealedBlock]:
        """Blocks ``first`` to ``last``, each the parent of the next.

        Raises:
            ChainMisbehaved: a header, a receipt or a link between blocks is not what its hash says; or the chain is reorganising just now.
            ChainError: the endpoint fails.
        """
        try:
            return self._blocks(first, last)
        except (KeyError, TypeError, ValueError, AttributeError, msgspec.DecodeError) as error:
            raise ChainMisbehaved(
                f"{self._endpoint.name} answers with an ill-formed block or receipt: {error}"
            ) from error

    def _blocks(self, first: int, last: int) -> list[SealedBlock]:
        headers = self._headers(first, last)
        for below, above in itertools.pairwise(headers):
            if above["parentHash"] != below["hash"]:
                raise ChainMisbehaved(f"a block of {self._endpoint.name} does not follow the one below it")
        logs = dict(self._logs_of([header for header in headers if self._may_hold_ours(header)]))
        return [
            SealedBlock(
                int(header["number"], 16), header["hash"], header["parentHash"], header, logs.get(header["hash"], ())
            )
            for header in headers
        ]

    def _logs_of(self, headers: Sequence[dict[str, Any]]) -> Iterator[tuple[str, tuple[PackedLog, ...]]]:
        """Of each block, by its hash. Receipts are asked for by so many blocks as fit an answer of the wanted size."""
        at = 0
        while at < len(headers):
            some = headers[at : at + self._at_once]
            try:
                answers, size = self._receipts(some)
            except AnswerTooLarge:
                if len(some) == 1:
                    raise
                self._at_once = len(some) // 2
                continue
            for header, receipts in zip(some, answers, strict=True):
                yield header["hash"], self._logs(header, receipts)
            at += len(some)
            self._at_once = max(1, min(_MOST_BLOCKS, 2 * len(some), len(some) * _WANTED_BYTES // max(1, size)))

    def _headers(self, first: int, last: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(first, last + 1, _HEADERS_AT_ONCE):
            numbers = range(start, min(last + 1, start + _HEADERS_AT_ONCE))
            answers = self._endpoint.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
            for number, raw in zip(numbers, answers, strict=True):
                header = orjson.loads(memoryview(raw))
                if not isinstance(header, dict) or header.get("number") != hex(number):
                    raise ChainMisbehaved(f"{self._endpoint.name} has no block {number}; it may be reorganising")
                require_block_hash(header)
                found.append(header)
        return found

    def _may_hold_ours(self, header: dict[str, Any]) -> bool:
        bloom = bytes.fromhex(header["logsBloom"][2:])
        return any(ours.may_be_in(bloom) for ours in self._blooms)

    def _receipts(self, headers: Sequence[dict[str, Any]]) -> tuple[Iterator[list[WireReceipt]], int]:
        """The receipts of each block, parsed when it is its turn; and how many bytes they came in."""
        if not self._one_by_one:
            try:
                answers = self._endpoint.batch([("eth_getBlockReceipts", (header["hash"],)) for header in headers])
            except RpcRefused:
                # Some chains lack it, some take only a number there; what is refused for another reason is refused again below.
                self._one_by_one = True
            else:
                size = sum(len(memoryview(raw)) for raw in answers)
                return (self._parsed(header, raw) for header, raw in zip(headers, answers, strict=True)), size
        found = []
        size = 0
        for header in headers:
            calls: list[Call] = [("eth_getTransactionReceipt", (tx,)) for tx in header["transactions"]]
            receipts = []
            for start in range(0, len(calls), _RECEIPTS_AT_ONCE):
                for raw in self._endpoint.batch(calls[start : start + _RECEIPTS_AT_ONCE]):
                    size += len(memoryview(raw))
                    receipts.append(self._told(header, parse_receipt_of, raw))
            found.append(receipts)
        return iter(found), size

    def _parsed(self, header: dict[str, Any], raw: msgspec.Raw) -> list[WireReceipt]:
        return self._told(header, parse_receipts, raw)

    def _told(self, header: dict[str, Any], parse: Callable[[msgspec.Raw], AnswerT], raw: msgspec.Raw) -> AnswerT:
        try:
            return parse(raw)
        except msgspec.DecodeError as error:
            raise ChainMisbehaved(
                f"{self._endpoint.name} has no receipts of block {header['number']}; it may be reorganising, or have forgotten them"
            ) from error

    def _logs(self, header: dict[str, Any], receipts: list[WireReceipt]) -> tuple[PackedLog, ...]:
        name, number = self._endpoint.name, header["number"]
        if [receipt.transaction_hash for receipt in receipts] != header["transactions"]:
            raise ChainMisbehaved(f"{name} answers with receipts of other transactions than block {number} has")
        encoded = [encode_receipt(receipt) for receipt in receipts]
        if "0x" + list_root(encoded).hex() != header["receiptsRoot"]:
            raise ChainMisbehaved(f"the receipts that {name} gives for block {number} do not hash to its receipts root")
        logs: list[PackedLog] = []
        index = 0
        for receipt, proven in zip(receipts, encoded, strict=True):
            tx_hash = bytes.fromhex(receipt.transaction_hash[2:])
            for address, topics, data in receipt_logs(proven):
                if address in self._wanted:
                    # Where it stands follows from what is proven; what the endpoint says of it does not count.
                    logs.append((index, tx_hash, address, b"".join(topics), data))
                index += 1
        return tuple(logs)


Digests = list[tuple[int, str, str, bytes | None, int]]
"""Number, hash, parent hash, digest and time (UTC seconds) of each of some blocks."""


def digests_of(url: str, timeout_s: float, addresses: Sequence[str], first: int, last: int) -> Digests:
    """Number, hash, parent hash, digest and time of proven blocks: ``BlockSealer.blocks`` for a process of its own.

    Raises: as ``BlockSealer.blocks``.
    """
    key = (url, tuple(addresses))
    if key not in _SEALERS:
        _SEALERS[key] = BlockSealer(ChainEndpoint(url, timeout_s), addresses)
    return [
        (block.number, block.hash, block.parent_hash, block.digest(), block.timestamp)
        for block in _SEALERS[key].blocks(first, last)
    ]


_SEALERS: Final[dict[tuple[str, tuple[str, ...]], BlockSealer]] = {}
"""One a process and endpoint, for its connection and for what it knows of the endpoint."""
