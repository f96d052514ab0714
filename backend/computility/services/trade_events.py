"""Which logs of a chain's receipts tell of a trade: its escrow's, and those of the institutions around it.

What the institutions say is tied to the trade by what the escrow says, and by nothing that a proof's maker could choose:

- The terms, whose hash is the job's id, name verifier and arbiter. Of a committee's events those count that name the job, and the record of the
  block that opened it, by whose hash its panel is drawn. Of an arbitration's those of the dispute that its ``DisputeOpened`` opened for the job.
- A registry does not name jobs. But the escrow calls it before each ``BondStaked`` and after each ``BondUnstaked``, so that the nearest
  ``StakeReserved`` before, or ``StakeReleased`` after, of the same provider and amount is the registry's, and a ``StakeSlashed`` right behind that.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from computility.chain.log_decoding import decode_log
from computility.chain.receipt_trie import ProvenHeader, ProvenLog
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    BondStaked,
    BondUnstaked,
    Event,
    JobOpened,
    StakeReleased,
    StakeReserved,
    StakeSlashed,
)
from computility.domain.identifiers import Address, Bytes32, address_from_bytes
from computility.domain.institution_events import BlockRecorded, DisputeOpened
from computility.domain.terms import Terms

ESCROW: Final = "JobEscrow"
REGISTRY: Final = "ProviderRegistry"
COMMITTEE: Final = "VerifierCommittee"
ARBITRATION: Final = "Arbitration"


@dataclass(frozen=True)
class ProvenEvent:
    """An event, the contract that it is of, and the block and transaction that it is proven to be in."""

    event: Event
    contract: str
    address: Address
    block_number: int
    block_hash: Bytes32
    transaction_index: int
    timestamp: int


@dataclass(frozen=True)
class ReceiptInBlock:
    """The logs of a receipt that is proven to be in a block."""

    header: ProvenHeader
    index: int
    logs: tuple[ProvenLog, ...]

    def event(self, contract: str, address: Address, event: Event) -> ProvenEvent:
        """One of its events."""
        at = self.header
        return ProvenEvent(event, contract, address, at.number, at.hash, self.index, at.timestamp)


Told = dict[tuple[int, int], ProvenEvent]
"""Events by the number of their receipt in a proof, and of their log in that receipt."""


def told_by_escrow(receipts: Sequence[ReceiptInBlock], escrow: Address, job: Bytes32) -> Told:
    """What the escrow says of a job.

    Raises:
        ChainMisbehaved: a log of the escrow has not its event's form.
    """
    found: Told = {}
    for (number, place), log in _logs_of(receipts, escrow):
        event = decode_log(ESCROW, log.topics, log.data)
        if event is not None and event.told_job == job:
            found[number, place] = receipts[number].event(ESCROW, escrow, event)
    return found


def told_by_institutions(receipts: Sequence[ReceiptInBlock], by_escrow: Told, terms: Terms, job: Bytes32) -> Told:
    """What registry, committee and arbitration say of a job, whose terms hash to its id."""
    opened = next(proven.block_number for proven in by_escrow.values() if isinstance(proven.event, JobOpened))
    found = _told_by_registry(receipts, by_escrow)
    for (number, place), log in _logs_of(receipts, terms.verifier):
        event = institution_event(COMMITTEE, log.topics, log.data)
        if event is not None and committee_tells(event, job, opened):
            found[number, place] = receipts[number].event(COMMITTEE, terms.verifier, event)
    decoded = [
        (at, institution_event(ARBITRATION, log.topics, log.data)) for at, log in _logs_of(receipts, terms.arbiter)
    ]
    disputes = disputes_of((event for _, event in decoded), job)
    for (number, place), event in decoded:
        if event is not None and arbitration_tells(event, disputes):
            found[number, place] = receipts[number].event(ARBITRATION, terms.arbiter, event)
    # Another contract that speaks for the escrow speaks for nobody.
    return {at: proven for at, proven in found.items() if at not in by_escrow}


def committee_tells(event: Event, job: Bytes32, opened: int) -> bool:
    """Whether a committee's event is part of the story of a job that block ``opened`` has opened."""
    return event.told_job == job or (isinstance(event, BlockRecorded) and event.number == opened)


def disputes_of(events: Iterable[Event | None], job: Bytes32) -> frozenset[int]:
    """The numbers of a job's disputes, of which an arbitration opens one."""
    return frozenset(event.dispute_id for event in events if isinstance(event, DisputeOpened) and event.job == job)


def arbitration_tells(event: Event, disputes: Collection[int]) -> bool:
    """Whether an arbitration's event is of one of these disputes. Evidence is grouped by dispute."""
    named = getattr(event, "dispute_id", getattr(event, "evidence_group_id", None))
    return named in disputes


def institution_event(contract: str, topics: tuple[bytes, ...], data: bytes) -> Event | None:
    """An event of a contract that the parties named; None of any other log. It need not be ours: whatever it writes must not undo a proof."""
    try:
        return decode_log(contract, topics, data)
    except ChainMisbehaved:
        return None


def _told_by_registry(receipts: Sequence[ReceiptInBlock], by_escrow: Told) -> Told:
    found: Told = {}
    for (number, place), proven in by_escrow.items():
        receipt = receipts[number]
        for at in _around_bond(receipt, place, proven.event):
            event = _registry_event(receipt, at)
            if event is not None:
                found[number, at] = receipt.event(REGISTRY, address_from_bytes(receipt.logs[at].address), event)
    return found


def _around_bond(receipt: ReceiptInBlock, place: int, bonded: Event) -> Iterator[int]:
    """Where in a receipt the registry's logs about a bond on stake are, if the escrow's log at ``place`` is of one."""
    if isinstance(bonded, BondStaked):
        earlier = (
            at for at in range(place - 1, -1, -1) if _is_about(bonded, _registry_event(receipt, at), StakeReserved)
        )
        yield from itertools.islice(earlier, 1)
    elif isinstance(bonded, BondUnstaked):
        places = range(place + 1, len(receipt.logs))
        for at in (at for at in places if _is_about(bonded, _registry_event(receipt, at), StakeReleased)):
            yield at
            behind = _registry_event(receipt, at + 1) if at + 1 < len(receipt.logs) else None
            same = behind is not None and receipt.logs[at + 1].address == receipt.logs[at].address
            if same and isinstance(behind, StakeSlashed) and behind.provider == bonded.provider:
                yield at + 1
            return


def _is_about(
    bonded: BondStaked | BondUnstaked, event: Event | None, kind: type[StakeReserved | StakeReleased]
) -> bool:
    return isinstance(event, kind) and (event.provider, event.amount) == (bonded.provider, bonded.amount)


def _registry_event(receipt: ReceiptInBlock, place: int) -> Event | None:
    return institution_event(REGISTRY, receipt.logs[place].topics, receipt.logs[place].data)


def _logs_of(receipts: Sequence[ReceiptInBlock], address: Address) -> Iterator[tuple[tuple[int, int], ProvenLog]]:
    raw = bytes.fromhex(address[2:])
    for number, receipt in enumerate(receipts):
        for place, log in enumerate(receipt.logs):
            if log.address == raw:
                yield (number, place), log
