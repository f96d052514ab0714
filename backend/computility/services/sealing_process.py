"""Proves blocks by their receipts in a process of its own, behind everything else: hashing whole blocks would hold up the folds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from computility.chain.sealed_blocks import Digests, digests_of
from computility.chain.tether import end_with_parent
from computility.domain.errors import ChainError
from computility.services.framed_process import FramedProcess, heard, send, send_error

_NICE: Final = 10
"""What is read first may wait for its proof; folding it may not."""
_DONE: Final = "digests"


class SealingProcess:
    """Started when it is first asked. For one thread: answers come in the order of the questions."""

    def __init__(self) -> None:
        self._process: FramedProcess | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    def digests(self, url: str, timeout_s: float, addresses: Sequence[str], first: int, last: int) -> Digests:
        """As ``digests_of``, which is asked here should the process be killed.

        Raises: as ``digests_of``.
        """
        if self._process is None:
            self._process = FramedProcess("computility.services.sealing_process").__enter__()
        self._process.tell((url, timeout_s, list(addresses), first, last))
        answer = self._process.next()
        if answer is None or answer[1:3] != (first, last):
            # It was killed, by want of memory say, or answers another question than this one: go on here.
            self.close()
            return digests_of(url, timeout_s, addresses, first, last)
        found: Digests = answer[3]
        return found

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.__exit__(None, None, None)
            self._process = None


def main() -> None:
    """Answer until the parent ends."""
    end_with_parent()
    os.nice(_NICE)
    while (asked := heard()) is not None:
        try:
            url, timeout_s, addresses, first, last = asked
            send((_DONE, first, last, digests_of(url, timeout_s, addresses, first, last)))
        except ChainError as error:
            send_error(error)


if __name__ == "__main__":
    main()
