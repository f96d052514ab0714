"""A job as the escrow's events tell it: a pure fold, and the twin of the contract's split of money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    Event,
    EventOrigin,
    JobAttested,
    JobCancelled,
    JobClosed,
    JobDisputed,
    JobOpened,
    JobPaid,
    JobProposed,
    JobRuled,
)
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.terms import Terms
from computility.domain.units import FULL_BPS, share_down


class JobState(IntEnum):
    """As ``contracts/types/Job.sol``. Closed absorbs."""

    NONE = 0
    OPEN = 1
    PENDING = 2
    DISPUTED = 3
    CLOSED = 4


class Outcome(IntEnum):
    """As ``contracts/types/Job.sol``, in rising rank but for pass and fail, which rank alike."""

    NO_FAULT = 0
    CLAIM = 1
    PASS = 2
    FAIL = 3


class ClosedBy(IntEnum):
    """As ``contracts/types/Job.sol``: the transition that closed a job."""

    ATTESTED = 0
    FINALIZED = 1
    RULED = 2
    AGREED = 3
    RECLAIMED = 4
    DISPUTED_BY_DEFAULT = 5
    CANCELLED = 6


# By names of the module's own: every event of a job passes here, and to read a member of an enumeration takes as long as four additions.
_OPEN, _PENDING, _CLOSED = JobState.OPEN, JobState.PENDING, JobState.CLOSED
_PASS, _ATTESTED = Outcome.PASS, ClosedBy.ATTESTED


@dataclass(frozen=True)
class JobRecord:
    """Everything that the events say of a job. Amounts are atoms of credit, times UTC seconds.

    ``terms`` is None for one that was cancelled before it opened, what a close settles is None until then, and what a ruling says without one.
    """

    id: Bytes32
    state: JobState
    terms: Terms | None = None
    outcome: Outcome | None = None
    closed_by: ClosedBy | None = None
    fee_bps: int | None = None
    escrow: int | None = None
    from_wallet: int | None = None
    accepted: int = 0
    pending: int = 0
    quality_bps: int = FULL_BPS
    deadline: int | None = None
    units: int | None = None
    provider_paid: int | None = None
    fee: int | None = None
    refund: int | None = None
    verifier_paid: int | None = None
    arbiter_from_escrow: int | None = None
    arbiter_from_bond: int | None = None
    bond_returned: int | None = None
    bond_to_buyer: int | None = None
    bond_to_treasury: int | None = None
    to_wallet: int | None = None
    slash_bps: int | None = None
    cost_bps: int | None = None
    result: Bytes32 | None = None
    evidence: Bytes32 | None = None
    opened_at: int | None = None
    opened_block: int | None = None
    opened_tx: Bytes32 | None = None
    closed_at: int | None = None
    closed_block: int | None = None
    closed_tx: Bytes32 | None = None

    @property
    def failed(self) -> bool:
        """Whether the verifier's fail stands against the provider: it was not disputed, or a ruling slashed the bond, or there was nobody to rule and
        the dispute, which is free then, took away no more than the slash."""
        if self.closed_by is ClosedBy.RULED:
            return (self.slash_bps or 0) > 0
        stood = (ClosedBy.ATTESTED, ClosedBy.FINALIZED, ClosedBy.DISPUTED_BY_DEFAULT)
        return self.outcome is Outcome.FAIL and self.closed_by in stood


def apply_event(record: JobRecord | None, event: Event, origin: EventOrigin) -> JobRecord:
    """The job after one of its events.

    Raises:
        ChainMisbehaved: the event cannot follow: one before it is missing, or it came twice.
    """
    begin = _BEGINNINGS.get(event.__class__)
    if begin is not None:
        if record is not None:
            raise ChainMisbehaved(f"{type(event).__name__} of job {event.job_id} came twice")
        return begin(event, origin)
    if record is None or record.state is _CLOSED:
        raise ChainMisbehaved(f"{type(event).__name__} of job {event.job_id} does not follow what was read before it")
    follow = _STEPS.get(event.__class__)
    if follow is None:
        raise ChainMisbehaved(f"{type(event).__name__} is no event of a job")
    return follow(record, event, origin)


def _opened(event: JobOpened, origin: EventOrigin) -> JobRecord:
    return _changed(
        _BLANK,
        id=event.job,
        state=_OPEN,
        terms=event.terms,
        fee_bps=event.fee_bps,
        escrow=event.escrow,
        from_wallet=event.from_wallet,
        deadline=event.terms.end,
        opened_at=origin.timestamp,
        opened_block=origin.block_number,
        opened_tx=origin.tx_hash,
    )


def _cancelled(event: JobCancelled, origin: EventOrigin) -> JobRecord:
    return _changed(
        _BLANK,
        id=event.job,
        state=_CLOSED,
        closed_by=ClosedBy.CANCELLED,
        closed_at=origin.timestamp,
        closed_block=origin.block_number,
        closed_tx=origin.tx_hash,
    )


def _attested(record: JobRecord, event: JobAttested, _: EventOrigin) -> JobRecord:
    # Only a reading raises what is accepted, and it leaves the state alone; everything else that counts started a window.
    reading = event.accepted > record.accepted
    return _changed(
        record,
        state=record.state if reading else _PENDING,
        outcome=record.outcome if reading else Outcome(event.outcome),
        accepted=event.accepted,
        pending=event.pending,
        quality_bps=record.quality_bps if reading or event.verdict == Verdict.NO_FAULT else event.quality_bps,
        deadline=event.deadline,
        result=event.result if event.result != ZERO_BYTES32 else record.result,
        evidence=event.evidence if event.evidence != ZERO_BYTES32 else record.evidence,
    )


def _proposed(record: JobRecord, event: JobProposed, _: EventOrigin) -> JobRecord:
    return _changed(
        record,
        state=_PENDING,
        outcome=Outcome.CLAIM,
        pending=event.units,
        deadline=event.deadline,
        result=event.result,
    )


def _disputed(record: JobRecord, event: JobDisputed, _: EventOrigin) -> JobRecord:
    return _changed(record, state=JobState.DISPUTED, deadline=event.deadline)


def _ruled(record: JobRecord, event: JobRuled, _: EventOrigin) -> JobRecord:
    return _changed(record, slash_bps=event.slash_bps, cost_bps=event.cost_bps)


def _paid(record: JobRecord, event: JobPaid, origin: EventOrigin) -> JobRecord:
    """A final pass and the close that pays it, in one: the arbiter has nothing of it, and the bond goes back whole."""
    assert record.terms is not None, "only an opened job has events that follow"
    return _changed(
        record,
        state=_CLOSED,
        outcome=_PASS,
        closed_by=_ATTESTED,
        accepted=event.units,
        pending=0,
        quality_bps=event.quality_bps,
        deadline=None,
        units=event.units,
        provider_paid=event.provider_paid,
        fee=event.fee,
        refund=event.refund,
        verifier_paid=event.verifier_paid,
        arbiter_from_escrow=0,
        arbiter_from_bond=0,
        bond_returned=record.terms.bond,
        bond_to_buyer=0,
        bond_to_treasury=0,
        to_wallet=event.to_wallet,
        result=event.result if event.result != ZERO_BYTES32 else record.result,
        evidence=event.evidence if event.evidence != ZERO_BYTES32 else record.evidence,
        closed_at=origin.timestamp,
        closed_block=origin.block_number,
        closed_tx=origin.tx_hash,
    )


def _closed(record: JobRecord, event: JobClosed, origin: EventOrigin) -> JobRecord:
    return _changed(
        record,
        state=_CLOSED,
        outcome=Outcome(event.outcome),
        closed_by=ClosedBy(event.cause),
        accepted=event.units,
        pending=0,
        deadline=None,
        units=event.units,
        provider_paid=event.provider_paid,
        fee=event.fee,
        refund=event.refund,
        verifier_paid=event.verifier_paid,
        arbiter_from_escrow=event.arbiter_from_escrow,
        arbiter_from_bond=event.arbiter_from_bond,
        bond_returned=event.bond_returned,
        bond_to_buyer=event.bond_to_buyer,
        bond_to_treasury=event.bond_to_treasury,
        to_wallet=event.to_wallet,
        closed_at=origin.timestamp,
        closed_block=origin.block_number,
        closed_tx=origin.tx_hash,
    )


def _changed(record: JobRecord, **changes: Any) -> JobRecord:
    # ``dataclasses.replace`` goes through the constructor of thirty frozen fields: six times as long, for each event of an indexer.
    after = object.__new__(JobRecord)
    values = record.__dict__.copy()
    values.update(changes)
    object.__setattr__(after, "__dict__", values)
    return after


_BLANK: Final = JobRecord(id=ZERO_BYTES32, state=JobState.NONE)
# By class: an event of an indexer's hot path is not compared with one class after another.
_BEGINNINGS: Final[dict[type[Event], Callable[[Any, EventOrigin], JobRecord]]] = {
    JobOpened: _opened,
    JobCancelled: _cancelled,
}
_STEPS: Final[dict[type[Event], Callable[[JobRecord, Any, EventOrigin], JobRecord]]] = {
    JobAttested: _attested,
    JobProposed: _proposed,
    JobDisputed: _disputed,
    JobRuled: _ruled,
    JobClosed: _closed,
    JobPaid: _paid,
}


@dataclass(frozen=True)
class Split:
    """Who gets what when a job closes. The first five add up to the escrow, the bond's legs to the bond."""

    provider_paid: int
    fee: int
    refund: int
    verifier_paid: int
    arbiter_from_escrow: int
    arbiter_from_bond: int
    bond_returned: int
    bond_to_buyer: int
    bond_to_treasury: int


def split(
    terms: Terms,
    fee_bps: int,
    units: int,
    *,
    verifier_earned: bool,
    arbiter_earned: bool = False,
    cost_bps: int = 0,
    slash_wanted: int = 0,
) -> Split:
    """``Payout.split`` of the contracts: fees and slashes round down, refunds and net pay are subtractions."""
    gross = terms.unit_price * units
    fee = share_down(gross, fee_bps)
    verifier_paid = terms.verifier_fee if verifier_earned else 0
    from_bond = share_down(terms.arbiter_fee, cost_bps) if arbiter_earned else 0
    from_escrow = terms.arbiter_fee - from_bond if arbiter_earned else 0
    bond_left = terms.bond - from_bond
    slash = min(slash_wanted, bond_left)
    to_buyer = min(slash, terms.unit_price * (terms.max_units - units))
    return Split(
        provider_paid=gross - fee,
        fee=fee,
        refund=terms.escrow - gross - verifier_paid - from_escrow,
        verifier_paid=verifier_paid,
        arbiter_from_escrow=from_escrow,
        arbiter_from_bond=from_bond,
        bond_returned=bond_left - slash,
        bond_to_buyer=to_buyer,
        bond_to_treasury=slash - to_buyer,
    )
