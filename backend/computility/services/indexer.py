"""Follows the chain by number and parent hash, and folds its events into the store: events, projections and cursor in one transaction.

Back-fill and tip are one: the next range of blocks, as large as the endpoint gives it, is fetched while the one before is written. A reorganisation
is rolled back to the last block that both sides share. Killed anywhere, it goes on where the last transaction ended.

Long on purpose: everything that moves the cursor, on or back, stands in one place.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Final

from sqlmodel import Session

from computility.chain.deployments import Deployments
from computility.chain.head_watch import HeadWatch
from computility.chain.rpc import RpcClient
from computility.domain.errors import (
    ChainMisbehaved,
    ChainReplaced,
    EndpointsDisagree,
    RowsExist,
    StoreError,
    StoreMoved,
    WrongChain,
)
from computility.domain.identifiers import Bytes32
from computility.services.backfill_progress import BackfillProgress
from computility.services.builds import Builds
from computility.services.concerned_accounts import concerned_accounts
from computility.services.fetch_ahead import FetchAhead, Follower, Position, Reorganised
from computility.services.fetch_process import FetchPlan, FetchProcess
from computility.services.gathering import Gathering
from computility.services.incoming import Head, Incoming, IncomingBlock
from computility.services.indexer_metrics import IndexerMetrics
from computility.services.projection import Projection
from computility.services.sealing import Seal, Sealing, SealingThread
from computility.services.tip_agreement import TipAgreement, TipAgreementThread
from computility.services.told import Told
from computility.services.uncollected import uncollected
from computility.services.write_behind import WriteBehind
from computility.settings import DEVELOPMENT_CHAINS
from computility.store import blocks, jobs, ledgers, raw_logs, undo
from computility.store.blocks import BlockRow, CursorRow
from computility.store.bulk_write import BulkWriter
from computility.store.compact_types import chain_number
from computility.store.engine import Database
from computility.store.writer_lock import writer_lock

_log = logging.getLogger(__name__)

FORK_SEARCH_BLOCKS: Final = 64
_LONGEST_PAUSE_S: Final = 10.0
_IDLE_S: Final = 0.5
_WRITING_S: Final = 0.02
"""How long to wait for a range before looking whether the one before it has been written."""
_PROCESS_FROM_BLOCKS: Final = 256
"""A node that is so far behind has its blocks fetched by a process of its own."""

JobsChanged = Callable[[Iterable[Bytes32]], None]


class Indexer:
    """The one writer of the projections of a chain."""

    def __init__(
        self,
        rpc: RpcClient,
        database: Database,
        deployments: Deployments,
        *,
        more_endpoints: Sequence[str] = (),
        websocket_url: str | None = None,
        timeout_s: float = 10.0,
        confirmation_depth: int = 0,
        safe_depth: int = 2,
        finality_depth: int = 5,
        poll_interval_s: float = 0.5,
        keep_blocks: int = 1_024,
        most_blocks: int = 2_000,
        fork_search_blocks: int = FORK_SEARCH_BLOCKS,
        jobs_changed: JobsChanged = lambda _: None,
        metrics: IndexerMetrics | None = None,
        progress: BackfillProgress | None = None,
    ) -> None:
        self._database = database
        self._deployments = deployments
        self._chain_id = deployments.chain_id
        self.metrics = metrics or IndexerMetrics()
        self._development = deployments.chain_number in DEVELOPMENT_CHAINS
        self._plan = FetchPlan(
            (rpc.url, *more_endpoints),
            timeout_s,
            deployments,
            safe_depth=safe_depth,
            finality_depth=finality_depth,
            final_by_depth=self._development,
            most_blocks=most_blocks,
            confirmation_depth=confirmation_depth,
        )
        self.source = self._plan.source(self.metrics.endpoint_failed)
        self._tip_agreement = TipAgreement(self.source.pool, self.metrics.endpoint_differs)
        self._depth = confirmation_depth
        self._poll_interval_s = poll_interval_s
        self._websocket_url = websocket_url
        self._keep_blocks = keep_blocks
        self._fork_search_blocks = fork_search_blocks
        self._jobs_changed = jobs_changed
        self._progress = progress or BackfillProgress()
        self._projection = Projection(self._chain_id)
        self._builds = Builds(database, self._chain_id)
        self._emitters_kept = self._emitters_compared = False
        self._roll_backs = 0
        self._doubted: int | None = None
        """The last block of a range that could not be folded, while nothing was done about it."""
        self._proven_above: int | None = None
        """Above this block everything up to ``source.prove_up_to`` was read by its receipts."""
        self._failures = 0
        self._told = Told(_log)
        self._sealing = self._new_sealing()

    # ---------------------------------------------------------------- running

    def run(self, stop: threading.Event) -> None:
        """Follow until ``stop`` is set. Whatever fails is tried again, less and less often.

        Raises:
            WrongChain: the endpoint serves another chain.
            ChainReplaced: the history that was folded is not the chain's any more.
        """
        with HeadWatch(self._websocket_url, self._poll_interval_s) as watch:
            while not stop.is_set():
                try:
                    with writer_lock(self._database, self._chain_id, stop) as held:
                        # Over all that follows one another: a process that fetches, a thread that goes on, a roll-back.
                        while held and not stop.is_set():
                            self._follow(stop, watch)
                        continue
                except (WrongChain, ChainReplaced):
                    raise
                except Exception as error:  # noqa: BLE001  # a node whose indexer has ended serves an ever older ledger
                    self._projection.discard()
                    self._failures += 1
                    pause = min(_LONGEST_PAUSE_S, self._poll_interval_s * 2 ** min(self._failures, 8))
                    _log.warning("the indexer tries again in %.1f s: %s", pause, self._told.of(error))
                stop.wait(pause)

    def step(self) -> bool:
        """Go on by at most one range of blocks, or roll back once. True when it did either.

        Raises:
            ChainReplaced: the chain shares no block with the store.
            ChainError: the endpoint fails, or is reorganising just now; nothing has changed then.
        """
        position = self._position()
        if position is None:
            return self._begin()
        self._bring_up_to_date()
        position = self._below_unread(position)
        if self._less_doubt(position):
            return True
        found = Follower(self.source, position, self._depth).next()
        if found is None:
            return False
        self._take(found, position)
        return True

    def seal(self) -> bool:
        """Hold the next blocks that the chain calls final against their receipts roots, and put right what was wrong. True when it did either.

        Raises:
            ChainError: no endpoint gives headers and receipts that hash to what they should: nothing becomes final meanwhile.
        """
        found = self._sealing.next()
        if found is not None:
            self._keep_seal(found)
        return found is not None

    def _follow(self, stop: threading.Event, watch: HeadWatch) -> None:
        position = self._position()
        if position is None:
            if not self._begin():
                watch.wait(stop)
            self._failures = 0
            return
        self._bring_up_to_date()
        position = self._below_unread(position)
        if self._less_doubt(position):
            return
        fetching = self._fetching(position, watch)
        # Before the thread proves anything: beside the first ranges of a back-fill it would only start another process.
        proofs = self._new_sealing()
        proofs.yields = isinstance(fetching, FetchProcess)
        # One of its own for each thread: the one before may still wait for an answer.
        comparing = TipAgreementThread(self._tip_agreement)
        writing = WriteBehind(short_turns=self._database.writes_elsewhere)
        with SealingThread(proofs) as sealing, comparing as tips, fetching as ahead, writing as behind:
            ranges = Gathering(ahead)
            while not stop.is_set():
                found = ranges.next(_WRITING_S if behind.busy else _IDLE_S)
                if found is not None:
                    position = self._take(found, position, behind if isinstance(ahead, FetchProcess) else None)
                    self._failures = 0
                    if isinstance(found, Reorganised):
                        break
                    sealing.wake(behind=found.head.number - position.number)
                    if position.number >= found.head.number:
                        tips.note(position.number, position.hash)
                elif behind.busy:
                    if behind.done:
                        behind.settle()
                elif isinstance(ahead, FetchProcess) and ahead.ended:
                    # At the head, or nearly: the next blocks are fetched by a thread.
                    break
                seal = sealing.take()
                if seal is not None:
                    behind.settle()
                    if not self._keep_seal(seal):
                        break

    def _new_sealing(self) -> Sealing:
        return Sealing(
            self.source.pool,
            self._database,
            self._chain_id,
            self.source.addresses,
            self._plan.timeout_s,
            lambda: self._roll_backs,
        )

    def _fetching(self, position: Position, watch: HeadWatch) -> FetchAhead | FetchProcess:
        head, _ = self.source.head()
        if head.number - position.number >= _PROCESS_FROM_BLOCKS:
            plan = dataclasses.replace(self._plan, urls=self.source.pool.urls)
            return FetchProcess(plan, self.source, position, self.metrics.endpoint_failed_with)
        return FetchAhead(Follower(self.source, position, self._depth), watch.wait)

    def _take(self, found: Incoming | Reorganised, position: Position, behind: WriteBehind | None = None) -> Position:
        """Fold what was found, or roll back. With ``behind`` what is final may be written after this returns."""
        if behind is not None and not (isinstance(found, Incoming) and found.last.number <= found.head.final):
            behind.settle()
            behind = None
        if isinstance(found, Reorganised):
            return self._roll_back(found.number)
        started = time.monotonic()
        try:
            with uncollected():
                if behind is not None:
                    self._commit_behind(found, position, behind, started)
                else:
                    self._landed(found, self._commit(found, position), started)
        except BaseException:
            self._projection.discard()
            raise
        return Position(found.last.number, found.last.hash)

    def _landed(self, found: Incoming, touched: Iterable[bytes], started: float) -> None:
        self._emitters_kept = True
        self._note(found, time.monotonic() - started)
        # Made into words as they are asked for: while a back-fill goes on nobody asks.
        self._jobs_changed(Bytes32("0x" + job.hex()) for job in touched)

    def _note(self, incoming: Incoming, took_s: float) -> None:
        metrics, last = self.metrics, incoming.last.number
        metrics.head.set(incoming.head.number)
        metrics.block.set(last)
        metrics.lag.set(max(0, incoming.head.number - last))
        metrics.committed.set_to_current_time()
        metrics.events.inc(incoming.events)
        metrics.commits.observe(took_s)
        metrics.rate.set(incoming.events / max(took_s, 1e-6))
        self._progress.advance(self._deployments.generations[0].block, last, incoming.head.number, incoming.events)

    # ---------------------------------------------------------------- folding

    def _position(self) -> Position | None:
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
            return Position(cursor.number, bytes.fromhex(cursor.hash[2:])) if cursor else None

    def _begin(self) -> bool:
        # The ledger may have been forgotten since (``forget_ledger``), with the emitters.
        self._projection.discard()
        self._emitters_kept = False
        first = self._deployments.generations[0]
        head, header = self.source.head(first.block)
        if header is None or header.hash != first.block_hash:
            self._require_gone(first.block, first.block_hash)
            raise ChainReplaced(
                f"block {first.block} is not the one in which the contracts were deployed: this is another chain, or it was started anew. "
                "Deploy again, or point the node at the right chain"
            )
        if head.number - self._depth < first.block:
            return False
        only_first = Head(first.block, head.safe, head.final)
        self._take(self.source.incoming(first.block, only_first), Position(first.block - 1, b""))
        return True

    def _commit(self, incoming: Incoming, position: Position) -> set[bytes]:
        with self._database.bulk_work() as (session, writer):
            cursor = self._demand_cursor(session, position)
            ledger = self._builds.live(session)
            writer.make_room(raw_logs.PARTITIONED, incoming.first.number, incoming.last.number)
            touched = self._fold(writer, ledger, incoming)
            self._move_cursor(session, writer, cursor, ledger, incoming)
        return touched

    def _commit_behind(self, incoming: Incoming, position: Position, behind: WriteBehind, started: float) -> None:
        """Fold now, and write while the next is folded: all of it in a thread where a server writes, and where this process does the commit alone.

        What the chunk before has changed is at hand still, so that it does not matter whether it is in the store yet.
        """
        with self._database.unit_of_work() as session:
            ledger = self._builds.live(session)
        with self._database.late_work() as late:
            touched = self._fold(late, ledger, incoming)

        def written(stack: ExitStack) -> None:
            session, writer = stack.enter_context(self._database.bulk_work())
            cursor = self._demand_cursor(session, position)
            if self._builds.live(session) != ledger:
                raise StoreMoved("another process rebuilt the projections: let one node write to a database")
            writer.make_room(raw_logs.PARTITIONED, incoming.first.number, incoming.last.number)
            try:
                late.write(writer)
            except RowsExist as error:
                self._doubted = incoming.last.number
                raise ChainMisbehaved(f"something began twice, or what came before it is missing: {error}") from error
            self._move_cursor(session, writer, cursor, ledger, incoming)

        def write() -> None:
            with ExitStack() as stack:
                written(stack)

        behind.settle()
        if not self._database.writes_elsewhere:
            with ExitStack() as stack:
                written(stack)
                write = stack.pop_all().close
        behind.hand_over(write, lambda: self._landed(incoming, touched, started))

    def _fold(self, writer: BulkWriter, ledger: int, incoming: Incoming) -> set[bytes]:
        keep_from = incoming.head.final + 1
        try:
            return self._projection.fold(
                writer, ledger, incoming.blocks, self.source.kinds, keep_from=keep_from, keep_logs=True
            )
        except (ChainMisbehaved, ValueError, ArithmeticError):
            # An event follows from nothing, or says what no contract can: these logs are not the chain's, or some before them were not.
            self._doubted = incoming.last.number
            raise

    def _move_cursor(
        self, session: Session, writer: BulkWriter, cursor: CursorRow | None, ledger: int, incoming: Incoming
    ) -> None:
        head, first, last = incoming.head, incoming.first, incoming.last
        if not self._emitters_kept:
            raw_logs.keep_emitters(session, self._chain_id, self.source.emitters)
        self._keep_blocks_of(session, writer, incoming)
        floor = min(head.final, last.number)
        if cursor is None:
            session.add(
                CursorRow(
                    chain_id=self._chain_id, number=last.number, hash="0x" + last.hash.hex(),
                    safe=head.safe, final=head.final, sealed=first.number - 1, undo_floor=floor,
                )
            )  # fmt: skip
        else:
            cursor.number, cursor.hash = last.number, "0x" + last.hash.hex()
            # What was called safe or final stays so.
            cursor.safe, cursor.final = max(cursor.safe, head.safe), max(cursor.final, head.final)
            if floor > cursor.undo_floor:
                cursor.undo_floor = floor
                undo.remove_images_up_to(session, ledger, floor)
        ledgers.move_ledger(session, ledger, last.number, Bytes32("0x" + last.hash.hex()))

    def _keep_blocks_of(self, session: Session, writer: BulkWriter, incoming: Incoming) -> None:
        lowest, last = self._deployments.generations[0].block, incoming.last.number
        recent = incoming.head.number - self._keep_blocks
        kept = [
            block for block in incoming.blocks
            if block.digest is not None or block.number > recent or block.number in (lowest, last)
        ]  # fmt: skip
        number = chain_number(self._chain_id)
        writer.insert(_BLOCKS, [_block_row(number, block) for block in kept])
        oldest = max(lowest + 1, incoming.first.number - self._keep_blocks - 1)
        if oldest <= last - self._keep_blocks:
            blocks.remove_empty_blocks_between(session, self._chain_id, oldest, last - self._keep_blocks)

    def _demand_cursor(self, session: Session, position: Position) -> CursorRow | None:
        cursor = blocks.cursor_of(session, self._chain_id, lock=True)
        if (cursor.hash if cursor else "0x") != "0x" + position.hash.hex():
            raise StoreMoved("another process moved the store's cursor: let one node write to a database")
        return cursor

    # ---------------------------------------------------------------- reorganisations

    def _roll_back(self, from_number: int) -> Position:
        fork = self._fork_point(from_number)
        self._require_above_final(fork)
        with self._database.bulk_work() as (session, writer):
            touched = self._roll_back_to(session, writer, fork)
        self.metrics.reorganisations.inc()
        self.metrics.depth.observe(from_number - fork.number)
        _log.warning("the chain reorganised: rolled back from block %d to block %d", from_number, fork.number)
        self._jobs_changed(touched)
        return Position(fork.number, bytes.fromhex(fork.hash[2:]))

    def _require_above_final(self, fork: BlockRow) -> None:
        if self._development:
            return
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
            if cursor is None or fork.number >= cursor.final:
                return
            final = blocks.blocks_down_from(session, self._chain_id, cursor.final, 1)[0]
        if final.number > fork.number:
            self._require_gone(final.number, final.hash)
        raise ChainReplaced(
            f"the chain orphaned block {fork.number + 1}, which it had called final: nothing is changed here. Compare several endpoints, and "
            "if the chain really did so, give the node an empty database (DATABASE_URL)"
        )

    def _require_gone(self, number: int, block_hash: str) -> None:
        """Give up for no endpoint that is alone in not having a block on which this node's store rests.

        Raises:
            EndpointsDisagree: another has it, or the same one has it now.
        """
        if self.source.pool.somebody_has(number, block_hash):
            raise EndpointsDisagree(
                f"an endpoint has another block {number} than {block_hash}, which is final and still there: nothing is changed here. "
                "Find out which one is wrong, and remove it"
            )

    def _below_unread(self, position: Position) -> Position:
        """Take back the blocks that were folded before contracts of theirs were known: what those emitted was not asked for."""
        if self._emitters_compared:
            return position
        number, followed = position.number, self.source.emitters
        with self._database.bulk_work() as (session, writer):
            known = raw_logs.emitters_of(session, self._chain_id)
            # Contracts are followed by generation; of a store that was migrated, those alone are known whose logs it had.
            read = {emitter.generation for emitter in known.values()}
            unread = {each.generation for each in followed} - read if read else set()
            begun = [
                each.block for each in self._deployments.generations if each.number in unread and each.block <= number
            ]
            touched = set[Bytes32]()
            if begun:
                below = blocks.blocks_down_from(session, self._chain_id, min(begun) - 1, 1)
                if not below:
                    raise StoreError(
                        f"the deployments name contracts from block {min(begun)} on, before the first block of this database: "
                        "`computility node forget-ledger` lets it read everything from there, and keeps what people signed. Nothing was changed here"
                    )
                touched = self._roll_back_to(session, writer, below[0])
                position = Position(below[0].number, bytes.fromhex(below[0].hash[2:]))
        self._emitters_compared = True
        if begun:
            _log.warning(
                "new contracts since block %d: rolled back below it from block %d, to read their events",
                min(begun),
                number,
            )
            self._jobs_changed(touched)
        return position

    def _roll_back_to(self, session: Session, writer: BulkWriter, fork: BlockRow) -> set[Bytes32]:
        cursor = blocks.cursor_of(session, self._chain_id, lock=True)
        if cursor is None or cursor.number < fork.number:
            raise StoreMoved("another process moved the store's cursor: let one node write to a database")
        self._roll_backs += 1
        orphaned = raw_logs.logs_above(session, self._chain_id, fork.number)
        events = [log.event() for log in orphaned]
        known = jobs.jobs_among(session, self._chain_id, {event.job_id for event in events if event.job_id})
        terms = {job: row.record().terms for job, row in known.items()}
        concerned = {
            account
            for event in events
            for account in concerned_accounts(event, terms.get(event.job_id) if event.job_id else None)
        }
        raw_logs.remove_logs_above(session, self._chain_id, fork.number, orphaned, concerned)
        blocks.remove_blocks_above(session, self._chain_id, fork.number)
        session.flush()
        ledger = self._builds.live(session)
        if fork.number >= cursor.undo_floor:
            self._projection.restore(session, writer, ledger, fork.number)
        else:
            self._projection.discard()
            self._builds.build_anew(session, writer, self._projection, fork.number)
            self.metrics.rebuilds.inc()
            ledger = self._builds.live(session)
            cursor.undo_floor = fork.number
        cursor.number, cursor.hash = fork.number, fork.hash
        cursor.final, cursor.safe = min(cursor.final, fork.number), min(cursor.safe, fork.number)
        cursor.sealed = min(cursor.sealed, fork.number)
        ledgers.move_ledger(session, ledger, fork.number, Bytes32(fork.hash))
        return {log.job for log in orphaned if log.job is not None}

    def _keep_seal(self, seal: Seal) -> bool:
        """Write what was proven. False when the store had to be rolled back."""
        if seal.epoch != self._roll_backs:
            return True
        with self._database.bulk_work() as (session, writer):
            blocks.seal_to(session, self._chain_id, seal.number)
            if seal.wrong:
                self._put_right(session, writer, seal.number + 1)
        self.metrics.sealed.set(seal.number)
        return not seal.wrong

    def _less_doubt(self, position: Position) -> bool:
        """Do one thing about logs that could not be folded: believe proofs alone. True when something is done already, and the store may have moved.

        First those logs are read by their receipts. If they are right, one before them is wrong or missing, as where an endpoint knew a block
        before its logs: what is not final is taken back to be read like that too, and then what is final is proven, which puts it right.
        """
        doubted, self._doubted = self._doubted, None
        if doubted is None:
            return False
        if doubted > self.source.prove_up_to:
            if position.number > self.source.prove_up_to:
                self._proven_above = None
            self.source.prove_up_to = doubted
            return False
        with self._database.bulk_work() as (session, writer):
            cursor = blocks.cursor_of(session, self._chain_id, lock=True)
            below = blocks.blocks_down_from(session, self._chain_id, cursor.final if cursor else -1, 1)
            ceiling = position.number if self._proven_above is None else min(position.number, self._proven_above)
            again = bool(below) and below[0].number < ceiling
            touched = self._roll_back_to(session, writer, below[0]) if again else set()
        if again:
            self._proven_above = below[0].number
            _log.warning(
                "what follows block %d does not follow from what was read before it: rolled back to block %d, and read again by its receipts",
                position.number,
                below[0].number,
            )
            self._jobs_changed(touched)
            return True
        # Kept while there is more to prove; where nobody can, it is tried again from the front.
        if proven := self.seal():
            self._doubted = doubted
        return proven

    def _put_right(self, session: Session, writer: BulkWriter, number: int) -> None:
        """A block's logs or time are not those that were taken in: take it back, and read it by its receipts, which prove themselves."""
        self.metrics.unsealed.inc()
        _log.error(
            "block %d holds other logs than the endpoint gave, or is of another time: rolled back, and read again by its receipts",
            number,
        )
        below = blocks.blocks_down_from(session, self._chain_id, number - 1, 1)
        if not below:
            raise ChainMisbehaved(
                f"the first block, {number}, holds other logs than the endpoint gave: use another endpoint"
            )
        self.source.prove_up_to = max(self.source.prove_up_to, number)
        self._roll_back_to(session, writer, below[0])

    def _fork_point(self, number: int) -> BlockRow:
        while True:
            with self._database.unit_of_work() as session:
                stored = blocks.blocks_down_from(session, self._chain_id, number, self._fork_search_blocks)
            if not stored:
                first = self._deployments.generations[0]
                self._require_gone(first.block, first.block_hash)
                raise ChainReplaced(
                    "the chain shares no block with this node's store: it was started anew, or is another one. "
                    "Give the node an empty database (DATABASE_URL), or the right RPC URL"
                )
            for row, header in zip(stored, self.source.headers_at([row.number for row in stored]), strict=True):
                if header is not None and header.hash == row.hash:
                    return row
            number = stored[-1].number - 1

    # ---------------------------------------------------------------- rebuilding

    def _bring_up_to_date(self) -> None:
        """Rebuild projections of another version beside the live ones, and let them take their place."""
        if not self._builds.up_to_date():
            self.rebuild()

    def rebuild(self) -> None:
        """Fold every stored log again into a build of its own, which then becomes the live one. Readers see the old one until then."""
        self._projection.discard()
        self._builds.rebuild()
        self.metrics.rebuilds.inc()


_BLOCKS: Final = BlockRow.__table__  # type: ignore[attr-defined]  # SQLModel sets it on every table class


def _block_row(chain: int, block: IncomingBlock) -> tuple[int, int, bytes, bytes, int, bytes | None]:
    return chain, block.number, block.hash, block.parent_hash, block.timestamp, block.digest
