"""All blocks of a ledger source, proven: here, or where there are many by a process of its own, while what came before is folded.

The process reads the source itself, so that receipts cross to nobody, and hands over the logs of ours. It can fold something beside: an audit that
replays here and balances the money there keeps two cores busy.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from computility.chain.receipt_trie import ProvenHeader
from computility.chain.tether import end_with_parent
from computility.domain.errors import ComputilityError, NodeBusy
from computility.services.framed_process import FramedProcess, heard, send, send_error
from computility.services.ledger_source import LedgerSource, SourcedBlock, proven_blocks
from computility.services.packed_blocks import PackedBlock, pack_block, unpack_block
from computility.services.uncollected import uncollected

PROCESS_FROM_BLOCKS: Final = 256
_FRAME_BYTES: Final = 512 * 1024
_BLOCKS, _FOLDED = range(2)
"""What a frame is: proven blocks; the end, with what was folded beside."""


class Foldable(Protocol):
    """What can be folded in another process: it is pickled on its way there and back."""

    def check(self, blocks: Iterator[SourcedBlock]) -> Iterator[SourcedBlock]:
        """Fold blocks, and pass all of them on."""


FoldableT = TypeVar("FoldableT", bound=Foldable)


def walk(
    source: LedgerSource, last: int | None = None, *, process_from: int = PROCESS_FROM_BLOCKS
) -> Iterator[SourcedBlock]:
    """All blocks from the first deployment to ``last``, proven; of ``process_from`` blocks and more by a process that works ahead.

    Raises:
        InvalidProof: the source says what does not hash to its own blocks.
        ChainError: the endpoint fails.
        NodeBusy: the process was killed.
    """
    first, end = source.deployments.generations[0].block, source.last if last is None else last
    if end - first + 1 < process_from:
        yield from proven_blocks(source, first, end)
        return
    with LedgerProcess[Foldable](source, first, end) as ahead:
        yield from map(unpack_block, ahead.blocks())


class LedgerProcess(Generic[FoldableT]):
    """Proves blocks ``first`` to ``last`` elsewhere, and folds ``beside`` over them there: what became of it is ``folded`` after the last block."""

    def __init__(self, source: LedgerSource, first: int, last: int, beside: FoldableT | None = None) -> None:
        self._process = FramedProcess(
            "computility.services.ledger_walk", (pickle.dumps((source, first, last, beside)),)
        )
        self.folded: FoldableT | None = None

    def __enter__(self) -> Self:
        """Begins at once: whoever has something else to do first may do it."""
        self._process.__enter__()
        return self

    def __exit__(self, *told: Any) -> None:
        self._process.__exit__(*told)

    def blocks(self) -> Iterator[PackedBlock]:
        """The blocks, once.

        Raises: as ``walk``.
        """
        while (frame := self._process.next()) is not None:
            kind, *rest = frame
            if kind == _BLOCKS:
                for head, logs in rest[0]:
                    yield PackedBlock(ProvenHeader(*head), logs)
            else:
                self.folded = pickle.loads(rest[0])  # noqa: S301  # from a process of our own
                return
        raise NodeBusy("the process that proves blocks ended, by want of memory say: try again")


# ---------------------------------------------------------------- the process itself


def main() -> None:
    """Prove what standard input tells."""
    end_with_parent()
    source, first, last, beside = pickle.loads(*heard() or (b"",))  # noqa: S301  # from our parent
    ready: list[Any] = []
    size = 0
    try:
        with uncollected():
            proven = proven_blocks(source, first, last)
            for block in proven if beside is None else beside.check(proven):
                header, logs = block.header, pack_block(block).logs
                ready.append(
                    (
                        (header.hash, header.parent_hash, header.receipts_root, header.logs_bloom, header.number, header.timestamp),
                        logs,
                    )
                )  # fmt: skip
                size += 512 + len(logs)
                if size >= _FRAME_BYTES:
                    send((_BLOCKS, ready))
                    ready, size = [], 0
        send((_BLOCKS, ready))
        send((_FOLDED, pickle.dumps(beside)))
    except ComputilityError as error:
        send_error(error)


if __name__ == "__main__":
    main()
