"""One escrow's books as its events tell them: what each event that moves money changes in them, and how it is read when only money counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from computility.chain.event_decoders import Decoder, sparing_decoder_of
from computility.chain.log_decoding import RawLog, event_classes
from computility.domain.errors import ChainMisbehaved
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
from computility.domain.identifiers import Address, Bytes32
from computility.domain.ledger import Balance
from computility.domain.terms import Terms

# What a close pays, by the field of its event: its name in the totals, and the part of the lock that it comes from.
LEGS: Final = {
    "provider_paid": "payouts",
    "fee": "fees",
    "refund": "refunds",
    "verifier_paid": "verifier_fees",
    "arbiter_from_escrow": "arbiter_fees",
    "arbiter_from_bond": "arbiter_fees",
    "bond_returned": "bonds_returned",
    "bond_to_buyer": "slashes_to_buyers",
    "bond_to_treasury": "slashes_to_treasury",
}


@dataclass
class Books:
    """One escrow's books as its events tell them."""

    balances: dict[Address, Balance] = field(default_factory=dict)
    fees: int = 0
    held: int = 0
    """Came in less went out."""
    locked: int = 0
    free: int = 0
    in_jobs: int = 0
    """Escrows and bonds of the live jobs, by their terms."""
    behind_jobs: int = 0
    """Of those bonds, what came from stakes."""
    totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    live: dict[Bytes32, Terms] = field(default_factory=dict)
    fee_bps: dict[Bytes32, int] = field(default_factory=dict)
    """The market's share, by live job."""
    staked: dict[Bytes32, int] = field(default_factory=dict)
    """By live job; ``behind_jobs`` is their sum."""


def _deposited(books: Books, event: Deposited) -> None:
    books.totals["deposits"] += event.amount


def _withdrawn(books: Books, event: Withdrawn) -> None:
    books.totals["withdrawals"] += event.amount


def _collected(books: Books, event: FeesCollected) -> None:
    books.totals["fees_collected"] += event.amount


def _staked(books: Books, event: BondStaked) -> None:
    books.totals["staked"] += event.amount
    books.staked[event.job] = event.amount
    books.behind_jobs += event.amount


def _unstaked(books: Books, event: BondUnstaked) -> None:
    books.totals["unstaked"] += event.amount
    staked = books.staked.pop(event.job, 0)
    books.behind_jobs -= staked
    books.totals["stakes_slashed"] += staked - event.amount


def _opened(books: Books, event: JobOpened) -> None:
    books.live[event.job] = event.terms
    books.fee_bps[event.job] = event.fee_bps
    at_stake = event.terms.escrow + event.terms.bond
    books.in_jobs += at_stake
    books.totals["locks"] += at_stake
    books.totals["opened_from_wallets"] += event.from_wallet


def _closed(books: Books, event: JobClosed | JobPaid) -> None:
    terms = books.live.pop(event.job, None)
    books.fee_bps.pop(event.job, None)
    if terms is not None:
        books.in_jobs -= terms.escrow + terms.bond
    values, totals = event.__dict__, books.totals
    for name, total in _PAID_BY[event.__class__]:
        amount = values[name]
        if amount:
            totals[total] += amount
    if event.to_wallet:
        totals["paid_to_wallets"] += event.to_wallet


_PAID_BY: Final = {
    kind: tuple((name, total) for name, total in LEGS.items() if name in kind.__dataclass_fields__)
    for kind in (JobClosed, JobPaid)
}
# By class: every event passes here.
BOOK: Final[dict[type[Event], Callable[[Books, Any], None]]] = {
    Deposited: _deposited,
    Withdrawn: _withdrawn,
    FeesCollected: _collected,
    BondStaked: _staked,
    BondUnstaked: _unstaked,
    JobOpened: _opened,
    JobClosed: _closed,
    JobPaid: _closed,
}
"""What else each event that moves money changes in the books."""
OUTSIDE: Final[dict[type[Event], Callable[[Any], int]]] = {
    Deposited: lambda event: event.amount,
    Withdrawn: lambda event: -event.amount,
    FeesCollected: lambda event: -event.amount,
    BondStaked: lambda event: event.amount,
    BondUnstaked: lambda event: -event.amount,
    JobOpened: lambda event: event.from_wallet,
    JobClosed: lambda event: -event.to_wallet,
    JobPaid: lambda event: -event.to_wallet,
}
"""Credits that an event brings into the escrow from wallets or stakes; negative where it pays out."""
OF_A_LOCK: Final = frozenset({JobOpened, JobClosed, JobPaid})
"""Those that say something of their terms."""


@cache
def _money_decoders() -> dict[bytes, tuple[type[Event], Decoder, int]]:
    """By its first topic, each event of the escrow with a decoder of no more than its money and its parties, and the number of its topics."""
    money = {field for kind in BOOK for field in kind.__dataclass_fields__} - {
        "terms",
        "result",
        "meter_root",
        "evidence",
    }
    parties = ("buyer", "payer", "provider", "verifier", "arbiter")
    amounts = ("unit_price", "max_units", "bond", "verifier_fee", "arbiter_fee")
    names = money | {f"terms.{name}" for name in (*parties, *amounts)}
    return {
        topic: (kind, sparing_decoder_of(kind, names if kind in BOOK else ("job",)), len(kind.EVENT.indexed) + 1)
        for topic, (kind, _) in event_classes("JobEscrow").items()
    }


def money_of(log: RawLog) -> Event | None:
    """The event of a log of an escrow, as ``decode_log`` has it, as far as money goes.

    Raises:
        ChainMisbehaved: as there.
    """
    topics = log.topics
    known = _money_decoders().get(topics[0]) if topics else None
    if known is None:
        return None
    kind, decode, count = known
    if len(topics) != count:
        raise ChainMisbehaved(f"a {kind.__name__} log has {len(topics)} topics, not {count}")
    return decode(b"".join((*topics[1:], log.data)))
