"""A card is held by one job or one challenge.

leases
├── as many cards as are free, and no more
├── all or none, for a challenge
├── waited for, given up
└── let go of when the holder dies
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from computility.domain.errors import ExecutorBusy, ExecutorUnfit
from computility.domain.identifiers import ZERO_ADDRESS
from computility.execution.gpu.card_leases import CardLeases
from computility.verification.hardware_answer import GemmWorker, answer_challenge
from computility.verification.hardware_challenge import HardwareChallenge
from computility.verification.integer_gemm import NumpyGemm

UUIDS = ("GPU-a", "GPU-b", "GPU-c")


@pytest.fixture
def leases(tmp_path: Path) -> CardLeases:
    """Three cards."""
    return CardLeases(UUIDS, tmp_path)


def test_cards__are_held_once__and_are_free_afterwards(leases: CardLeases, tmp_path: Path) -> None:
    others = CardLeases(UUIDS, tmp_path)
    with leases.some(2, "job 1") as held:
        assert held.uuids == ("GPU-a", "GPU-b")
        assert others.holders() == {"GPU-a": "job 1", "GPU-b": "job 1"}
        with pytest.raises(ExecutorBusy, match="GPU-a by job 1"), others.some(2, "job 2"):
            pass
        with others.some(1, "job 2") as rest:
            assert rest.uuids == ("GPU-c",)
    assert others.holders() == {}


def test_more_cards_than_there_are__are_refused_at_once(leases: CardLeases) -> None:
    with pytest.raises(ExecutorBusy, match="3 are offered"), leases.some(4, "job", wait_s=60):
        pass


def test_all_or_none__holds_nothing_while_one_is_missing(leases: CardLeases) -> None:
    with (
        leases.some(1, "job 1"),
        pytest.raises(ExecutorBusy, match="job 1"),
        leases.all_of(UUIDS, "hardware challenge"),
    ):
        pass
    with (
        leases.all_of(UUIDS, "hardware challenge"),
        pytest.raises(ExecutorBusy, match="hardware challenge"),
        leases.some(1, "job 2"),
    ):
        pass


def test_waiting__ends_with_the_lease_or_when_it_is_given_up(leases: CardLeases) -> None:
    given_up = threading.Event()
    with leases.all_of(UUIDS, "job 1"):
        given_up.set()
        with pytest.raises(ExecutorBusy), leases.some(1, "job 2", wait_s=600, given_up=given_up.is_set):
            pass
        thread_held = threading.Event()

        def wait() -> None:
            with leases.some(1, "job 3", wait_s=60):
                thread_held.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not thread_held.is_set()
    assert thread_held.wait(60)
    waiting.join()


def test_a_holder_that_dies__lets_go(leases: CardLeases, tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom computility.execution.gpu.card_leases import CardLeases\n"
        "with CardLeases(sys.argv[2:], Path(sys.argv[1])).all_of(sys.argv[2:], 'job 9'):\n"
        "    print('held', flush=True)\n    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path), *UUIDS], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert leases.holders() == dict.fromkeys(UUIDS, "job 9")
        holder.kill()
    with leases.all_of(UUIDS, "me", wait_s=30):
        pass


def test_a_name_that_is_a_path__is_no_card(tmp_path: Path) -> None:
    with pytest.raises(ExecutorUnfit):
        CardLeases(["../GPU"], tmp_path)


class CountedGemm(NumpyGemm):
    """Counts."""

    def __init__(self) -> None:
        self.products = 0

    def multiply(self, left: npt.NDArray[np.int8], right: npt.NDArray[np.int8]) -> npt.NDArray[np.int32]:
        self.products += 1
        return super().multiply(left, right)


def test_a_challenge__waits_for_no_jobs_card_and_touches_none(leases: CardLeases) -> None:
    challenge = HardwareChallenge(b"\7" * 32, ZERO_ADDRESS, UUIDS, 16, 64)
    gemm = CountedGemm()
    with leases.some(1, "job 1"), pytest.raises(ExecutorBusy, match="job 1"):
        answer_challenge(challenge, leases, lambda _: GemmWorker(gemm))
    assert gemm.products == 0
    answer = answer_challenge(challenge, leases, lambda _: GemmWorker(gemm))
    assert gemm.products == len(answer.answers) == 3
    assert leases.holders() == {}
