"""Where an auditor reads the ledger: a chain endpoint, or a file that somebody else saved from one. Neither is believed.

Every header has to hash to its block's hash and to name the block before it. Blocks whose bloom has room for one of our contracts bring all their
receipts, which have to have the header's root: nothing can be left out, added or changed. What remains to be believed is the last block's hash.
"""

from __future__ import annotations

import gzip
import itertools
import multiprocessing
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from computility.chain.deployments import Deployments, parse_deployments
from computility.chain.log_decoding import RawLog
from computility.chain.patricia_trie import list_root
from computility.chain.receipt_trie import (
    ProvenHeader,
    bloom_may_hold,
    encode_receipt,
    parse_header,
    parse_receipt,
    require_block_hash,
)
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainMisbehaved, InvalidMessage, InvalidProof, NodeBusy, RpcRefused
from computility.domain.identifiers import Address, Bytes32
from computility.services.contract_directory import ContractDirectory

_BATCH_BLOCKS: Final = 100
_AHEAD_FROM_BLOCKS: Final = 256
_PROVEN_AT_ONCE: Final = 32
_BATCHES_AHEAD: Final = 4
_METHOD_NOT_FOUND: Final = -32601
_MAX_LINE_BYTES: Final = 64 * 1024 * 1024
FILE_VERSION: Final = 1


@dataclass(frozen=True)
class SourcedBlock:
    """A block and our contracts' logs in it, both proven."""

    header: ProvenHeader
    logs: tuple[RawLog, ...]


@dataclass(frozen=True)
class BlockContent:
    """What proves a block: its header and, where the bloom asks for them, all its receipts with the hashes of their transactions.

    The transactions' hashes are the source's word: receipts do not name them.
    """

    header: bytes
    receipts: tuple[bytes, ...]
    transactions: tuple[Bytes32, ...]


_Proven = tuple[tuple[Any, ...], list[tuple[Any, ...]]]
"""A header's fields, and those of each log that the header does not tell."""


class LedgerSource(Protocol):
    """The chain from the first deployment on, block by block."""

    @property
    def deployments(self) -> Deployments:
        """What is deployed there."""

    @property
    def last(self) -> int:
        """The last block that there is."""

    def contents(self, first: int, last: int) -> Iterator[BlockContent]:
        """Blocks ``first`` to ``last``, unproven."""


def walk(
    source: LedgerSource, last: int | None = None, *, ahead_from: int = _AHEAD_FROM_BLOCKS
) -> Iterator[SourcedBlock]:
    """All blocks from the first deployment to ``last``, proven; of ``ahead_from`` blocks and more by a process that works ahead.

    Raises:
        InvalidProof: the source says what does not hash to its own blocks.
        ChainError: the endpoint fails.
    """
    directory = ContractDirectory(source.deployments)
    wanted = {bytes.fromhex(address[2:]): address for address in directory.addresses}
    first, end = source.deployments.generations[0].block, source.last if last is None else last
    contents = source.contents(first, end)
    parent: Bytes32 | None = None
    for number, block in enumerate((_ahead if end - first + 1 >= ahead_from else _here)(contents, wanted), first):
        header = block.header
        if header.number != number or (parent is not None and header.parent_hash != parent):
            raise InvalidProof(f"block {header.number} does not follow block {number - 1}: reorganising, or a lie")
        parent = header.hash
        yield block


def _here(contents: Iterator[BlockContent], wanted: Mapping[bytes, Address]) -> Iterator[SourcedBlock]:
    for content in contents:
        header = parse_header(content.header)
        yield SourcedBlock(header, tuple(_logs(header, content, wanted)))


def _ahead(contents: Iterator[BlockContent], wanted: Mapping[bytes, Address]) -> Iterator[SourcedBlock]:
    """As ``_here``, but hashes and takes apart in a process of its own, while what came before is folded."""
    # Tuples of bytes and text: objects would cost more to hand over than to make.
    batches = iter(lambda: [(c.header, c.receipts, c.transactions) for c in islice(contents, _PROVEN_AT_ONCE)], [])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        waiting: deque[Future[list[_Proven]]] = deque()
        try:
            for batch in batches:
                waiting.append(processes.submit(_prove, batch, wanted))
                if len(waiting) > _BATCHES_AHEAD:
                    yield from _sourced(waiting.popleft())
            while waiting:
                yield from _sourced(waiting.popleft())
        except BrokenProcessPool as error:
            raise NodeBusy("the process that proves blocks ended, by want of memory say: try again") from error
        finally:
            for future in waiting:
                future.cancel()


def _prove(
    batch: Sequence[tuple[bytes, tuple[bytes, ...], tuple[Bytes32, ...]]], wanted: Mapping[bytes, Address]
) -> list[_Proven]:
    proven = []
    for block in _here((BlockContent(*content) for content in batch), wanted):
        header = block.header
        proven.append(
            (
                (header.hash, header.parent_hash, header.receipts_root, header.logs_bloom, header.number, header.timestamp),
                [(log.address, log.topics, log.data, log.tx_hash, log.log_index) for log in block.logs],
            )
        )  # fmt: skip
    return proven


def _sourced(proven: Future[list[_Proven]]) -> Iterator[SourcedBlock]:
    for head, logs in proven.result():
        header = ProvenHeader(*head)
        yield SourcedBlock(
            header,
            tuple(
                RawLog(address, topics, data, header.number, header.hash, tx_hash, index)
                for address, topics, data, tx_hash, index in logs
            ),
        )


def _logs(header: ProvenHeader, content: BlockContent, wanted: Mapping[bytes, Address]) -> Iterator[RawLog]:
    if not any(bloom_may_hold(header.logs_bloom, address) for address in wanted):
        return
    if list_root(content.receipts) != header.receipts_root:
        raise InvalidProof(f"the receipts of block {header.number} are not those that its header names")
    if len(content.transactions) != len(content.receipts):
        raise InvalidProof(f"block {header.number} has not as many transactions as receipts")
    index = 0
    for transaction, encoded in zip(content.transactions, content.receipts, strict=True):
        for log in parse_receipt(encoded).logs:
            address = wanted.get(log.address)
            if address is not None:
                yield RawLog(address, log.topics, log.data, header.number, header.hash, transaction, index)
            index += 1


# ---------------------------------------------------------------- an endpoint


class RpcSource:
    """A chain endpoint, as of its newest block or of ``last``."""

    def __init__(self, rpc: RpcClient, deployments: Deployments, last: int | None = None) -> None:
        self._rpc = rpc
        self.deployments = deployments
        self.last = rpc.block_number() if last is None else last
        directory = ContractDirectory(deployments)
        self._addresses = [bytes.fromhex(address[2:]) for address in directory.addresses]
        self._whole_blocks = True

    def contents(self, first: int, last: int) -> Iterator[BlockContent]:
        """Blocks ``first`` to ``last``."""
        for start in range(first, last + 1, _BATCH_BLOCKS):
            numbers = range(start, min(start + _BATCH_BLOCKS - 1, last) + 1)
            blocks = self._rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
            if not all(isinstance(block, dict) for block in blocks):
                raise ChainMisbehaved(
                    f"{self._rpc.name} has no header for a block below its head; it may be reorganising"
                )
            headers = [require_block_hash(block) for block in blocks]
            asked = [block for block, header in zip(blocks, headers, strict=True) if self._may_concern(header)]
            receipts = dict(zip((block["hash"] for block in asked), self._receipts(asked), strict=True))
            for block, header in zip(blocks, headers, strict=True):
                found = receipts.get(block["hash"], ())
                yield BlockContent(
                    header, tuple(map(encode_receipt, found)), tuple(block["transactions"]) if found else ()
                )

    def _may_concern(self, header: bytes) -> bool:
        bloom = parse_header(header).logs_bloom
        return any(bloom_may_hold(bloom, address) for address in self._addresses)

    def _receipts(self, blocks: Sequence[Mapping[str, Any]]) -> list[Sequence[Mapping[str, Any]]]:
        if self._whole_blocks:
            try:
                found = self._rpc.batch([("eth_getBlockReceipts", (block["number"],)) for block in blocks])
            except RpcRefused as error:
                if error.rpc_code != _METHOD_NOT_FOUND and "does not exist" not in str(error):
                    raise
                self._whole_blocks = False  # Ganache, for one
                return self._receipts(blocks)
        else:
            calls = [("eth_getTransactionReceipt", (tx,)) for block in blocks for tx in block["transactions"]]
            answers = iter(self._rpc.batch(calls))
            found = [list(itertools.islice(answers, len(block["transactions"]))) for block in blocks]
        if not all(isinstance(receipts, list) for receipts in found):
            raise ChainMisbehaved(f"{self._rpc.name} answers a question for receipts with something else")
        return found


# ---------------------------------------------------------------- a file


def save_ledger(source: LedgerSource, path: Path) -> Iterator[SourcedBlock]:
    """Write all that a source has into a file (gzip, one JSON document a line), proving it on the way. Yields the blocks as they are written."""
    directory = ContractDirectory(source.deployments)
    wanted = {bytes.fromhex(address[2:]): address for address in directory.addresses}
    first = source.deployments.generations[0].block
    with gzip.open(path, "wb", compresslevel=6) as file:
        head = {"version": FILE_VERSION, "last": source.last, "deployments": source.deployments.to_json()}
        file.write(orjson.dumps(head) + b"\n")
        for content in source.contents(first, source.last):
            header = parse_header(content.header)
            logs = tuple(_logs(header, content, wanted))
            line = {
                "header": content.header.hex(),
                "receipts": [receipt.hex() for receipt in content.receipts],
                "transactions": content.transactions,
            }
            file.write(orjson.dumps(line) + b"\n")
            yield SourcedBlock(header, logs)


class FileSource:
    """A file that ``save_ledger`` wrote.

    Raises:
        InvalidMessage: it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        head = next(self._lines(), None)
        if not isinstance(head, dict) or head.get("version") != FILE_VERSION or type(head.get("last")) is not int:
            raise InvalidMessage(
                f"{path} is no ledger file of version {FILE_VERSION}: `computility audit save` writes one"
            )
        self.deployments = parse_deployments(head.get("deployments"), str(path))
        self.last: int = head["last"]

    def contents(self, first: int, last: int) -> Iterator[BlockContent]:
        """Blocks ``first`` to ``last``."""
        skipped = first - self.deployments.generations[0].block
        lines = itertools.islice(self._lines(), 1 + skipped, 2 + last - first + skipped)
        count = 0
        for count, line in enumerate(lines, 1):
            try:
                yield BlockContent(
                    bytes.fromhex(line["header"]),
                    tuple(bytes.fromhex(receipt) for receipt in line["receipts"]),
                    tuple(line["transactions"]),
                )
            except (KeyError, TypeError, ValueError) as error:
                raise InvalidMessage(f"line {count + 1} of {self._path} is no block: {error!r}") from error
        if count != last - first + 1:
            raise InvalidMessage(
                f"{self._path} ends after {count} blocks of {last - first + 1}: it was cut off, get it anew"
            )

    def _lines(self) -> Iterator[Any]:
        try:
            with gzip.open(self._path, "rb") as file:
                while line := file.readline(_MAX_LINE_BYTES):
                    yield orjson.loads(line)
        except (OSError, EOFError, ValueError) as error:
            raise InvalidMessage(f"{self._path} cannot be read as a ledger file: {error}") from error
