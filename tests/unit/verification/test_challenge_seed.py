"""Which of several challenges counts.

the panel in its order
├── the first opens: it counts, whoever opened before
├── the first promised, and does not open: nobody counts in its turn, the next one after it
├── the first did not promise: the next counts after the first's turn
├── opened without a promise, or to another secret: does not count
└── who promises: the first at once, the next once those before it let their turns pass

a submission is committed by its signature, in whichever spelling it travels
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, JobId, bytes32
from computility.domain.statements import Challenge, SignedStatement, StatementKind, Submission
from computility.verification.challenge_seed import (
    TURN_S,
    Beacon,
    commitment_of,
    counting_challenge,
    is_turn_of,
    ranked,
)

JOB = JobId(Bytes32("0x" + "11" * 32))
FIRST, SECOND, THIRD, STRANGER = (Address("0x" + f"{n}" * 40) for n in range(1, 5))
PANEL = [FIRST, SECOND, THIRD]
SUBMISSION = Submission(JOB, 1, ZERO_BYTES32, 1, ZERO_BYTES32, 100)
AT = 1_000


@dataclass(frozen=True)
class Said:
    """As much of a signed statement as counts."""

    signer: Address
    message: Challenge


def promise(signer: Address, block: int = 7) -> Said:
    secret = bytes.fromhex(signer[2:4]) * 32
    return Said(signer, Challenge(JOB, 1, Beacon(ZERO_BYTES32, secret).promise, block, ZERO_BYTES32))


def opening(signer: Address, block: int = 7) -> Said:
    return Said(signer, replace(promise(signer, block).message, secret=bytes32(bytes.fromhex(signer[2:4]) * 32)))


def counting(*made: Said, now: int = AT, time: Any = lambda _: AT) -> Address | None:
    known: Any = made
    found = counting_challenge(known, 1, PANEL, time, now)
    return found[0] if found else None


def test_the_first_counts__whoever_opened_before() -> None:
    made = (promise(SECOND), opening(SECOND), promise(FIRST), opening(FIRST))
    assert counting(*made) == FIRST
    assert counting(*made, now=AT + 100 * TURN_S) == FIRST


def test_an_early_opening_of_another__leaves_the_first_its_turn() -> None:
    early = (promise(SECOND), opening(SECOND))
    assert counting(*early) is None
    assert counting(*early, promise(FIRST), now=AT + TURN_S - 1) is None
    assert counting(*early, now=AT + TURN_S) == SECOND
    assert counting(*early, promise(FIRST), now=AT + TURN_S) == SECOND
    assert counting(promise(THIRD), opening(THIRD), now=AT + TURN_S) is None
    assert counting(promise(THIRD), opening(THIRD), now=AT + 2 * TURN_S) == THIRD


@pytest.mark.parametrize(
    "made",
    [
        (opening(FIRST),),
        (opening(FIRST), promise(FIRST)),
        (promise(FIRST, 8), opening(FIRST)),
        (promise(FIRST), Said(FIRST, replace(opening(FIRST).message, secret=Bytes32("0x" + "99" * 32)))),
        (promise(STRANGER), opening(STRANGER)),
    ],
)
def test_what_was_not_promised__does_not_count(made: tuple[Said, ...]) -> None:
    assert counting(*made) is None


def test_a_block_that_is_not_there__is_waited_for() -> None:
    assert counting(promise(FIRST), opening(FIRST), time=lambda _: None) is None


def test_who_promises__is_the_first__and_then_the_next() -> None:
    def turn(member: Address, now: int, *made: Said) -> bool:
        known: Any = made
        return is_turn_of(member, known, SUBMISSION, PANEL, lambda _: AT, now)

    assert turn(FIRST, 100)
    assert not turn(SECOND, 100 + TURN_S - 1)
    assert turn(SECOND, 100 + TURN_S)
    assert not turn(THIRD, 100 + TURN_S)
    assert not turn(STRANGER, AT)
    # A promise of the first begins its turn anew.
    assert not turn(SECOND, 100 + TURN_S, promise(FIRST))
    assert turn(SECOND, AT + TURN_S, promise(FIRST))


def test_a_panel_has_one_order_a_job() -> None:
    assert ranked(JOB, PANEL) == ranked(JOB, reversed(PANEL))
    orders = {tuple(ranked(Bytes32(f"0x{n:064x}"), PANEL)) for n in range(64)}
    assert len(orders) == 6


def test_a_commitment__is_the_same_in_both_spellings_of_its_signature__and_another_for_whatever_it_binds() -> None:
    def signed(made: Submission, signer: Address, signature: str) -> SignedStatement:
        return SignedStatement(StatementKind.SUBMISSION, JOB, signer, made, signature)

    long = "0x" + "11" * 32 + "22" * 32 + "1c"
    short = "0x" + "11" * 32 + "a2" + "22" * 31
    digest = commitment_of(signed(SUBMISSION, FIRST, long), SUBMISSION).digest
    assert commitment_of(signed(SUBMISSION, FIRST, short), SUBMISSION).digest == digest
    other = JobId(Bytes32("0x" + "12" * 32))
    changed = [replace(SUBMISSION, job=other), replace(SUBMISSION, attempt=2), replace(SUBMISSION, result=JOB)]
    others = [commitment_of(signed(made, FIRST, long), made).digest for made in changed]
    others.append(commitment_of(signed(SUBMISSION, SECOND, long), SUBMISSION).digest)
    others.append(commitment_of(signed(SUBMISSION, FIRST, long[:-2] + "1b"), SUBMISSION).digest)
    assert len({digest, *others}) == 6
