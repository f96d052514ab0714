"""Several endpoints of one chain: one that answers is asked until it fails, and what is called final has to be the same with the others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from computility.chain.endpoint import ChainEndpoint
from computility.chain.wire import parse_header, parse_quantity
from computility.domain.errors import ChainError, ChainMisbehaved, ChainUnavailable, EndpointsDisagree, WrongChain

_log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")
_REST_S: Final = 15.0
"""For which an endpoint that failed is asked last."""
_SAY_AGAIN_S: Final = 60.0
"""An endpoint that fails now and then is not worth a line each time; the metrics count."""


class EndpointPool:
    """Endpoints in the order in which they were named. Each is asked which chain it serves before it is asked anything else."""

    def __init__(
        self,
        endpoints: Sequence[ChainEndpoint],
        chain_number: int,
        on_failure: Callable[[str, ChainError], None] = lambda _name, _error: None,
    ) -> None:
        self.endpoints = tuple(endpoints)
        self._chain_number = chain_number
        self._on_failure = on_failure
        self._known: set[ChainEndpoint] = set()
        """They serve the chain that is meant."""
        # By the endpoint, not by its name: two URLs may be of one host.
        self._resting: dict[ChainEndpoint, float] = {}
        self._said: dict[tuple[ChainEndpoint, str], float] = {}
        self._lock = threading.Lock()

    def ask(self, question: Callable[[ChainEndpoint], AnswerT]) -> AnswerT:
        """The answer of the first endpoint that has one.

        Raises:
            WrongChain: one that is asked serves another chain.
            ChainError: the last one's error, when none has an answer.
        """
        last: ChainError = ChainUnavailable("no chain endpoint is configured: name one with --rpc")
        for endpoint in self._in_order():
            try:
                self._require_chain(endpoint)
                answer = question(endpoint)
            except WrongChain:
                raise
            except ChainError as error:
                last = error
                self._note_failure(endpoint, error)
            else:
                self._note_answer(endpoint)
                return answer
        raise last

    def require_agreement(self, number: int, block_hash: str) -> None:
        """Hold a block that is called final against every other endpoint's. One that does not answer, or has not come so far, is not heard.

        Raises:
            WrongChain: one serves another chain.
            EndpointsDisagree: one has another block there, and no majority has this one.
        """
        if len(self.endpoints) < 2:
            return
        agreeing: list[str] = []
        other: list[str] = []
        for endpoint, found in self.hashes_at(number, resting=True):
            (agreeing if found == block_hash else other).append(endpoint.name)
        if other and len(agreeing) <= len(other):
            raise EndpointsDisagree(
                f"at final block {number} {', '.join(agreeing) or 'nobody'} has {block_hash}, {', '.join(other)} another: nothing is taken in. "
                "Find out which endpoint is wrong, and remove it"
            )

    def somebody_has(self, number: int, block_hash: str) -> bool:
        """Whether any endpoint has this block. Where one does, those with another are asked last for a while.

        Raises:
            WrongChain: one serves another chain.
        """
        heard = self.hashes_at(number, resting=True)
        if not any(found == block_hash for _, found in heard):
            return False
        for endpoint, found in heard:
            if found != block_hash:
                self._note_failure(
                    endpoint, ChainMisbehaved(f"{endpoint.name} has another block {number} than was called final")
                )
        return True

    @property
    def urls(self) -> tuple[str, ...]:
        """Of the endpoints, in the order in which they would be asked now."""
        return tuple(endpoint.url for endpoint in self._in_order())

    def hashes_at(self, number: int, *, resting: bool = False) -> list[tuple[ChainEndpoint, str]]:
        """Which block each endpoint has at a height, of those that answer and have come so far; of ``resting`` ones, that failed lately, too.

        Raises:
            WrongChain: one serves another chain.
        """
        found: list[tuple[ChainEndpoint, str]] = []
        for endpoint in self.endpoints:
            if not resting and self._rests(endpoint):
                continue
            try:
                self._require_chain(endpoint)
                header = parse_header(endpoint.call("eth_getBlockByNumber", hex(number), False))
            except msgspec.DecodeError:
                self._note_failure(
                    endpoint, ChainMisbehaved(f"{endpoint.name} answers with something that is no block header")
                )
                continue
            except WrongChain:
                raise
            except ChainError as error:
                self._note_failure(endpoint, error)
                continue
            if header is not None:
                found.append((endpoint, header.hash))
        return found

    def _rests(self, endpoint: ChainEndpoint) -> bool:
        with self._lock:
            return self._resting.get(endpoint, 0.0) > time.monotonic()

    def _require_chain(self, endpoint: ChainEndpoint) -> None:
        if endpoint in self._known:
            return
        try:
            found = parse_quantity(endpoint.call("eth_chainId"))
        except msgspec.DecodeError as error:
            raise ChainMisbehaved(f"{endpoint.name} answers with something that is no chain id") from error
        if found != self._chain_number:
            raise WrongChain(f"{endpoint.name} serves chain {found}, not {self._chain_number}: check the RPC URL")
        self._known.add(endpoint)

    def _in_order(self) -> list[ChainEndpoint]:
        now = time.monotonic()
        with self._lock:
            return sorted(self.endpoints, key=lambda endpoint: self._resting.get(endpoint, 0.0) > now)

    def _note_failure(self, endpoint: ChainEndpoint, error: ChainError) -> None:
        self._on_failure(endpoint.name, error)
        with self._lock:
            self._resting[endpoint] = time.monotonic() + _REST_S
            said = self._said.get((endpoint, error.code))
            now = time.monotonic()
            if said is None or now - said > _SAY_AGAIN_S:
                self._said[endpoint, error.code] = now
                said = None
        if said is None:
            others = len(self.endpoints) > 1
            _log.warning("%s%s", error, " (asking another endpoint)" if others else "")

    def _note_answer(self, endpoint: ChainEndpoint) -> None:
        with self._lock:
            self._resting.pop(endpoint, None)
