"""A provider's answer to a hardware challenge, given only while it holds every card that is asked: no job's card is challenged.

All cards answer at the same time, each in a thread of its own, as one card that answered for two would take twice as long.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from computility.domain.identifiers import Bytes32
from computility.execution.gpu.card_leases import CardLeases
from computility.verification.hardware_challenge import CardAnswer, HardwareChallenge, answer_card, commitment
from computility.verification.integer_gemm import IntegerGemm


@dataclass(frozen=True)
class HardwareAnswer:
    """What a provider commits to and keeps: the root, the products behind it in the challenge's order, and the milliseconds that they took."""

    root: Bytes32
    answers: tuple[CardAnswer, ...]
    elapsed_ms: int


def answer_challenge(
    challenge: HardwareChallenge, leases: CardLeases, gemm_of: Callable[[str], IntegerGemm], wait_s: float = 0.0
) -> HardwareAnswer:
    """Do the work on every card that the challenge names. ``gemm_of`` is how to multiply on a card, by its UUID.

    Raises:
        ExecutorBusy: a job holds one of the cards, for all of ``wait_s`` seconds: the provider passes on this epoch, and keeps its last rating.
    """
    gemms = [gemm_of(card) for card in challenge.cards]
    with leases.all_of(challenge.cards, "hardware challenge", wait_s), ThreadPoolExecutor(len(gemms)) as threads:
        started = time.monotonic()
        right = challenge.right()
        answers = tuple(
            threads.map(
                lambda card, gemm: answer_card(challenge, card, right, gemm), challenge.cards, gemms, timeout=None
            )
        )
        root = commitment([answer.digests for answer in answers])
        return HardwareAnswer(root, answers, round((time.monotonic() - started) * 1000))
