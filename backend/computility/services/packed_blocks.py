"""A proven block with its logs as one string of bytes: how it crosses between the processes of an audit, and is folded there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from computility.chain.event_decoders import ADDRESSES
from computility.chain.log_decoding import RawLog, raw_log
from computility.chain.receipt_trie import ProvenHeader
from computility.domain.errors import InvalidProof
from computility.domain.identifiers import Bytes32
from computility.domain.logs_digest import DigestedLog, digested
from computility.domain.packed_logs import packed_logs, unpacked_logs
from computility.services.ledger_source import SourcedBlock

_WORD: Final = 32


@dataclass(frozen=True, slots=True)
class PackedBlock:
    """``logs`` are those of our contracts as ``domain.packed_logs`` has them; empty where there are none."""

    header: ProvenHeader
    logs: bytes


def pack_block(block: SourcedBlock) -> PackedBlock:
    """A block with its logs packed.

    Raises:
        InvalidProof: what the source calls a transaction's hash is none.
    """
    return PackedBlock(block.header, packed_logs(map(_digested, block.logs)) if block.logs else b"")


def unpack_block(block: PackedBlock) -> SourcedBlock:
    """Back from what ``pack_block`` makes."""
    number, block_hash = block.header.number, block.header.hash
    if not block.logs:
        return SourcedBlock(block.header, ())
    return SourcedBlock(
        block.header,
        tuple(
            [
                raw_log(
                    ADDRESSES[address],
                    tuple([topics[at : at + _WORD] for at in range(0, len(topics), _WORD)]),
                    data,
                    number,
                    block_hash,
                    Bytes32("0x" + tx_hash.hex()),
                    index,
                )
                for index, tx_hash, address, topics, data in unpacked_logs(block.logs)
            ]
        ),
    )


def _digested(log: RawLog) -> DigestedLog:
    text = log.tx_hash
    try:
        tx_hash = bytes.fromhex(text[2:])
    except (TypeError, ValueError):
        tx_hash = b""
    if len(tx_hash) != _WORD:
        raise InvalidProof(f"block {log.block_number} has a transaction whose hash is none: {text!r:.80}")
    return digested(log.log_index, tx_hash, bytes.fromhex(log.address[2:]), b"".join(log.topics), log.data)
