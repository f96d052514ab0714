"""The projections from the stored logs, without the chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlmodel import Session

from computility.chain.log_decoding import decode_log
from computility.domain.errors import StoreError
from computility.domain.identifiers import Address, ChainId
from computility.services.incoming import IncomingBlock, IncomingLog
from computility.store import raw_logs
from computility.store.raw_logs import RawLogRow


def stored_logs(session: Session, chain_id: ChainId, up_to: int, at_once: int) -> Iterator[list[IncomingLog]]:
    """The logs of blocks up to ``up_to``, in the order of the ledger, ``at_once`` at a time."""
    after = (-1, -1)
    while rows := raw_logs.logs_from(session, chain_id, after, up_to, at_once):
        yield incoming_logs(rows)
        after = rows[-1].block_number, rows[-1].log_index
        session.expunge_all()


def incoming_logs(rows: Sequence[RawLogRow]) -> list[IncomingLog]:
    """Stored logs as they once came in."""
    logs: list[IncomingLog] = []
    block = IncomingBlock(-1, b"", b"", 0)
    for row in rows:
        if row.block_number != block.number:
            block = IncomingBlock(row.block_number, _bytes(row.block_hash), b"", row.timestamp)
        topics = tuple(row.topics[at : at + 32] for at in range(0, len(row.topics), 32))
        event = decode_log(row.contract, topics, row.data)
        if event is None:
            raise StoreError(
                f"log {row.log_index} of block {row.block_hash} is of no known event: index from an empty database"
            )
        logs.append(
            IncomingLog(
                block, row.log_index, _bytes(row.tx_hash), Address(row.address), _bytes(row.address),
                row.generation, row.contract, row.topics, row.data, event,
            )
        )  # fmt: skip
    return logs


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
