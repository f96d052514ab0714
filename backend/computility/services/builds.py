"""Builds of a chain's projections: the live one, and how another is made from the stored logs, without the chain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from sqlmodel import Session

from computility.domain.errors import StoreError, StoreMoved
from computility.domain.identifiers import Bytes32, ChainId
from computility.domain.packed_logs import unpacked_logs
from computility.services.incoming import IncomingBlock
from computility.services.log_kinds import LogKind, kinds_at
from computility.services.projection import PROJECTION_VERSION, Projection
from computility.store import blocks, ledgers, raw_logs, undo
from computility.store.bulk_write import BulkWriter
from computility.store.engine import Database
from computility.store.ledgers import BUILDING, LIVE
from computility.store.projections import EVERY

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 5_000
"""Logs of one transaction."""


class Builds:
    """The builds of one chain."""

    def __init__(self, database: Database, chain_id: ChainId) -> None:
        self._database = database
        self._chain_id = chain_id

    def live(self, session: Session) -> int:
        """The id of the live build; begins one where there is none."""
        live = ledgers.ledger_in_state(session, self._chain_id, LIVE)
        if live is None:
            live = ledgers.add_ledger(session, self._chain_id, PROJECTION_VERSION, LIVE)
        assert live.id is not None
        return live.id

    def up_to_date(self) -> bool:
        """Whether the live build is of this version's folds."""
        with self._database.unit_of_work() as session:
            live = ledgers.ledger_in_state(session, self._chain_id, LIVE)
            return live is None or live.version == PROJECTION_VERSION

    def rebuild(self) -> None:
        """Fold every stored log into a build beside the live one, and then put it in its place.

        Raises:
            StoreMoved: another process moved the cursor meanwhile.
        """
        with self._database.bulk_work() as (session, _):
            # One that was killed half-way begins again.
            self._forget(session, BUILDING)
            building = ledgers.add_ledger(session, self._chain_id, PROJECTION_VERSION, BUILDING)
            cursor = blocks.cursor_of(session, self._chain_id)
            assert building.id is not None
            ledger, number, final = building.id, cursor.number if cursor else -1, cursor.final if cursor else -1
            block_hash = cursor.hash if cursor else None
        _log.info("rebuilding the projections from the stored logs")
        projection = Projection(self._chain_id)
        # A page a transaction: one over all of them would keep the database from clearing away what is dead meanwhile.
        for found, kinds in stored_blocks(self._database.unit_of_work, self._chain_id, number, _AT_ONCE):
            with self._database.bulk_work() as (session, writer):
                projection.fold(writer, ledger, found, kinds, keep_from=final + 1, keep_logs=False)
        with self._database.bulk_work() as (session, writer):
            cursor = blocks.cursor_of(session, self._chain_id, lock=True)
            if cursor is not None:
                # The same block by its hash: then every page was of the chain below it.
                if (cursor.number, cursor.hash) != (number, block_hash):
                    raise StoreMoved("another process moved the store's cursor: let one node write to a database")
                cursor.undo_floor = max(cursor.undo_floor, final)
                ledgers.move_ledger(session, ledger, cursor.number, Bytes32(cursor.hash))
            self._forget(session, LIVE)
            ledgers.set_state(session, ledger, LIVE)
            raw_logs.forget_lists_of_jobs(session, self._chain_id)
            session.flush()
            writer.insert(raw_logs.OF_JOBS, sorted(projection.without_rows))

    def build_anew(self, session: Session, writer: BulkWriter, projection: Projection, up_to: int) -> None:
        """As ``rebuild``, inside the caller's transaction: for a fork below every image of before."""
        self._forget(session, LIVE)
        ledger = self.live(session)
        for found, kinds in stored_blocks(lambda: nullcontext(session), self._chain_id, up_to, _AT_ONCE):
            projection.fold(writer, ledger, found, kinds, keep_from=up_to + 1, keep_logs=False)
        # They are stored, as the logs are.
        projection.without_rows.clear()

    def forget(self, session: Session) -> None:
        """Remove every build, whatever its state."""
        for state in (LIVE, BUILDING):
            self._forget(session, state)

    def _forget(self, session: Session, state: str) -> None:
        while (row := ledgers.ledger_in_state(session, self._chain_id, state)) is not None:
            assert row.id is not None
            for table in EVERY:
                table.forget(session, row.id)
            undo.remove_images_above(session, row.id, -1)
            ledgers.forget_ledger(session, row.id)
            session.expunge(row)


def stored_blocks(
    reading: Callable[[], AbstractContextManager[Session]], chain_id: ChainId, up_to: int, at_once: int
) -> Iterator[tuple[list[IncomingBlock], list[LogKind]]]:
    """The blocks up to ``up_to`` that hold logs, in order, with the kinds of their logs; about ``at_once`` logs at a time.

    Each page is read in a ``reading`` of its own, which is over before the page is handed out.

    Raises:
        StoreError: a stored log is of no known event.
    """
    kinds: list[LogKind] = []
    numbers: dict[tuple[bytes, bytes], int] = {}
    with reading() as session:
        emitters = raw_logs.emitters_of(session, chain_id)
    for raw, emitter in emitters.items():
        for topic, kind in kinds_at(emitter.address, emitter.generation, emitter.contract).items():
            numbers[raw, topic] = len(kinds)
            kinds.append(kind)
    after = -1
    while True:
        with reading() as session:
            rows = raw_logs.blocks_from(session, chain_id, after, up_to, at_once)
        if not rows:
            return
        after = rows[-1].block_number
        found: list[IncomingBlock] = []
        for row in rows:
            try:
                of = [numbers[address, topics[:32]] for _, _, address, topics, _ in unpacked_logs(row.logs)]
            except KeyError as error:
                raise StoreError(
                    f"a log of block {row.block_hash} is of no known event: index from an empty database"
                ) from error
            block_hash = bytes.fromhex(row.block_hash[2:])
            found.append(IncomingBlock(row.block_number, block_hash, b"", row.timestamp, packed=row.logs, kinds=of))
        yield found, kinds
