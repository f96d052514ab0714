"""Fetches and checks a back-fill's blocks in a process of its own, so that they come while others are folded: Python does one thing at a time.

The process is told where to begin on its standard input, so that no key in an endpoint's URL shows among its arguments. It answers with frames on its
standard output: four bytes of length, then a tuple as ``marshal`` writes it. It ends at the head of the chain, where a thread goes on, and with its
parent.
"""

from __future__ import annotations

import dataclasses
import logging
import marshal
import queue
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import IO, Any, Final, Self

import orjson

from computility.chain.deployments import Deployments, parse_deployments
from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.chain.tether import end_with_parent
from computility.domain import errors
from computility.domain.errors import ChainError, ChainUnavailable
from computility.services.chain_source import ChainSource
from computility.services.contract_directory import ContractDirectory
from computility.services.fetch_ahead import Follower, Next, Position, Reorganised
from computility.services.incoming import Head, Incoming, IncomingBlock
from computility.services.uncollected import uncollected

_log = logging.getLogger(__name__)

_LENGTH: Final = struct.Struct(">I")
_FRAMES_AHEAD: Final = 4
_STOP_WITHIN_S: Final = 10.0
_BLOCKS, _REORGANISED, _HEAD, _FAILED, _SAID, _NOTED = range(6)
"""What a frame is: blocks; a reorganisation; the head is reached; the error that ended it; a line for the log; an endpoint's failure."""

Frame = tuple[Any, ...]


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
            EndpointPool([ChainEndpoint(url, self.timeout_s) for url in self.urls], failed),
            ContractDirectory(self.deployments),
            self.deployments.chain_number,
            safe_depth=self.safe_depth,
            finality_depth=self.finality_depth,
            final_by_depth=self.final_by_depth,
            most_blocks=self.most_blocks,
        )


class FetchProcess:
    """As ``FetchAhead``, from another process. It has ``ended`` when it has come to the head, or was killed: go on without it then."""

    def __init__(
        self, plan: FetchPlan, source: ChainSource, position: Position, on_failure: Callable[[str, str], None]
    ) -> None:
        told = {each.name: getattr(plan, each.name) for each in dataclasses.fields(plan)} | {
            "deployments": plan.deployments.to_json(),
            "position": (position.number, position.hash.hex()),
            "prove_up_to": source.prove_up_to,
            "range_blocks": source.range_blocks,
        }
        self._told = orjson.dumps(told)
        self._source = source
        self._on_failure = on_failure
        self._frames: queue.Queue[bytes] = queue.Queue(_FRAMES_AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="fetch-process", daemon=True)
        self.ended = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "computility.services.fetch_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._told)
        self._process.stdin.close()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._process.kill()
        self._process.wait(_STOP_WITHIN_S)
        self._thread.join(_STOP_WITHIN_S)

    def next(self, timeout_s: float) -> Next | None:
        """What comes next, None when nothing came in time or it has ended.

        Raises:
            ChainError: as ``Follower.next``. The process has ended then.
        """
        if self.ended:
            return None
        try:
            raw = self._frames.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if not raw:
            # It was killed, by want of memory say.
            self.ended = True
            return None
        with uncollected():
            kind, *rest = marshal.loads(raw)  # noqa: S302  # from a process of our own
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
            self.ended = True
        else:
            name, message = rest
            raise _ERRORS.get(name, ChainUnavailable)(message)
        return None

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            while not self._stop.is_set():
                raw = b""
                if len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
                    raw = stream.read(_LENGTH.unpack(head)[0])
                self._put(raw)
                if not raw:
                    return

    def _put(self, raw: bytes) -> None:
        while not self._stop.is_set():
            try:
                self._frames.put(raw, timeout=0.2)
            except queue.Full:
                continue
            return


_ERRORS: Final[dict[str, type[ChainError]]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, ChainError) and found is not errors.RpcRefused
}

# ---------------------------------------------------------------- the process itself


def main() -> None:
    """Fetch what standard input tells until the head is reached."""
    end_with_parent()
    told = orjson.loads(sys.stdin.buffer.read())
    out = sys.stdout.buffer
    number, block_hash = told.pop("position")
    prove_up_to, range_blocks = told.pop("prove_up_to"), told.pop("range_blocks")
    plan = FetchPlan(
        **{**told, "urls": tuple(told["urls"]), "deployments": parse_deployments(told["deployments"], "the plan")}
    )
    logging.basicConfig(level=logging.INFO, handlers=[_Said(out)])
    source = plan.source(lambda name, error: _send(out, (_NOTED, name, error.code)))
    source.prove_up_to, source.range_blocks = prove_up_to, range_blocks
    follower = Follower(source, Position(number, bytes.fromhex(block_hash)), plan.confirmation_depth)
    try:
        with uncollected():
            while (found := follower.next()) is not None:
                _send(out, _frame(found, source))
                if isinstance(found, Reorganised):
                    return
    except ChainError as error:
        _send(out, (_FAILED, type(error).__name__, str(error)))
    else:
        _send(out, (_HEAD,))


def _frame(found: Next, source: ChainSource) -> Frame:
    if isinstance(found, Reorganised):
        return _REORGANISED, found.number
    head = found.head
    blocks = [
        (block.number, block.hash, block.parent_hash, block.timestamp, block.digest, block.packed, block.kinds)
        for block in found.blocks
    ]
    return _BLOCKS, blocks, (head.number, head.safe, head.final), found.received, source.range_blocks


def _send(out: IO[bytes], frame: Frame) -> None:
    raw = marshal.dumps(frame)
    out.write(_LENGTH.pack(len(raw)) + raw)
    out.flush()


class _Said(logging.Handler):
    """Lines for the log go to the parent, which knows where they belong."""

    def __init__(self, out: IO[bytes]) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        _send(self._out, (_SAID, record.levelno, record.getMessage()))


if __name__ == "__main__":
    main()
