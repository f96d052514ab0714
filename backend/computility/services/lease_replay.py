"""Whether what a buyer signed for a lease rests on a meter that its provider signed: the readings from the first to the one that the attestation on
the chain names (``meterRoot``), the sample behind each, and what the buyer contested.

What the provider and the buyer signed can contradict them. What is not there, or is not what its name says, is the word of whoever stores it, and
accuses nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from computility.domain.attestation import Attestation
from computility.domain.canonical_json import sha256_bytes32
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import (
    ContentError,
    ContentMismatch,
    ContentNotFound,
    InvalidMessage,
    InvalidSignature,
    StatementRefused,
)
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.meter_sample import InvalidMeterSample, parse_meter_sample
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.statements import SignedStatement
from computility.domain.terms import Terms
from computility.execution.content_store import ContentStore
from computility.services.trade_proof import SignedAttestation
from computility.verification.lease_heartbeat import (
    CHAIN_BROKEN,
    SAMPLE_UNFIT,
    UNITS_OF_ANOTHER_METER,
    LeasePolicy,
    MeterState,
    ReadingsOf,
    fault_of_reading,
)

METER_HOLDS: Final = "meter-holds"
CO_SIGNED_BY_ANOTHER: Final = "co-signed-by-another"
CO_SIGNED_WHAT_IT_CONTESTED: Final = "co-signed-what-it-contested"
METER_ROOT_UNNAMED: Final = "meter-root-unnamed"
METER_ROOT_UNKNOWN: Final = "meter-root-unknown"
READING_MISSING: Final = "reading-missing"
STATEMENT_TAMPERED: Final = "statement-tampered"
READING_OF_ANOTHER_LEASE: Final = "reading-of-another-lease"
READING_OF_ANOTHER_SIGNER: Final = "reading-of-another-signer"
CONTEST_OF_ANOTHER_SIGNER: Final = "contest-of-another-signer"
SAMPLE_MISSING: Final = "sample-missing"
SAMPLE_TAMPERED: Final = "sample-tampered"


@dataclass(frozen=True)
class Meter:
    """Where readings and contests of leases are told from; each signature is proven, whose it is is not."""

    readings_of: ReadingsOf
    contests_of: Callable[[Bytes32], Sequence[SignedStatement]] = lambda _: ()


class MeterUnfit(Exception):
    """A meter does not bear what was signed for it. ``reason`` is a slug; ``accuses`` whether by what the parties themselves signed."""

    def __init__(self, reason: str, *, accuses: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.accuses = accuses


def require_meter(
    job: Bytes32, terms: Terms, signed: SignedAttestation, policy: LeasePolicy, meter: Meter, content: ContentStore
) -> None:
    """Hold one attestation of a lease against its meter.

    Raises:
        MeterUnfit: it does not rest on it, or nobody can tell.
        NodeError: the meter cannot be asked for at all.
    """
    attestation = signed.attestation
    if signed.signers != (terms.verifier,):
        raise MeterUnfit(CO_SIGNED_BY_ANOTHER, accuses=True)
    try:
        readings, contests = meter.readings_of(job), meter.contests_of(job)
    except (InvalidMessage, InvalidSignature, StatementRefused) as error:
        # It was changed since it was signed.
        raise MeterUnfit(STATEMENT_TAMPERED, accuses=False) from error
    statements = _chain(job, terms, attestation, readings)
    states = [_state(statement, content) for statement in statements]
    _require_believed(states, policy)
    if attestation.units > (states[-1].reading.units if states else 0):
        raise MeterUnfit(UNITS_OF_ANOTHER_METER, accuses=True)
    _require_uncontested(job, terms, {state.digest for state in states}, contests)


def _chain(
    job: Bytes32, terms: Terms, attestation: Attestation, told: Sequence[SignedStatement]
) -> list[SignedStatement]:
    """The readings that lead to what was co-signed, the first of them first."""
    if attestation.meter_root == ZERO_BYTES32:
        if attestation.units:
            raise MeterUnfit(METER_ROOT_UNNAMED, accuses=False)
        return []
    readings: dict[Bytes32, SignedStatement] = {}
    for statement in told:
        message = statement.message
        if not isinstance(message, MeterReading) or message.job != job:
            raise MeterUnfit(READING_OF_ANOTHER_LEASE, accuses=False)
        if statement.signer != terms.provider:
            raise MeterUnfit(READING_OF_ANOTHER_SIGNER, accuses=False)
        readings[statement.id] = statement
    if attestation.meter_root not in readings:
        raise MeterUnfit(METER_ROOT_UNKNOWN, accuses=False)
    chain = [readings.pop(attestation.meter_root)]
    while (before := _reading(chain[-1]).previous) != ZERO_BYTES32:
        if before not in readings:
            raise MeterUnfit(READING_MISSING, accuses=False)
        chain.append(readings.pop(before))
    chain.reverse()
    if any(_reading(other).sequence <= len(chain) for other in readings.values()):
        # The provider signed a second meter of the same seconds.
        raise MeterUnfit(CHAIN_BROKEN, accuses=True)
    return chain


def _reading(statement: SignedStatement) -> MeterReading:
    assert isinstance(statement.message, MeterReading)
    return statement.message


def _state(statement: SignedStatement, content: ContentStore) -> MeterState:
    reading = _reading(statement)
    try:
        data = content.get(content_id_of_digest(reading.sample))
        if sha256_bytes32(data) != reading.sample:
            raise MeterUnfit(SAMPLE_TAMPERED, accuses=False)
        return MeterState(statement.id, reading, parse_meter_sample(data))
    except ContentNotFound as error:
        raise MeterUnfit(SAMPLE_MISSING, accuses=False) from error
    except ContentMismatch as error:
        raise MeterUnfit(SAMPLE_TAMPERED, accuses=False) from error
    except ContentError as error:
        raise MeterUnfit(error.code, accuses=False) from error
    except InvalidMeterSample as error:
        raise MeterUnfit(SAMPLE_UNFIT, accuses=True) from error


def _require_believed(states: Sequence[MeterState], policy: LeasePolicy) -> None:
    if not states:
        return
    first = states[0].reading
    faults = [fault_of_reading(None, states[0], policy, first.at_ms - first.units * 1000)]
    faults += [fault_of_reading(before, now, policy, 0) for before, now in pairwise(states)]
    for fault in faults:
        if fault is not None:
            raise MeterUnfit(fault, accuses=True)


def _require_uncontested(
    job: Bytes32, terms: Terms, signed_for: set[Bytes32], contests: Sequence[SignedStatement]
) -> None:
    for statement in contests:
        contest = statement.message
        if not isinstance(contest, MeterContest) or (contest.job, statement.signer) != (job, terms.verifier):
            raise MeterUnfit(CONTEST_OF_ANOTHER_SIGNER, accuses=False)
        if contest.reading in signed_for:
            raise MeterUnfit(CO_SIGNED_WHAT_IT_CONTESTED, accuses=True)
