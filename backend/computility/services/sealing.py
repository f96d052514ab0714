"""Holds final blocks against their headers: logs against the receipts root, and the time. Only then is a row final.

It runs behind the folding, in a thread of its own and, while there is much to prove, in a process: hashing whole blocks would hold up the folds.
What it finds is handed to the indexer, which alone writes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from sqlmodel import Session

from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.chain.sealed_blocks import Digests, digests_of
from computility.domain.errors import ChainMisbehaved
from computility.domain.identifiers import Bytes32, ChainId
from computility.services.sealing_process import SealingProcess
from computility.services.told import Told
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
    """Up to ``number``, a stored block, every log is proven. With ``wrong``, block ``number`` + 1 holds other logs than were taken in, or is of
    another time.

    ``epoch`` is the indexer's count of roll-backs when this was read: after another one it means nothing.
    """

    number: int
    wrong: bool
    epoch: int


class Sealing:
    """Proves what the store holds, for one thread. ``epoch`` tells the indexer's count of roll-backs."""

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
        self._told = Told(_log)
        self._said: str | None = None
        self._since: tuple[int, int] | None = None
        """Count of roll-backs and sealed block that what follows goes with."""
        self._bottom = self._top = -1
        """The stored block above which was proven, and up to which."""
        self._top_hash: Bytes32 | None = None
        self._proven: list[tuple[int, bytes | None, int]] = []
        """Number, digest and time, as far as they can matter, of what was proven and rests on no stored block above it yet."""
        self.yields = False
        """Whether a back-fill goes on: the endpoint then serves that first."""

    def next(self, after: int | None = None) -> Seal | None:
        """Prove the next blocks above ``after`` (default: above what is sealed); None when there is nothing to prove.

        They are linked from a stored block to a stored block: headers alone anyone can make that hash to what they should.

        Raises:
            ChainError: no endpoint gives headers and receipts that hash to what they should, and lead from what is stored to what is stored.
        """
        epoch = self._epoch()
        with self._database.unit_of_work() as session:
            cursor = blocks.cursor_of(session, self._chain_id)
            if cursor is None:
                return None
            sealed = cursor.sealed if after is None else max(after, cursor.sealed)
            target = min(cursor.final, cursor.number)
            if sealed >= target:
                self.close()
                return None
            if (epoch, sealed) != self._since:
                self._begin_above(session, epoch, sealed)
            first = self._top + 1
            last = min(target, self._top + _BLOCKS_AT_ONCE)
            stored = blocks.digests_between(session, self._chain_id, self._bottom + 1, last)
        if first <= last:
            self._prove(first, last, stored, elsewhere=target - sealed >= _PROCESS_FROM_BLOCKS)
        anchor = max((number for number, *_ in self._proven if number in stored), default=None)
        if anchor is None:
            # What the store has forgotten was empty, or so it was told: that is known only when a block above it is the one that it holds.
            return Seal(sealed, False, epoch) if first <= last else None
        for number, digest, timestamp in self._proven:
            if number > anchor:
                break
            # What the store has forgotten was empty.
            if stored[number][1:] != (digest, timestamp) if number in stored else digest is not None:
                self._since = None
                return Seal(number - 1, True, epoch)
        self._proven = [block for block in self._proven if block[0] > anchor]
        self._bottom, self._since = anchor, (epoch, anchor)
        return Seal(anchor, False, epoch)

    def _begin_above(self, session: Session, epoch: int, sealed: int) -> None:
        # The sealed block itself may have been forgotten since: from the one below it that was not.
        below = blocks.blocks_down_from(session, self._chain_id, sealed, 1)
        self._proven = []
        self._bottom = self._top = below[0].number if below else sealed
        self._top_hash = Bytes32(below[0].hash) if below else None
        self._since = epoch, sealed

    def _prove(
        self, first: int, last: int, stored: Mapping[int, tuple[Bytes32, bytes | None, int]], *, elsewhere: bool
    ) -> None:
        digests = self._process.digests if elsewhere or self._process.runs else digests_of

        def ask(endpoint: ChainEndpoint) -> Digests:
            proven = digests(endpoint.url, self._timeout_s, self._addresses, first, last)
            if self._top_hash is not None and proven[0][2] != self._top_hash:
                raise ChainMisbehaved(
                    f"block {first} of {endpoint.name} does not follow the block below it that is stored or was proven"
                )
            for number, block_hash, *_ in proven:
                kept = stored.get(number)
                if kept is not None and kept[0] != block_hash:
                    raise ChainMisbehaved(
                        f"block {number} of {endpoint.name} is not the one that is stored, though it is final"
                    )
            return proven

        try:
            proven = self._pool.ask(ask)
        except ChainMisbehaved:
            # What was proven before may be of an endpoint's own making: begin again where the store bears it out.
            self._since = None
            raise
        # One that was empty and is not stored says nothing more: between two that are there may be millions.
        self._proven += [
            (number, digest, timestamp)
            for number, _, _, digest, timestamp in proven
            if digest is not None or number in stored
        ]
        self._top, self._top_hash = last, Bytes32(proven[-1][1])

    def run(self, stop: threading.Event, work: threading.Event, found: Callable[[Seal], None]) -> None:
        """Prove until ``stop`` is set, whenever ``work`` is."""
        after: int | None = None
        epoch = self._epoch()
        if self.yields:
            self._yield_for(_FIRST_YIELDED_S, stop)
        while not stop.is_set():
            if epoch != self._epoch():
                epoch, after = self._epoch(), None
            started = time.monotonic()
            try:
                seal = self.next(after)
            except Exception as error:  # noqa: BLE001  # without this thread no row would ever become final again
                if self._said != (said := self._told.of(error)):
                    self._said = said
                    _log.warning("rows stay unproven for now, and none becomes final: %s", said)
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
