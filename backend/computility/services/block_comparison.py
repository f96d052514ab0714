"""Whether the blocks that a store rests on, and the contracts that it takes logs to be of, are the chain's.

Pages show a block's time, and rows are called final by its number: a store whose logs are right may still say wrongly where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from computility.chain.deployments import Deployments
from computility.chain.receipt_trie import ProvenHeader
from computility.domain.errors import ChainMisbehaved
from computility.domain.identifiers import Address, Bytes32
from computility.domain.logs_digest import digest_of_bytes
from computility.services.contract_directory import ContractDirectory
from computility.services.packed_blocks import PackedBlock
from computility.services.row_comparison import MOST_DIFFERENCES, Difference
from computility.store.blocks import BlockAtRest
from computility.store.stored_log import Emitter

_FIELDS: Final = ("hash", "parent_hash", "timestamp", "logs_digest")
_AS_BYTES: Final = msgspec.msgpack.Encoder().encode


class BlockComparison:
    """Of each stored block no more is kept than a hash; the first few that differ are read again.

    A store need not have a block without logs of ours: it forgets the old ones.
    """

    def __init__(self, rows: Iterable[BlockAtRest], first: int) -> None:
        """``first`` is the first block of the ledger: nobody looks at one below it."""
        self._left = {row[0]: hash(_AS_BYTES(row)) for row in rows if row[0] >= first}
        self._true: dict[int, BlockAtRest] = {}
        self.last_timestamp = 0
        """Of the last block that was added, in UTC seconds."""

    def add(self, block: PackedBlock) -> None:
        """The next block of the chain."""
        header = block.header
        self.last_timestamp = header.timestamp
        kept = self._left.pop(header.number, None)
        if kept is None and not block.logs:
            return
        row = _at_rest(header, block.logs)
        if kept != hash(_AS_BYTES(row)) and len(self._true) < MOST_DIFFERENCES:
            self._true[header.number] = row

    def differences(self, read: Callable[[Sequence[int]], Iterable[BlockAtRest]]) -> Iterator[Difference]:
        """After all blocks were added: those that are left are beyond the cursor. ``read`` gives the store's rows of some numbers."""
        wanted = sorted({*self._true, *sorted(self._left)[:MOST_DIFFERENCES]})
        stored = {row[0]: row for row in read(wanted)} if wanted else {}
        for number in wanted:
            mine, right = stored.get(number), self._true.get(number)
            if mine is None or right is None:
                yield Difference("blocks", str(number), "row", _shown(mine), _shown(right))
                continue
            for name, kept, true in zip(_FIELDS, mine[1:], right[1:], strict=True):
                if kept != true:
                    yield Difference("blocks", str(number), name, _text(kept), _text(true))


def compare_emitters(
    stored: Iterable[Emitter], deployments: Deployments, spoke: Collection[Address]
) -> Iterator[Difference]:
    """Which contract an address is taken for decides what its logs say. Those that ``spoke`` have to be there."""
    directory, named = ContractDirectory(deployments), set[Address]()
    for emitter in stored:
        named.add(emitter.address)
        mine = f"{emitter.contract} of generation {emitter.generation}"
        true = _contract_at(directory, emitter.address)
        if mine != true:
            yield Difference("emitters", emitter.address, "contract" if true else "row", mine, true)
    for address in sorted({*spoke} - named):
        yield Difference("emitters", address, "row", None, _contract_at(directory, address))


def _contract_at(directory: ContractDirectory, address: Address) -> str | None:
    try:
        generation, contract = directory.owner_of(address)
    except ChainMisbehaved:
        return None
    return f"{contract} of generation {generation}"


def _at_rest(header: ProvenHeader, logs: bytes) -> BlockAtRest:
    return (
        header.number,
        _raw(header.hash),
        _raw(header.parent_hash),
        header.timestamp,
        # What follows the format's byte is what a digest binds (``domain.packed_logs``).
        digest_of_bytes(memoryview(logs)[1:]) if logs else None,
    )


def _raw(text: Bytes32) -> bytes:
    return bytes.fromhex(text[2:])


def _shown(row: BlockAtRest | None) -> Any:
    return None if row is None else dict(zip(_FIELDS, map(_text, row[1:]), strict=True))


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, int) else value
