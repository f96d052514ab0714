"""Jobs, balances and providers as their events tell them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.domain.test_split import TERMS

from computility.domain import job as job_fold
from computility.domain import provider as provider_fold
from computility.domain.attestation import Verdict
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import (
    BondStaked,
    BondUnstaked,
    Deposited,
    Event,
    EventOrigin,
    ExitRequested,
    FeesCollected,
    JobAttested,
    JobCancelled,
    JobClosed,
    JobDisputed,
    JobOpened,
    JobPaid,
    JobProposed,
    JobSkipped,
    ListingChanged,
    Paused,
    ProviderExited,
    ProviderRegistered,
    ResourceListed,
    ResourceRetired,
    RewardClaimed,
    RewardStaked,
    StakeAdded,
    StakeReleased,
    StakeReserved,
    StakeSlashed,
    Withdrawn,
)
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32, chain_id_of
from computility.domain.institution_events import RoleGranted, RoleRevoked
from computility.domain.institutions import role_after
from computility.domain.job import ClosedBy, JobRecord, JobState, Outcome
from computility.domain.ledger import Balance, movement_of

JOB = Bytes32("0x" + "ab" * 32)
RESULT = Bytes32("0x" + "5e" * 32)
ORIGIN = EventOrigin(chain_id_of(31337), ZERO_BYTES32, 42, 0, RESULT, TERMS.provider, 1_790_000_000)
OPENED = JobOpened(JOB, TERMS.buyer, TERMS.provider, TERMS, 100, TERMS.escrow, 7)
PROPOSED = JobProposed(JOB, 70, RESULT, 1_790_000_100)


def attested(**changes: Any) -> JobAttested:
    fields: dict[str, Any] = {
        "verdict": int(Verdict.PASS),
        "result": RESULT,
        "units": 60,
        "is_final": True,
        "quality_bps": 10_000,
        "meter_root": ZERO_BYTES32,
        "evidence": ZERO_BYTES32,
        "accepted": 0,
        "outcome": int(Outcome.PASS),
        "pending": 60,
        "deadline": 1_790_000_050,
        **changes,
    }
    return JobAttested(JOB, **fields)


def closed(**changes: Any) -> JobClosed:
    legs = job_fold.split(TERMS, 100, 60, verifier_earned=True)
    fields: dict[str, Any] = {
        "caller": TERMS.provider,
        "cause": int(ClosedBy.ATTESTED),
        "outcome": int(Outcome.PASS),
        "units": 60,
        **{name: getattr(legs, name) for name in legs.__dataclass_fields__},
        "to_wallet": 0,
        **changes,
    }
    return JobClosed(JOB, **fields)


def paid(**changes: Any) -> JobPaid:
    """``attested`` and ``closed`` in one."""
    legs = closed()
    fields: dict[str, Any] = {
        "caller": TERMS.provider,
        "result": RESULT,
        "attested": 60,
        "quality_bps": 10_000,
        "meter_root": ZERO_BYTES32,
        "evidence": ZERO_BYTES32,
        "units": 60,
        **{name: getattr(legs, name) for name in ("provider_paid", "fee", "refund", "verifier_paid", "to_wallet")},
        **changes,
    }
    return JobPaid(JOB, **fields)


def fold(*events: Event) -> JobRecord:
    record: JobRecord | None = None
    for event in events:
        record = job_fold.apply_event(record, event, ORIGIN)
    assert record is not None
    return record


def test_a_job_that_is_opened__runs_until_its_end() -> None:
    record = fold(OPENED)
    assert (record.state, record.deadline, record.terms) == (JobState.OPEN, TERMS.end, TERMS)
    assert (record.escrow, record.from_wallet, record.opened_block) == (TERMS.escrow, 7, 42)


def test_a_reading__raises_what_is_accepted_and_nothing_else() -> None:
    record = fold(OPENED, attested(is_final=False, accepted=30, pending=0, deadline=TERMS.end, outcome=0))
    assert (record.state, record.accepted, record.outcome) == (JobState.OPEN, 30, None)


def test_a_proposal_and_a_dispute__start_windows() -> None:
    record = fold(OPENED, PROPOSED)
    assert (record.state, record.outcome, record.pending, record.result) == (
        JobState.PENDING,
        Outcome.CLAIM,
        70,
        RESULT,
    )
    record = job_fold.apply_event(record, JobDisputed(JOB, TERMS.buyer, 1_790_000_900), ORIGIN)
    assert (record.state, record.deadline) == (JobState.DISPUTED, 1_790_000_900)


def test_a_close__settles_everything_and_absorbs() -> None:
    record = fold(OPENED, attested(), closed())
    assert (record.state, record.closed_by, record.units, record.pending) == (JobState.CLOSED, ClosedBy.ATTESTED, 60, 0)
    assert record.provider_paid is not None
    with pytest.raises(ChainMisbehaved, match="does not follow"):
        job_fold.apply_event(record, PROPOSED, ORIGIN)


def test_a_pass_that_paid_at_once__is_an_attestation_and_a_close() -> None:
    assert fold(OPENED, paid()) == fold(OPENED, attested(deadline=0), closed())
    assert movement_of(paid(), TERMS) == movement_of(closed(), TERMS)


def test_a_pass_that_paid_at_once__keeps_what_readings_had_accepted_out_of_the_result() -> None:
    reading = attested(is_final=False, accepted=70, pending=0, deadline=TERMS.end, outcome=0)
    assert fold(OPENED, reading, paid(units=70)).units == 70


def test_an_item_that_a_batch_skipped__concerns_no_fold() -> None:
    skipped = JobSkipped(JOB, TERMS.buyer, 3, ZERO_BYTES32, ZERO_BYTES32, ZERO_BYTES32)
    assert skipped.job_id is None
    assert movement_of(skipped, None) == movement_of(Paused(TERMS.buyer), None)


@pytest.mark.parametrize("event", [attested(), PROPOSED, closed(), paid(), JobDisputed(JOB, TERMS.buyer, 1)])
def test_an_event_of_a_job_that_never_opened__is_refused(event: Event) -> None:
    with pytest.raises(ChainMisbehaved, match="does not follow"):
        fold(event)


def test_an_opening__cannot_come_twice_nor_after_a_cancellation() -> None:
    for first in (OPENED, JobCancelled(JOB, TERMS.buyer)):
        with pytest.raises(ChainMisbehaved, match="twice"):
            fold(first, OPENED)


def test_an_event_of_something_else__is_refused() -> None:
    with pytest.raises(ChainMisbehaved, match="no event of a job"):
        job_fold.apply_event(fold(OPENED), Paused(TERMS.buyer), ORIGIN)


# ---------------------------------------------------------------- balances


def test_an_opening__moves_from_free_what_did_not_come_from_the_wallet() -> None:
    movement = movement_of(OPENED, TERMS)
    assert movement.accounts == {
        TERMS.payer: Balance(-(TERMS.escrow - 7), TERMS.escrow),
        TERMS.provider: Balance(-TERMS.bond, TERMS.bond),
    }


def test_a_close__pays_out_exactly_what_was_locked() -> None:
    movement = movement_of(closed(), TERMS)
    total = sum((balance for balance in movement.accounts.values()), Balance())
    assert total.locked == -(TERMS.escrow + TERMS.bond)
    assert total.free + movement.fees == TERMS.escrow + TERMS.bond


def test_a_close_to_the_wallet__leaves_nothing_of_that_inside() -> None:
    inside, outside = movement_of(closed(), TERMS), movement_of(closed(to_wallet=5), TERMS)
    assert outside.accounts[TERMS.provider].free == inside.accounts[TERMS.provider].free - 5


@pytest.mark.parametrize(
    ("event", "accounts", "fees"),
    [
        (Deposited(TERMS.buyer, TERMS.payer, 5), {TERMS.buyer: Balance(5)}, 0),
        (Withdrawn(TERMS.buyer, TERMS.payer, 5), {TERMS.buyer: Balance(-5)}, 0),
        (FeesCollected(TERMS.buyer, 5), {}, -5),
        (BondStaked(JOB, TERMS.provider, 5), {TERMS.provider: Balance(5)}, 0),
        (BondUnstaked(JOB, TERMS.provider, 5), {TERMS.provider: Balance(-5)}, 0),
        (PROPOSED, {}, 0),
    ],
)
def test_other_events__move_what_they_say(event: Event, accounts: dict[Address, Balance], fees: int) -> None:
    movement = movement_of(event, TERMS)
    assert (movement.accounts, movement.fees) == (accounts, fees)


# ---------------------------------------------------------------- providers

PROVIDER = TERMS.provider


def test_a_provider__enters_lists_asks_to_leave_and_leaves() -> None:
    record = None
    states = []
    for event in (
        ProviderRegistered(PROVIDER, 10),
        StakeAdded(PROVIDER, 5, 15),
        ResourceListed(PROVIDER, RESULT),
        ResourceListed(PROVIDER, JOB),
        ResourceRetired(PROVIDER, RESULT),
        ExitRequested(PROVIDER, 99),
        ProviderExited(PROVIDER, 15),
    ):
        record = provider_fold.apply_event(record, event, ORIGIN)
        states.append((record.active, record.stake, len(record.resources)))
    assert states == [
        (True, 10, 0), (True, 15, 0), (True, 15, 1), (True, 15, 2), (True, 15, 1), (False, 15, 1), (False, 0, 1)
    ]  # fmt: skip
    again = provider_fold.apply_event(record, ProviderRegistered(PROVIDER, 20), ORIGIN)
    assert (again.active, again.exit_requested_at, again.exited_at) == (True, None, None)


def test_a_providers_stake__is_reserved_released_and_slashed_and_too_little_of_it_takes_it_off_the_list() -> None:
    record = None
    states = []
    for event in (
        ProviderRegistered(PROVIDER, 10),
        StakeReserved(PROVIDER, 6, 6),
        StakeReleased(PROVIDER, 4, 0),
        StakeSlashed(PROVIDER, 2, 8),
        ListingChanged(PROVIDER, False),
        StakeAdded(PROVIDER, 2, 10),
        ListingChanged(PROVIDER, True),
        StakeAdded(PROVIDER, 5, 15),
        RewardStaked(PROVIDER, 5, 99),
        RewardClaimed(PROVIDER, 2, 13),
    ):
        record = provider_fold.apply_event(record, event, ORIGIN)
        states.append((record.active, record.stake, record.reserved))
    assert states == [
        (True, 10, 0),
        (True, 10, 6),
        (True, 10, 0),
        (True, 8, 0),
        (False, 8, 0),
        (False, 10, 0),
        (True, 10, 0),
        (True, 15, 0),
        (True, 15, 0),
        (True, 13, 0),
    ]


def test_an_event_of_a_provider_that_never_registered__is_refused() -> None:
    with pytest.raises(ChainMisbehaved, match="never registered"):
        provider_fold.apply_event(None, ResourceListed(PROVIDER, RESULT), ORIGIN)


def role_event(event: type[RoleGranted | RoleRevoked]) -> RoleGranted | RoleRevoked:
    return event(ZERO_BYTES32, Address("0x" + "22" * 20), Address("0x" + "33" * 20))


@pytest.mark.parametrize("told", [(RoleRevoked,), (RoleGranted, RoleGranted), (RoleGranted, RoleRevoked, RoleRevoked)])
def test_a_role_that_is_granted_or_revoked_out_of_order__is_refused(
    told: tuple[type[RoleGranted | RoleRevoked], ...],
) -> None:
    record = None
    for event in told[:-1]:
        record = role_after(record, role_event(event), ORIGIN)
    with pytest.raises(ChainMisbehaved, match="does not follow"):
        role_after(record, role_event(told[-1]), ORIGIN)
