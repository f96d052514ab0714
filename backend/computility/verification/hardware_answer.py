"""A provider's answer to a hardware challenge, given only while it holds every card that is asked: no job's card is challenged.

All cards answer at the same time, each in a thread of its own, as one card that answered for two would take twice as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from computility.domain.identifiers import Bytes32
from computility.execution.gpu.card_leases import CardLeases
from computility.verification.hardware_challenge import CardAnswer, HardwareChallenge, answer_card, commitment_of
from computility.verification.integer_gemm import IntegerGemm


class Answer(Protocol):
    """What a card computed: the root of its product, of which it keeps the rows until it is closed."""

    @property
    def card(self) -> str: ...
    @property
    def root(self) -> Bytes32: ...
    @property
    def digests(self) -> tuple[bytes, ...]: ...

    def opened(self, rows: Sequence[int]) -> npt.NDArray[np.int32]:
        """Some rows of the product."""
        ...

    def close(self) -> None:
        """Let go of the product."""
        ...


class Worker(Protocol):
    """How a card answers. ``name`` says which way, for the log."""

    @property
    def name(self) -> str: ...

    def warm(self, challenge: HardwareChallenge, card: str) -> None:
        """Do beforehand what does not belong to the work, as for ``challenge``."""
        ...

    def answer(self, challenge: HardwareChallenge, card: str) -> Answer:
        """Do the work of one card."""
        ...


class GemmWorker:
    """Multiplies by a library, and does the rest on the processor."""

    def __init__(self, gemm: IntegerGemm) -> None:
        self._gemm = gemm

    @property
    def name(self) -> str:
        return self._gemm.name

    def warm(self, challenge: HardwareChallenge, card: str) -> None:
        """Nothing to do."""

    def answer(self, challenge: HardwareChallenge, card: str) -> CardAnswer:
        return answer_card(challenge, card, challenge.right(), self._gemm)


@dataclass(frozen=True)
class HardwareAnswer:
    """What a provider commits to and keeps: the root, the products behind it in the challenge's order, and the milliseconds that they took."""

    root: Bytes32
    answers: tuple[Answer, ...]
    elapsed_ms: int

    def close(self) -> None:
        """Let go of the products."""
        for answer in self.answers:
            answer.close()


def answer_challenge(
    challenge: HardwareChallenge, leases: CardLeases, worker_of: Callable[[str], Worker], wait_s: float = 0.0
) -> HardwareAnswer:
    """Do the work on every card that the challenge names. ``worker_of`` is how a card works, by its UUID.

    Raises:
        ExecutorBusy: a job holds one of the cards, for all of ``wait_s`` seconds: the provider passes on this epoch, and keeps its last rating.
    """
    workers = [worker_of(card) for card in challenge.cards]
    with leases.all_of(challenge.cards, "hardware challenge", wait_s), ThreadPoolExecutor(len(workers)) as threads:
        started = time.monotonic()
        answers: tuple[Answer, ...] = tuple(
            threads.map(lambda worker, card: worker.answer(challenge, card), workers, challenge.cards, timeout=None)
        )
        root = commitment_of([answer.root for answer in answers])
        return HardwareAnswer(root, answers, round((time.monotonic() - started) * 1000))


def warm_up(challenge: HardwareChallenge, leases: CardLeases, worker_of: Callable[[str], Worker]) -> None:
    """Make all cards ready for work like ``challenge``; raises as `answer_challenge`."""
    workers = [worker_of(card) for card in challenge.cards]
    with leases.all_of(challenge.cards, "hardware challenge"), ThreadPoolExecutor(len(workers)) as threads:
        list(threads.map(lambda worker, card: worker.warm(challenge, card), workers, challenge.cards, timeout=None))
