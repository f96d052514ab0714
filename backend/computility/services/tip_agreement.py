"""Do the endpoints of a chain agree on its newest blocks, which none of them calls final yet?

A thread beside the indexer asks each endpoint for one header when there is a new block at the tip: nothing waits for it, and a back-fill asks for
none. Endpoints differ now and then, as one lags or a reorganisation reaches it later, so nothing stops: the metrics tell of every difference, and an
endpoint that differs at two blocks in a row is told of in the log, once until it agrees again. On a final block a difference stops the indexer
(``EndpointPool.require_agreement``): what is called final can be wrong for ever.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.services.told import Told

_log = logging.getLogger(__name__)

_STOP_WITHIN_S: Final = 10.0
_IN_A_ROW: Final = 2

Differs = Callable[[str, bool], None]
"""Told of each endpoint that was heard: its name, and whether it differs."""


class TipAgreement:
    """Compares the newest blocks of a pool's endpoints. It lives as long as the indexer, however often that starts to follow anew."""

    def __init__(self, pool: EndpointPool, differs: Differs = lambda _name, _differs: None) -> None:
        self._pool = pool
        self._differs = differs
        self._in_a_row: dict[ChainEndpoint, int] = {}

    @property
    def is_needed(self) -> bool:
        """Whether there is anybody to compare."""
        return len(self._pool.endpoints) > 1

    def check(self, number: int, block_hash: str) -> tuple[str, ...]:
        """Compare block ``number``, which was taken in with this hash: the names of those that have another one.

        Nobody differs where this block is nobody's any more and the others are of one mind: it was orphaned, which the indexer sees by itself.
        """
        heard = self._pool.hashes_at(number)
        if not any(found == block_hash for _, found in heard) and len({found for _, found in heard}) <= 1:
            return ()
        for endpoint, found in heard:
            self._note(endpoint, number, None if found == block_hash else found, block_hash)
        return tuple(endpoint.name for endpoint, found in heard if found != block_hash)

    def _note(self, endpoint: ChainEndpoint, number: int, other: str | None, block_hash: str) -> None:
        self._differs(endpoint.name, other is not None)
        before = self._in_a_row.get(endpoint, 0)
        self._in_a_row[endpoint] = 0 if other is None else before + 1
        if other is None and before >= _IN_A_ROW:
            _log.info("%s agrees with the others again, at block %d", endpoint.name, number)
        if other is not None and before + 1 == _IN_A_ROW:
            _log.warning(
                "%s has block %s at height %d, and this node %s: it follows another fork, or one of the endpoints is wrong. "
                "Nothing stops for it, before a block is called final",
                endpoint.name,
                other,
                number,
                block_hash,
            )


class TipAgreementThread:
    """Runs ``TipAgreement`` beside the indexer: of blocks that come faster than they can be compared only the newest is."""

    def __init__(self, agreement: TipAgreement) -> None:
        self._agreement = agreement
        self._stop = threading.Event()
        self._work = threading.Event()
        self._lock = threading.Lock()
        self._newest: tuple[int, str] | None = None
        self._told = Told(_log)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._agreement.is_needed:
            self._thread = threading.Thread(target=self._run, name="tip-agreement", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)

    def note(self, number: int, block_hash: bytes) -> None:
        """This block was taken in, and is the newest that the chain told of."""
        if self._thread is None:
            return
        with self._lock:
            self._newest = number, "0x" + block_hash.hex()
        self._work.set()

    def _run(self) -> None:
        while True:
            self._work.wait()
            if self._stop.is_set():
                return
            self._work.clear()
            with self._lock:
                newest, self._newest = self._newest, None
            if newest is None:
                continue
            try:
                self._agreement.check(*newest)
            except Exception as error:  # noqa: BLE001  # without this thread nobody would notice a fork any more
                _log.warning("the endpoints' newest blocks could not be compared: %s", self._told.of(error))
