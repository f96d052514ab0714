"""How many blocks an endpoint is asked about at once: fewer when it finds them too many, then more again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from computility.domain.errors import AnswerTooLarge, ChainError, ChainSilent, ChainUnavailable, RpcRefused

AnswerT = TypeVar("AnswerT")


class BlockRanges:
    """Ranges of ``most`` blocks at most."""

    def __init__(self, most: int) -> None:
        self.size = most
        """How many blocks the next range has at most."""
        self._most = most

    def answers(self, first: int, last: int, ask: Callable[[int, int], AnswerT]) -> Iterator[AnswerT]:
        """What ``ask`` gives for each range from ``first`` to ``last``, both included, in order.

        Raises:
            ChainError: the endpoint fails, or refuses even a single block.
        """
        while first <= last:
            end = min(last, first + self.size - 1)
            try:
                answer = ask(first, end)
            except (AnswerTooLarge, RpcRefused, ChainUnavailable) as error:
                if end == first or not may_be_too_much(error):
                    raise
                self.size = (end - first + 1) // 2
                continue
            yield answer
            first = end + 1
            # Slowly: twice as many would be refused every other time.
            self.size = min(self._most, self.size + max(1, self.size // 8))


def may_be_too_much(error: ChainError) -> bool:
    """Whether fewer blocks may be answered. Endpoints say it in a hundred ways; what is a refusal of something else is refused of one block too."""
    return not isinstance(error, ChainUnavailable) or isinstance(error, ChainSilent)
