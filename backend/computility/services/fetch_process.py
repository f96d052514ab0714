"""Fetches and checks a back-fill's blocks in a process of its own, so that they come while others are folded: Python does one thing at a time.

It is told where to begin, and ends at the head of the chain, where a thread goes on.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import orjson

from computility.chain.deployments import Deployments, parse_deployments
from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.chain.tether import end_with_parent
from computility.domain.errors import ChainError, ChainUnavailable
from computility.services.chain_source import ChainSource
from computility.services.contract_directory import ContractDirectory
from computility.services.fetch_ahead import Follower, Next, Position, Reorganised
from computility.services.framed_process import Frame, FramedProcess, heard, send, send_error
from computility.services.incoming import Head, Incoming, IncomingBlock
from computility.services.uncollected import uncollected

_log = logging.getLogger(__name__)

_BLOCKS, _REORGANISED, _HEAD, _SAID, _NOTED = range(5)
"""What a frame is: blocks; a reorganisation; the head is reached; a line for the log; an endpoint's failure."""
_TURNS_S: Final = 0.000_2
"""How long the thread that receives the next answer waits for its turn after each piece. With Python's 5 ms it came on only when nothing was read."""


@dataclasses.dataclass(frozen=True)
class FetchPlan:
    """What to fetch, from where. As ``ChainSource`` and ``Follower`` take it."""

    urls: tuple[str, ...]
    timeout_s: float
    deployments: Deployments
    safe_depth: int
    finality_depth: int
    final_by_depth: bool
    most_blocks: int
    confirmation_depth: int

    def source(self, failed: Callable[[str, ChainError], None]) -> ChainSource:
        """The chain, read through these endpoints."""
        return ChainSource(
            EndpointPool(
                [ChainEndpoint(url, self.timeout_s) for url in self.urls], self.deployments.chain_number, failed
            ),
            ContractDirectory(self.deployments),
            self.deployments.chain_number,
            safe_depth=self.safe_depth,
            finality_depth=self.finality_depth,
            final_by_depth=self.final_by_depth,
            most_blocks=self.most_blocks,
        )


class FetchProcess:
    """As ``FetchAhead``, from another process. It has ``ended`` when it has come to the head: go on without it then."""

    def __init__(
        self, plan: FetchPlan, source: ChainSource, position: Position, on_failure: Callable[[str, str], None]
    ) -> None:
        told = {each.name: getattr(plan, each.name) for each in dataclasses.fields(plan)} | {
            "deployments": plan.deployments.to_json(),
            "position": (position.number, position.hash.hex()),
            "prove_up_to": source.prove_up_to,
            "range_blocks": source.range_blocks,
        }
        self._process = FramedProcess("computility.services.fetch_process", (orjson.dumps(told),))
        self._source = source
        self._on_failure = on_failure
        self._at_head = False

    @property
    def ended(self) -> bool:
        """It has come to the head."""
        return self._at_head

    def __enter__(self) -> Self:
        self._process.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def next(self, timeout_s: float) -> Next | None:
        """What comes next, None when nothing came in time or it has ended.

        Raises:
            ChainError: as ``Follower.next``. The process has ended then.
            ChainUnavailable: it was killed, or failed in a way that nobody foresaw: it wrote the traceback itself.
        """
        frame = None if self._at_head else self._process.next(timeout_s)
        if frame is None:
            if not self._at_head and self._process.ended:
                raise ChainUnavailable(
                    "the process that fetches blocks ended before it had come to the head of the chain"
                )
            return None
        kind, *rest = frame
        return self._understood(kind, rest)

    def _understood(self, kind: int, rest: list[Any]) -> Next | None:
        if kind == _BLOCKS:
            blocks, head, received, self._source.range_blocks = rest
            return Incoming([IncomingBlock(*block) for block in blocks], Head(*head), received)
        if kind == _REORGANISED:
            return Reorganised(*rest)
        if kind == _SAID:
            _log.log(rest[0], "%s", rest[1])
        elif kind == _NOTED:
            self._on_failure(*rest)
        elif kind == _HEAD:
            self._at_head = True
        return None


# ---------------------------------------------------------------- the process itself


def main() -> None:
    """Fetch what standard input tells until the head is reached."""
    end_with_parent()
    sys.setswitchinterval(_TURNS_S)
    told = orjson.loads(*heard() or ("",))
    number, block_hash = told.pop("position")
    prove_up_to, range_blocks = told.pop("prove_up_to"), told.pop("range_blocks")
    plan = FetchPlan(
        **{**told, "urls": tuple(told["urls"]), "deployments": parse_deployments(told["deployments"], "the plan")}
    )
    logging.basicConfig(level=logging.INFO, handlers=[_Said()])
    source = plan.source(lambda name, error: send((_NOTED, name, error.code)))
    source.prove_up_to, source.range_blocks = prove_up_to, range_blocks
    source.ask_ahead()
    follower = Follower(source, Position(number, bytes.fromhex(block_hash)), plan.confirmation_depth)
    try:
        with uncollected():
            while (found := follower.next()) is not None:
                send(_frame(found, source))
                if isinstance(found, Reorganised):
                    return
    except ChainError as error:
        send_error(error)
    else:
        send((_HEAD,))


def _frame(found: Next, source: ChainSource) -> Frame:
    if isinstance(found, Reorganised):
        return _REORGANISED, found.number
    head = found.head
    blocks = [
        (block.number, block.hash, block.parent_hash, block.timestamp, block.digest, block.packed, block.kinds)
        for block in found.blocks
    ]
    return _BLOCKS, blocks, (head.number, head.safe, head.final), found.received, source.range_blocks


class _Said(logging.Handler):
    """Lines for the log go to the parent, which knows where they belong."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        send((_SAID, record.levelno, record.getMessage()))


if __name__ == "__main__":
    main()
