"""Holds the logs of final blocks against the receipts roots of their headers: only then is a row final.

It runs behind the folding, in a thread of its own and, while there is much to prove, in a process: hashing whole blocks would hold up the folds.
What it finds is handed to the indexer, which alone writes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from sqlalchemy.exc import SQLAlchemyError

from computility.chain.endpoint_pool import EndpointPool
from computility.chain.sealed_blocks import digests_of
from computility.domain.errors import ChainError, ChainMisbehaved
from computility.domain.identifiers import ChainId
from computility.services.sealing_process import SealingProcess
from computility.store import blocks
from computility.store.engine import Database

_log = logging.getLogger(__name__)

_BLOCKS_AT_ONCE: Final = 64
_PROCESS_FROM_BLOCKS: Final = 64
_AGAIN_S: Final = 5.0
_YIELDED: Final = 19
"""During a back-fill proving takes a twentieth of the time: all receipts of a block cost an endpoint five times what our logs of it do."""
_FIRST_YIELDED_S: Final = 10.0
"""Before a back-fill's first proof, of which nobody knows yet how long it takes: the process for it starts after that for the logs."""
_BACKFILL_FROM_BLOCKS: Final = 256


@dataclass(frozen=True)
class Seal:
    """Up to ``number`` every log is proven. With ``wrong``, block ``number`` + 1 holds other logs than were taken in.

    ``epoch`` is the indexer's count of roll-backs when this was read: after another one it means nothing.
    """

    number: int
    wrong: bool
    epoch: int


class Sealing:
    """Proves what the store holds. ``epoch`` tells the indexer's count of roll-backs."""

    def __init__(
        self,
        pool: EndpointPool,
        database: Database,
        chain_id: ChainId,
        addresses: Sequence[str],
        timeout_s: float,
        epoch: Callable[[], int],
    ) -> None:
        self._pool = pool
        self._database = database
        self._chain_id = chain_id
        self._addresses = list(addresses)
        self._timeout_s = timeout_s
        self._epoch = epoch
        self._process = SealingProcess()
        self._said: str | None = None
        self._last: tuple[int, str] | None = None
        self.yields = False
        """Whether a back-fill goes on: the endpoint then serves that first."""

    def next(self, after: int | None = None) -> Seal | None:
        """Prove the next blocks above ``after`` (default: above what is sealed); None when there is nothing to prove.

        Raises:
            ChainError: no endpoint gives headers and receipts that hash to what they should.
        """
        epoch = self._epoch()
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
            if cursor is None:
                return None
            sealed, target = (
                cursor.sealed if after is None else max(after, cursor.sealed),
                min(cursor.final, cursor.number),
            )
        if sealed >= target:
            self.close()
            return None
        first, last = sealed + 1, min(target, sealed + _BLOCKS_AT_ONCE)
        elsewhere = self._process.runs or target - sealed >= _PROCESS_FROM_BLOCKS
        digests = self._process.digests if elsewhere else digests_of
        proven = self._pool.ask(lambda endpoint: digests(endpoint.url, self._timeout_s, self._addresses, first, last))
        if self._last is not None and self._last[0] == first - 1 and self._last[1] != proven[0][2]:
            raise ChainMisbehaved(f"block {first} does not follow the block below it that was proven")
        with self._database.unit_of_work() as session:
            stored = blocks.digests_between(session, self._chain_id, first, last)
        for number, block_hash, _, digest in proven:
            kept_hash, kept_digest = stored.get(number, (None, None))
            if kept_hash is not None and kept_hash != block_hash:
                # Another chain than the one that was folded: the follower finds out.
                return Seal(number - 1, False, epoch) if number > first else None
            if kept_digest != digest:
                return Seal(number - 1, True, epoch)
        self._last = last, proven[-1][1]
        return Seal(last, False, epoch)

    def run(self, stop: threading.Event, work: threading.Event, found: Callable[[Seal], None]) -> None:
        """Prove until ``stop`` is set, whenever ``work`` is."""
        after: int | None = None
        epoch = self._epoch()
        if self.yields:
            self._yield_for(_FIRST_YIELDED_S, stop)
        while not stop.is_set():
            if epoch != self._epoch():
                epoch, after, self._last = self._epoch(), None, None
            started = time.monotonic()
            try:
                seal = self.next(after)
            except (ChainError, SQLAlchemyError) as error:
                if self._said != str(error):
                    self._said = str(error)
                    _log.warning("rows stay unproven for now, and none becomes final: %s", error)
                stop.wait(_AGAIN_S)
                continue
            if seal is None:
                work.wait(1.0)
                work.clear()
                continue
            self._said = None
            found(seal)
            after = seal.number
            if seal.wrong:
                # Nothing to do before the indexer has put it right.
                stop.wait(_AGAIN_S)
                after = None
            elif self.yields:
                self._yield_for(_YIELDED * (time.monotonic() - started), stop)
        self.close()

    def _yield_for(self, seconds: float, stop: threading.Event) -> None:
        until = time.monotonic() + seconds
        while self.yields and time.monotonic() < until:
            if stop.wait(0.1):
                return

    def close(self) -> None:
        """End the process, if there is one."""
        self._process.close()


class SealingThread:
    """Runs ``Sealing`` beside the indexer."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._stop = threading.Event()
        self._work = threading.Event()
        self._lock = threading.Lock()
        self._found: Seal | None = None
        self._thread = threading.Thread(
            target=sealing.run, args=(self._stop, self._work, self._put), name="sealing", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._work.set()
        self._thread.join(10)

    def wake(self, *, behind: int = 0) -> None:
        """There may be more to prove; ``behind`` blocks are still to be folded."""
        self._sealing.yields = behind >= _BACKFILL_FROM_BLOCKS
        self._work.set()

    def take(self) -> Seal | None:
        """What was found since the last call."""
        with self._lock:
            found, self._found = self._found, None
        return found

    def _put(self, seal: Seal) -> None:
        with self._lock:
            self._found = seal
