"""Hardware ratings: the honest are rated, and whoever saves work is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from computility.domain.attestation import Verdict
from computility.domain.identifiers import Address
from computility.verification.hardware_challenge import (
    CardAnswer,
    HardwareChallenge,
    answer_card,
    commitment,
    row_digest,
)
from computility.verification.hardware_rating import check_answer, micro_cu, sampled_rows
from computility.verification.integer_gemm import NumpyGemm

SEED = b"from a block of the epoch"
LATER = b"drawn after the commitment"
PROVIDER = Address("0x" + "11" * 20)
CHALLENGE = HardwareChallenge(SEED, PROVIDER, ("GPU-a", "GPU-b"), rows=600, size=64)


def answers() -> dict[str, CardAnswer]:
    right = CHALLENGE.right()
    return {card: answer_card(CHALLENGE, card, right, NumpyGemm()) for card in CHALLENGE.cards}


def skipped(answer: CardAnswer, rows: range) -> CardAnswer:
    product = answer.product.copy()
    product[rows.start : rows.stop] = 7
    return CardAnswer(answer.card, product, tuple(row_digest(row) for row in product))


def checked(given: dict[str, CardAnswer], rows: int = 460, seed: bytes = LATER) -> Any:
    digests = {card: answer.digests for card, answer in given.items()}
    root = commitment([digests[card] for card in CHALLENGE.cards])
    opened = {card: answer.opened(sampled_rows(CHALLENGE, card, root, seed, rows)) for card, answer in given.items()}
    return check_answer(CHALLENGE, root, digests, opened, seed, rows)


def test_gemm__with_the_highest_entries_and_many_blocks__is_exact() -> None:
    left = np.full((3, 3_000), -128, dtype=np.int8)
    right = np.full((3_000, 2), -128, dtype=np.int8)
    right[::7] = 127
    expected = left.astype(np.int64) @ right.astype(np.int64)
    assert (NumpyGemm().multiply(left, right) == expected).all()


def test_challenge__every_card_has_work_of_its_own__and_any_row_can_be_made_alone() -> None:
    whole = CHALLENGE.left("GPU-a")
    assert (CHALLENGE.left("GPU-a", [5, 599]) == whole[[5, 599]]).all()
    assert (CHALLENGE.left("GPU-b") != whole).any()
    other = HardwareChallenge(b"from a block of another epoch", PROVIDER, ("GPU-a",), rows=600, size=64)
    assert (other.left("GPU-a") != whole).any()
    assert (other.right() != CHALLENGE.right()).any()


def test_challenge__its_matrices_are_fixed_for_ever() -> None:
    # Providers and verifiers of different releases have to make the same.
    assert CHALLENGE.right()[0, :4].tolist() == [24, -123, 15, 28]
    assert CHALLENGE.left("GPU-a", [1])[0, :4].tolist() == [-110, 26, -38, -6]


def test_check_answer__honest__passes_with_its_bits() -> None:
    result = checked(answers())
    assert (result.verdict, result.reason) == (Verdict.PASS, "rows-hold")
    assert result.soundness_bits > 6


def test_check_answer__two_percent_of_the_rows_of_one_card_skipped__is_caught() -> None:
    given = answers()
    given["GPU-b"] = skipped(given["GPU-b"], range(100, 112))
    assert checked(given).reason == "product-wrong"


def test_check_answer__one_cards_work_handed_in_for_two__is_caught() -> None:
    given = answers()
    given["GPU-b"] = CardAnswer("GPU-b", given["GPU-a"].product, given["GPU-a"].digests)
    assert checked(given).verdict is Verdict.FAIL


def test_check_answer__rows_put_right_after_the_commitment__differ_from_their_digests() -> None:
    honest = answers()
    lazy = dict(honest)
    lazy["GPU-a"] = skipped(honest["GPU-a"], range(300))
    digests = {card: answer.digests for card, answer in lazy.items()}
    root = commitment([digests[card] for card in CHALLENGE.cards])
    opened = {card: honest[card].opened(sampled_rows(CHALLENGE, card, root, LATER)) for card in CHALLENGE.cards}

    assert check_answer(CHALLENGE, root, digests, opened, LATER).reason == "row-differs"
    fixed = {card: honest[card].digests for card in CHALLENGE.cards}
    assert check_answer(CHALLENGE, root, fixed, opened, LATER).reason == "root-differs"


def test_check_answer__a_card_left_out__has_rows_missing() -> None:
    given = answers()
    digests = {card: answer.digests for card, answer in given.items()}
    root = commitment([digests[card] for card in CHALLENGE.cards])
    assert check_answer(CHALLENGE, root, {"GPU-a": digests["GPU-a"]}, {}, LATER).reason == "rows-missing"


def test_sampled_rows__depend_on_the_root__so_that_nobody_tries_roots_in_advance_for_free() -> None:
    roots = [commitment([[bytes([number])]]) for number in range(2)]
    assert sampled_rows(CHALLENGE, "GPU-a", roots[0], LATER) != sampled_rows(CHALLENGE, "GPU-a", roots[1], LATER)


def test_micro_cu__counts_the_work_of_one_card_over_the_time_of_all() -> None:
    assert CHALLENGE.operations == 2 * 600 * 64 * 64
    assert micro_cu(CHALLENGE, 1) == 4_915
    with pytest.raises(ValueError, match="millisecond"):
        micro_cu(CHALLENGE, 0)


@pytest.mark.parametrize("wrong", [{"seed": b"short"}, {"cards": ()}, {"cards": ("a", "a")}, {"size": 12}, {"rows": 0}])
def test_challenge__that_makes_no_sense__is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"seed|cards|rows"):
        HardwareChallenge(**{"seed": SEED, "provider": PROVIDER, "cards": ("a",), "rows": 8, "size": 8, **wrong})
