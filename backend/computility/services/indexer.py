"""Follows the chain by number and parent hash, and folds its events into the store: events, projections and cursor in one transaction.

A reorganisation is rolled back to the last block that both sides share. Killed anywhere, it goes on where the last transaction ended.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.chain.rpc import BlockHeader, RpcClient
from computility.domain.errors import ChainError, ChainMisbehaved, ChainReplaced, WrongChain
from computility.domain.identifiers import Bytes32
from computility.services.contract_directory import ContractDirectory
from computility.services.ledger_reader import LedgerReader, Stretch
from computility.services.projection import Projection
from computility.store import blocks
from computility.store.engine import Database

_log = logging.getLogger(__name__)

_BATCH_BLOCKS: Final = 200
_KEEP_BLOCKS: Final = 1_024
"""Latest blocks that are kept even without events, to find a fork point quickly."""
_FORK_SEARCH_BLOCKS: Final = 64
_LONGEST_PAUSE_S: Final = 10.0

JobsChanged = Callable[[Iterable[Bytes32]], None]


class Indexer:
    """The one writer of the projections of a chain."""

    def __init__(
        self,
        rpc: RpcClient,
        database: Database,
        deployments: Deployments,
        *,
        confirmation_depth: int = 0,
        poll_interval_s: float = 0.5,
        jobs_changed: JobsChanged = lambda _: None,
    ) -> None:
        self._database = database
        self._deployments = deployments
        self._chain_id = deployments.chain_id
        self._directory = ContractDirectory(deployments)
        self._reader = LedgerReader(rpc, self._directory)
        self._depth = confirmation_depth
        self._poll_interval_s = poll_interval_s
        self._jobs_changed = jobs_changed

    def run(self, stop: threading.Event) -> None:
        """Follow until ``stop`` is set. An endpoint that fails is asked again, less and less often.

        Raises:
            WrongChain: the endpoint serves another chain.
            ChainReplaced: the history that was folded is not the chain's any more.
        """
        failures = 0
        while not stop.is_set():
            try:
                if self.step() and not failures:
                    continue
                failures, pause = 0, self._poll_interval_s
            except (WrongChain, ChainReplaced):
                raise
            except (ChainError, OperationalError) as error:
                failures += 1
                pause = min(_LONGEST_PAUSE_S, self._poll_interval_s * 2 ** min(failures, 8))
                _log.warning("the indexer tries again in %.1f s: %s", pause, error)
            stop.wait(pause)

    def step(self) -> bool:
        """Go on by at most one batch of blocks, or roll back once. True when it did either.

        Raises:
            ChainReplaced: the chain shares no block with the store.
            ChainError: the endpoint fails, or is reorganising just now; nothing has changed then.
        """
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
        if cursor is None:
            return self._begin()
        head, at_cursor = self._reader.head_and_header(cursor.number)
        if at_cursor is None or at_cursor.hash != cursor.hash:
            self._roll_back(cursor.number)
            return True
        last = min(head - self._depth, cursor.number + _BATCH_BLOCKS)
        if last <= cursor.number:
            return False
        stretch = self._reader.stretch(cursor.number + 1, last)
        if stretch.headers[0].parent_hash != cursor.hash:
            self._roll_back(cursor.number)
            return True
        self._fold(stretch, cursor.hash)
        return True

    def _begin(self) -> bool:
        self._reader.rpc.require_chain(self._deployments.chain_number)
        first = self._deployments.generations[0]
        head, header = self._reader.head_and_header(first.block)
        if header is None or header.hash != first.block_hash:
            raise ChainReplaced(
                f"block {first.block} is not the one in which the contracts were deployed: this is another chain, or it was started anew. "
                "Deploy again, or point the node at the right chain"
            )
        if head - self._depth < first.block:
            return False
        self._fold(self._reader.stretch(first.block, first.block), None)
        return True

    def _fold(self, stretch: Stretch, expected: str | None) -> None:
        timestamps = {header.number: header.timestamp for header in stretch.headers}
        with self._database.unit_of_work() as session:
            self._demand_cursor(session, expected)
            blocks.add_blocks(session, self._chain_id, list(stretch.headers))
            projection = Projection(session, self._chain_id, self._directory)
            for log in stretch.logs:
                projection.fold(log, timestamps[log.block_number])
            blocks.move_cursor(session, self._chain_id, stretch.last.number, stretch.last.hash)
            self._forget_empty_blocks(session, stretch)
        self._jobs_changed(projection.touched_jobs)

    def _roll_back(self, from_number: int) -> None:
        fork = self._fork_point(from_number)
        with self._database.unit_of_work() as session:
            projection = Projection(session, self._chain_id, self._directory)
            projection.unfold_above(fork.number)
            blocks.remove_blocks_above(session, self._chain_id, fork.number)
            blocks.move_cursor(session, self._chain_id, fork.number, fork.hash)
        _log.warning("the chain reorganised: rolled back from block %d to block %d", from_number, fork.number)
        self._jobs_changed(projection.touched_jobs)

    def _fork_point(self, number: int) -> BlockHeader:
        while True:
            with self._database.unit_of_work() as session:
                stored = blocks.blocks_down_from(session, self._chain_id, number, _FORK_SEARCH_BLOCKS)
            if not stored:
                raise ChainReplaced(
                    "the chain shares no block with this node's store: it was started anew, or is another one. "
                    "Give the node an empty database (DATABASE_URL), or the right RPC URL"
                )
            rpc = self._reader.rpc
            answers = rpc.batch([("eth_getBlockByNumber", (hex(row.number), False)) for row in stored])
            for row, answer in zip(stored, answers, strict=True):
                header = rpc.parse_header(answer, row.number)
                if header is not None and header.hash == row.hash:
                    return header
            number = stored[-1].number - 1

    def _demand_cursor(self, session: Session, expected: str | None) -> None:
        cursor = blocks.cursor_of(session, self._chain_id)
        if (cursor.hash if cursor else None) != expected:
            raise ChainMisbehaved("another process moved the store's cursor: let one node write to a database")

    def _forget_empty_blocks(self, session: Session, stretch: Stretch) -> None:
        if (stretch.headers[0].number - 1) // _BATCH_BLOCKS != stretch.last.number // _BATCH_BLOCKS:
            blocks.remove_empty_blocks_below(session, self._chain_id, stretch.last.number - _KEEP_BLOCKS)
