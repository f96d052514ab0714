"""Where an auditor reads the ledger: a chain endpoint, or a file that somebody else saved from one. Neither is believed.

Every header has to hash to its block's hash and to name the block before it. Blocks whose bloom has room for one of our contracts bring all their
receipts, which have to have the header's root: nothing can be left out, added or changed. Blocks that the auditor's own records name have to be those
(``ledger_anchors``). What remains to be believed is the last block's hash.
"""

from __future__ import annotations

import gzip
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from computility.chain.deployments import Deployments, parse_deployments
from computility.chain.log_decoding import RawLog, raw_log
from computility.chain.patricia_trie import list_root
from computility.chain.receipt_trie import (
    Bloom,
    ProvenHeader,
    encode_receipt,
    parse_header,
    receipt_logs,
    require_block_hash,
)
from computility.domain.errors import ChainMisbehaved, InvalidMessage, InvalidProof, RpcRefused
from computility.domain.identifiers import Bytes32
from computility.services.block_ranges import BlockRanges
from computility.services.contract_directory import ContractDirectory
from computility.services.ledger_anchors import Anchor, Anchors, same_deployments

if TYPE_CHECKING:
    # A process that proves a file needs no client.
    from computility.chain.rpc import RpcClient

_MOST_BLOCKS: Final = 100
_METHOD_NOT_FOUND: Final = -32601
_BUFFER_BYTES: Final = 1024 * 1024
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


class LedgerSource(Protocol):
    """The chain from the first deployment on, block by block."""

    @property
    def deployments(self) -> Deployments:
        """What is deployed there."""

    @property
    def anchors(self) -> Anchors:
        """What the auditor brought to hold it against."""

    @property
    def last(self) -> int:
        """The last block that there is."""

    def contents(self, first: int, last: int) -> Iterator[BlockContent]:
        """Blocks ``first`` to ``last``, unproven."""


class Prover:
    """Proves blocks, and takes the logs of a deployment's contracts out of them."""

    def __init__(self, deployments: Deployments) -> None:
        self._wanted = {bytes.fromhex(address[2:]): address for address in ContractDirectory(deployments).addresses}
        self._blooms = tuple(map(Bloom, self._wanted))

    def may_concern(self, header: ProvenHeader) -> bool:
        """Whether the header's bloom leaves room for a log of ours."""
        return any(bloom.may_be_in(header.logs_bloom) for bloom in self._blooms)

    def block(self, content: BlockContent) -> SourcedBlock:
        """A block by itself: whether it follows another is for the caller to see.

        Raises:
            InvalidProof: the header's receipts root is not that of the receipts, or either is ill-formed.
        """
        header = parse_header(content.header)
        return SourcedBlock(header, tuple(self._logs(header, content)) if self.may_concern(header) else ())

    def _logs(self, header: ProvenHeader, content: BlockContent) -> Iterator[RawLog]:
        if list_root(content.receipts) != header.receipts_root:
            raise InvalidProof(f"the receipts of block {header.number} are not those that its header names")
        if len(content.transactions) != len(content.receipts):
            raise InvalidProof(f"block {header.number} has not as many transactions as receipts")
        wanted, number, block_hash = self._wanted, header.number, header.hash
        index = 0
        for transaction, encoded in zip(content.transactions, content.receipts, strict=True):
            for raw_address, topics, data in receipt_logs(encoded):
                address = wanted.get(raw_address)
                if address is not None:
                    yield raw_log(address, topics, data, number, block_hash, transaction, index)
                index += 1


def proven_blocks(source: LedgerSource, first: int, last: int) -> Iterator[SourcedBlock]:
    """Blocks ``first`` to ``last``, each proven to follow the one before.

    Raises:
        InvalidProof: the source says what does not hash to its own blocks, or to those that the auditor brought.
        ChainError: the endpoint fails.
    """
    prover, anchors = Prover(source.deployments), source.anchors
    parent: Bytes32 | None = None
    for number, content in enumerate(source.contents(first, last), first):
        block = prover.block(content)
        header = block.header
        if header.number != number or (parent is not None and header.parent_hash != parent):
            raise InvalidProof(f"block {header.number} does not follow block {number - 1}: reorganising, or a lie")
        anchors.hold(number, header.hash)
        parent = header.hash
        yield block


# ---------------------------------------------------------------- an endpoint


class RpcSource:
    """A chain endpoint, as of its newest block or of ``last``. The auditor brings ``deployments``, and the blocks that it trusts."""

    def __init__(
        self, rpc: RpcClient, deployments: Deployments, last: int | None = None, trusted: Iterable[Anchor] = ()
    ) -> None:
        self._rpc = rpc
        self.deployments = deployments
        self.trusted = tuple(trusted)
        self.anchors = Anchors(deployments, self.trusted)
        self.last = rpc.block_number() if last is None else last
        self._prover = Prover(deployments)
        self._whole_blocks = True
        self._ranges = BlockRanges(_MOST_BLOCKS)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process, which has a connection of its own."""
        return _reopened, (self._rpc.url, self._rpc.timeout_s, self.deployments, self.last, self.trusted)

    def contents(self, first: int, last: int) -> Iterator[BlockContent]:
        """Blocks ``first`` to ``last``, in ranges that the endpoint can give at once."""
        for contents in self._ranges.answers(first, last, self._contents):
            yield from contents

    def _contents(self, first: int, last: int) -> list[BlockContent]:
        blocks = self._rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in range(first, last + 1)])
        if not all(isinstance(block, dict) for block in blocks):
            raise ChainMisbehaved(f"{self._rpc.name} has no header for a block below its head; it may be reorganising")
        headers = [require_block_hash(block) for block in blocks]
        asked = [
            block
            for block, header in zip(blocks, headers, strict=True)
            if self._prover.may_concern(parse_header(header))
        ]
        receipts = dict(zip((block["hash"] for block in asked), self._receipts(asked), strict=True))
        contents = []
        for block, header in zip(blocks, headers, strict=True):
            found = receipts.get(block["hash"], ())
            transactions = tuple(block["transactions"]) if found else ()
            contents.append(BlockContent(header, tuple(map(encode_receipt, found)), transactions))
        return contents

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


def _reopened(
    url: str, timeout_s: float, deployments: Deployments, last: int, trusted: tuple[Anchor, ...]
) -> RpcSource:
    from computility.chain.rpc import RpcClient

    return RpcSource(RpcClient(url, timeout_s), deployments, last, trusted)


# ---------------------------------------------------------------- a file


def save_ledger(source: LedgerSource, path: Path) -> Iterator[SourcedBlock]:
    """Write all that a source has into a file (gzip, one JSON document a line), proving it on the way. Yields the blocks as they are written."""
    prover = Prover(source.deployments)
    first = source.deployments.generations[0].block
    with gzip.open(path, "wb", compresslevel=6) as file:
        head = {"version": FILE_VERSION, "last": source.last, "deployments": source.deployments.to_json()}
        file.write(orjson.dumps(head) + b"\n")
        for content in source.contents(first, source.last):
            block = prover.block(content)
            source.anchors.hold(block.header.number, block.header.hash)
            line = {
                "header": content.header.hex(),
                "receipts": [receipt.hex() for receipt in content.receipts],
                "transactions": content.transactions,
            }
            file.write(orjson.dumps(line) + b"\n")
            yield block


class FileSource:
    """A file that ``save_ledger`` wrote. ``own`` finds the auditor's own deployments of a chain: without it those in the file are believed.

    Raises:
        InvalidMessage: it is no such file.
        InvalidProof: it was saved with other deployments than the auditor's.
    """

    def __init__(
        self, path: Path, own: Callable[[int], Deployments] | None = None, trusted: Iterable[Anchor] = ()
    ) -> None:
        self._path = path
        head = next(self._lines(), None)
        if not isinstance(head, dict) or head.get("version") != FILE_VERSION or type(head.get("last")) is not int:
            raise InvalidMessage(
                f"{path} is no ledger file of version {FILE_VERSION}: `computility audit save` writes one"
            )
        self.deployments = parse_deployments(head.get("deployments"), str(path))
        self.last: int = head["last"]
        if own is not None:
            mine = own(self.deployments.chain_number)
            same_deployments(self.deployments, mine, str(path))
            later = [
                known for known in mine.generations[len(self.deployments.generations) :] if known.block <= self.last
            ]
            if later:
                raise InvalidProof(
                    f"{path} goes to block {self.last} and leaves out the contracts of block {later[0].block}, "
                    "which your deployments list: get it anew"
                )
        self.anchors = Anchors(self.deployments, trusted)

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
            # Without a buffer of its own, what is unpacked comes by 8 KiB, each through five functions.
            with gzip.open(self._path, "rb") as packed, io.BufferedReader(packed, _BUFFER_BYTES) as file:
                while line := file.readline(_MAX_LINE_BYTES):
                    yield orjson.loads(line)
        except (OSError, EOFError, ValueError) as error:
            raise InvalidMessage(f"{self._path} cannot be read as a ledger file: {error}") from error
