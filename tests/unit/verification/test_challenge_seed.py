"""Which of several challenges counts.

the panel's promises
├── the lowest block counts, and of one block the first of the panel's order
├── it is not opened in time: nothing is drawn anew, and everything is looked at
├── opened without a promise, or to another secret: does not count
└── who promises: the first at once, the next once those before it let their turns pass, nobody once one did

a submission is committed by its signature, in whichever spelling it travels
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, JobId, bytes32
from computility.domain.statements import Challenge, SignedStatement, StatementKind, Submission
from computility.verification.challenge_seed import (
    OPEN_WITHIN_S,
    TURN_S,
    WITHHELD,
    Beacon,
    Withheld,
    commitment_of,
    counting_challenge,
    drawn_order,
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


def counting(*made: Said, now: int = AT, time: Any = lambda _: AT) -> Address | Withheld | None:
    known: Any = made
    found = counting_challenge(known, 1, PANEL, time, now)
    return found[0] if isinstance(found, tuple) else found


def test_the_lowest_block_that_was_promised_counts__and_of_one_block_the_first_of_the_panel() -> None:
    both = (promise(SECOND), opening(SECOND), promise(FIRST), opening(FIRST))
    assert counting(*both) == FIRST
    assert counting(promise(SECOND, 6), opening(SECOND, 6), promise(FIRST), opening(FIRST)) == SECOND
    assert counting(promise(SECOND, 6), promise(FIRST), opening(FIRST)) is None


def test_who_saw_a_draw_and_is_silent__has_nobody_draw_anew() -> None:
    """The second draw that a colluding member had: it lets its turn pass, and another draws."""
    silent = (promise(FIRST), promise(SECOND, 8), opening(SECOND, 8))
    assert counting(*silent, now=AT + OPEN_WITHIN_S) is None
    assert counting(*silent, now=AT + 1_000) is WITHHELD
    # Nor does whoever promises once it knows what another drew.
    assert counting(promise(SECOND), opening(SECOND), promise(FIRST, 8), opening(FIRST, 8), now=AT + 1_000) == SECOND


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


def test_who_promises__is_the_first__and_then_the_next__until_one_did() -> None:
    def turn(member: Address, now: int, *made: Said) -> bool:
        known: Any = made
        return is_turn_of(member, known, SUBMISSION, PANEL, now)

    assert turn(FIRST, 100)
    assert not turn(SECOND, 100 + TURN_S - 1)
    assert turn(SECOND, 100 + TURN_S)
    assert not turn(THIRD, 100 + TURN_S)
    assert not turn(STRANGER, AT)
    assert not turn(SECOND, AT + 1_000, promise(FIRST))
    assert turn(FIRST, AT + 1_000, promise(FIRST))


def test_who_runs_a_job__is_drawn_by_the_seed() -> None:
    assert {drawn_order(bytes([n]) * 32, PANEL)[0] for n in range(32)} == set(PANEL)
    assert drawn_order(b"seed", PANEL) == drawn_order(b"seed", reversed(PANEL))


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
