"""What an event does to the accounts inside the escrow, exactly as ``IJobEscrow`` says beside each event.

Balances are sums of these deltas, so an event is undone by subtracting them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from computility.domain.events import Deposited, Event, FeesCollected, JobClosed, JobOpened, JobPaid, Withdrawn
from computility.domain.identifiers import Address
from computility.domain.terms import Terms


class Balance(NamedTuple):
    """Atoms of credit of one account inside an escrow."""

    free: int = 0
    locked: int = 0

    def __add__(self, other: tuple[int, ...]) -> Balance:  # type: ignore[override]  # sums, where a tuple would be longer
        return Balance(self[0] + other[0], self[1] + other[1])

    def __neg__(self) -> Balance:
        return Balance(-self[0], -self[1])


@dataclass(frozen=True)
class Movement:
    """Everything that one event moves: balances by account, and the fees that await collection."""

    accounts: dict[Address, Balance]
    fees: int = 0


def movement_of(event: Event, terms: Terms | None) -> Movement:
    """What an event moves. ``terms`` are the job's, which a close needs and its event does not repeat."""
    match event:
        case Deposited():
            return Movement({event.account: Balance(free=event.amount)})
        case Withdrawn():
            return Movement({event.account: Balance(free=-event.amount)})
        case JobOpened():
            job = event.terms
            from_balance = event.escrow - event.from_wallet
            return _sum(
                [
                    (job.payer, Balance(-from_balance, event.escrow)),
                    (job.provider, Balance(-job.bond, job.bond)),
                ]
            )
        case JobClosed() if terms is not None:
            return _sum(
                [
                    (terms.payer, Balance(event.refund, -terms.escrow)),
                    (terms.provider, Balance(event.provider_paid + event.bond_returned, -terms.bond)),
                    (terms.verifier, Balance(event.verifier_paid)),
                    (terms.arbiter, Balance(event.arbiter_from_escrow + event.arbiter_from_bond)),
                    (terms.buyer, Balance(event.bond_to_buyer)),
                    (event.caller, Balance(-event.to_wallet)),
                ],
                event.fee + event.bond_to_treasury,
            )
        case JobPaid() if terms is not None:
            return movement_of(event.as_two(terms)[1], terms)
        case FeesCollected():
            return Movement({}, -event.amount)
    return Movement({})


def _sum(legs: Iterable[tuple[Address, Balance]], fees: int = 0) -> Movement:
    totals: dict[Address, Balance] = {}
    for account, balance in legs:
        if balance[0] or balance[1]:
            known = totals.get(account)
            totals[account] = balance if known is None else known + balance
    return Movement(totals, fees)
