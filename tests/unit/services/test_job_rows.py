"""The folds of the commonest events on rows say what the domain's folds say of the same events, whatever is in them."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.unit.chain.test_event_decoders import encoded, random_value

from computility.chain.log_decoding import decode_log
from computility.domain import job as job_fold
from computility.domain.events import Event, EventOrigin, JobAttested, JobOpened, JobPaid, JobProposed
from computility.domain.identifiers import Address, Bytes32, chain_id_of
from computility.domain.job import JobRecord, JobState
from computility.domain.ledger import Balance, movement_of
from computility.domain.scores import closed_job
from computility.services import job_rows
from computility.services.job_rows import Leg
from computility.store.job_at_rest import (
    PLACES,
    JobsRow,
    job_record,
    job_row,
    packed_row,
    place_of,
    places_of,
    unpacked_row,
)

ESCROW = Address("0x" + "e5" * 20)
NO_HASH = bytes(32)
GENERATION, LEDGER = 3, 7
TIMES = range(60)


def random_log(event: type[Event], job: bytes, chance: random.Random, **fixed: Any) -> tuple[bytes, bytes, Event]:
    """Topics, data and the event that the generated decoder makes of them."""
    values = {field.name: random_value(field.type, chance) for field in event.EVENT.fields} | {"job": job} | fixed
    for name in ("result", "evidence"):
        if name in values and chance.random() < 0.3:
            values[name] = NO_HASH
    topics, data = encoded(event, values)
    decoded = decode_log("JobEscrow", topics, data)
    assert decoded is not None
    return b"".join(topics), data, decoded


def random_terms(chance: random.Random) -> tuple[Any, ...]:
    """Terms whose products fit, as the contract makes sure; parties that are the same now and then."""
    people = ["0x" + chance.randbytes(20).hex() for _ in range(3)] + ["0x" + "00" * 20]
    parties = [chance.choice(people) for _ in range(6)]
    hashes = [chance.randbytes(32) for _ in range(4)]
    return (*parties, *hashes, chance.getrandbits(60), 1, chance.randint(100, 2**40), chance.getrandbits(100),
            chance.getrandbits(70), chance.getrandbits(20), 10, 2**39, 1, 2, 3, 500, 77)  # fmt: skip


def origin_of(number: int, chance: random.Random) -> tuple[EventOrigin, tuple[int, int, bytes, bytes]]:
    """Where an event is, and the same as rows take it: block, time, transaction and place."""
    tx_hash = chance.randbytes(32)
    origin = EventOrigin(
        chain_id_of(31337),
        Bytes32("0x" + "00" * 32),
        number,
        0,
        Bytes32("0x" + tx_hash.hex()),
        ESCROW,
        1_790_000_000 + number,
    )
    return origin, (number, origin.timestamp, tx_hash, place_of(number, 0))


def assert_same(row: JobsRow, record: JobRecord, *blocks: int) -> None:
    """The row is the record's, of events in some blocks."""
    assert row == job_row(LEDGER, GENERATION, record, row[PLACES])
    assert places_of(row[PLACES]) == [(block, 0) for block in blocks]
    assert job_record(row) == record
    # And rests as it is.
    assert unpacked_row(packed_row(row)) == row


def assert_moves(legs: tuple[Leg, ...], event: Event, record: JobRecord) -> None:
    """The same movement, summed by account."""
    moved: dict[str, Balance] = {}
    for account, free, locked in legs:
        if free or locked:
            name = "0x" + account.hex()
            moved[name] = moved.get(name, Balance()) + Balance(free, locked)
    assert moved == {account.lower(): delta for account, delta in movement_of(event, record.terms).accounts.items()}


def opening(chance: random.Random) -> tuple[bytes, JobsRow, JobRecord]:
    job = chance.randbytes(32)
    topics, data, event = random_log(JobOpened, job, chance, terms=random_terms(chance))
    origin, place = origin_of(11, chance)
    record = job_fold.apply_event(None, event, origin)
    row, legs = job_rows.opened(LEDGER, GENERATION, topics[32:64], data, *place)
    assert_same(row, record, 11)
    assert_moves(legs, event, record)
    return job, row, record


@pytest.mark.parametrize("seed", TIMES)
def test_a_trade_of_random_events__is_the_same_on_rows(seed: int) -> None:
    chance = random.Random(seed)  # reproducible on purpose
    job, row, record = opening(chance)
    blocks = [11]
    for number in range(12, 12 + chance.randrange(6)):
        blocks.append(number)
        kind = chance.choice((JobAttested, JobProposed))
        fixed = {"outcome": chance.randrange(4), "verdict": chance.randrange(4)} if kind is JobAttested else {}
        _, data, event = random_log(kind, job, chance, **fixed)
        origin, (*_, at) = origin_of(number, chance)
        record = job_fold.apply_event(record, event, origin)
        row = job_rows.attested(row, data, at) if kind is JobAttested else job_rows.proposed(row, data, at)
        assert_same(row, record, *blocks)
    topics, data, event = random_log(JobPaid, job, chance, units=chance.randint(0, 100))
    origin, place = origin_of(20, chance)
    record = job_fold.apply_event(record, event, origin)
    row, legs, closed = job_rows.paid(row, topics, data, *place)
    assert record.state is JobState.CLOSED
    assert_same(row, record, *blocks, 20)
    assert_moves(legs, event, record)
    assert closed == closed_job(record)
    assert row[job_rows.FEE] == movement_of(event, record.terms).fees
