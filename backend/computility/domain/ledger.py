"""What an event does to the accounts inside the escrow, exactly as ``IJobEscrow`` says beside each event.

Balances are sums of these deltas, so an event is undone by subtracting them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from computility.domain.events import (
    BondStaked,
    BondUnstaked,
    Deposited,
    Event,
    FeesCollected,
    JobClosed,
    JobOpened,
    JobPaid,
    Withdrawn,
)
from computility.domain.identifiers import Address
from computility.domain.terms import Terms

_NEW: Final = tuple.__new__
"""What a named tuple's own constructor calls: a balance is made for every leg of every event."""


class Balance(NamedTuple):
    """Atoms of credit of one account inside an escrow."""

    free: int = 0
    locked: int = 0

    def __add__(self, other: tuple[int, ...]) -> Balance:  # type: ignore[override]  # sums, where a tuple would be longer
        return _NEW(Balance, (self[0] + other[0], self[1] + other[1]))

    def __neg__(self) -> Balance:
        return Balance(-self[0], -self[1])


class Movement(NamedTuple):
    """Everything that one event moves: balances by account, and the fees that await collection.

    An account is there if anything came or went, even where both are as much: whoever was only named, as by a deposit of nothing, is not.
    """

    accounts: dict[Address, Balance]
    fees: int = 0


def movement_of(event: Event, terms: Terms | None) -> Movement:
    """What an event moves. ``terms`` are the job's, which a close needs and its event does not repeat."""
    move = _MOVES.get(event.__class__)
    return _NOTHING if move is None else move(event, terms)


def _deposited(event: Deposited, _: Terms | None) -> Movement:
    return _sum(((event.account, event.amount, 0),))


def _withdrawn(event: Withdrawn, _: Terms | None) -> Movement:
    return _sum(((event.account, -event.amount, 0),))


def _staked(event: BondStaked, _: Terms | None) -> Movement:
    return _sum(((event.provider, event.amount, 0),))


def _unstaked(event: BondUnstaked, _: Terms | None) -> Movement:
    return _sum(((event.provider, -event.amount, 0),))


def _opened(event: JobOpened, _: Terms | None) -> Movement:
    job = event.terms
    return _sum(
        (
            (job.payer, event.from_wallet - event.escrow, event.escrow),
            (job.provider, -job.bond, job.bond),
        )
    )


def _closed(event: JobClosed, terms: Terms | None) -> Movement:
    if terms is None:
        return _NOTHING
    return _sum(
        (
            (terms.payer, event.refund, -terms.escrow),
            (terms.provider, event.provider_paid + event.bond_returned, -terms.bond),
            (terms.verifier, event.verifier_paid, 0),
            (terms.arbiter, event.arbiter_from_escrow + event.arbiter_from_bond, 0),
            (terms.buyer, event.bond_to_buyer, 0),
            (event.caller, -event.to_wallet, 0),
        ),
        event.fee + event.bond_to_treasury,
    )


def _paid(event: JobPaid, terms: Terms | None) -> Movement:
    if terms is None:
        return _NOTHING
    return _sum(
        (
            (terms.payer, event.refund, -terms.escrow),
            (terms.provider, event.provider_paid + terms.bond, -terms.bond),
            (terms.verifier, event.verifier_paid, 0),
            (event.caller, -event.to_wallet, 0),
        ),
        event.fee,
    )


def _collected(event: FeesCollected, _: Terms | None) -> Movement:
    return Movement({}, -event.amount)


def _sum(legs: tuple[tuple[Address, int, int], ...], fees: int = 0) -> Movement:
    totals: dict[Address, Balance] = {}
    for account, free, locked in legs:
        if free or locked:
            known = totals.get(account)
            totals[account] = _NEW(Balance, (free, locked) if known is None else (known[0] + free, known[1] + locked))
    return Movement(totals, fees)


_NOTHING: Final = Movement({})
_MOVES: Final[dict[type[Event], Callable[[Any, Terms | None], Movement]]] = {
    Deposited: _deposited,
    Withdrawn: _withdrawn,
    BondStaked: _staked,
    BondUnstaked: _unstaked,
    JobOpened: _opened,
    JobClosed: _closed,
    JobPaid: _paid,
    FeesCollected: _collected,
}
