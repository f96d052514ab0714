"""``lease-heartbeat``: presence for metered leases. A job whose units are seconds is metered while it runs:

    {"method": "lease-heartbeat", "interval_s": 60}

The provider publishes readings, each over the digest of the one before it, at least four in an interval. The buyer co-signs each by an attestation of
its units, or contests it; the provider that runs a whole interval beyond the last co-signature stops. So no more than one interval is ever at risk.

A reading is believed if its meter rises no faster than time passes, none of what was measured falls, and the job has processes. What it cannot show
is that the machine did nothing else, or that the numbers were measured: who makes them up consistently, and delivers no work, loses the lease at the
first interval in which the buyer misses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import ContentError
from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.meter_sample import InvalidMeterSample, MeterSampleDocument, parse_meter_sample
from computility.domain.metered_lease import LEASE_HEARTBEAT, MeterReading
from computility.domain.specification import Specification
from computility.domain.statements import SignedStatement, Submission
from computility.execution.content_store import ContentStore
from computility.verification.check_result import CheckResult
from computility.verification.composition import POLICY_UNFIT

READINGS_HOLD: Final = "readings-hold"
NO_READING: Final = "no-reading"
CHAIN_BROKEN: Final = "chain-broken"
CLOCK_FELL: Final = "clock-fell"
TOO_FAST: Final = "faster-than-time"
GAP: Final = "gap-in-readings"
METER_FELL: Final = "meter-fell"
MORE_THAN_MACHINE: Final = "more-than-the-machine"
NO_PROCESS: Final = "no-process"
SAMPLE_UNFIT: Final = "sample-unfit"
UNITS_OF_ANOTHER_METER: Final = "units-differ"
READINGS_IN_AN_INTERVAL: Final = 4
_LONGEST_S: Final = 86_400
_SLACK_MS: Final = 2_000
"""Two clocks are read one after the other."""
_MOST_CORES: Final = 4_096

ReadingsOf = Callable[[Bytes32], Sequence[SignedStatement]]
"""The readings of a job that its provider signed, in their order."""


@dataclass(frozen=True)
class LeasePolicy:
    """``interval_s``: the most seconds that are ever at risk, for either side."""

    interval_s: int

    @property
    def reading_every_s(self) -> float:
        """How often the provider reads its meter."""
        return self.interval_s / READINGS_IN_AN_INTERVAL


def lease_policy_of(policy: Mapping[str, Any]) -> LeasePolicy | None:
    """The lease that a specification's policy names; None where it names none, or none that can be."""
    interval_s = policy.get("interval_s")
    if policy.get("method") != LEASE_HEARTBEAT or type(interval_s) is not int or not 2 <= interval_s <= _LONGEST_S:
        return None
    return LeasePolicy(interval_s)


@dataclass(frozen=True)
class MeterState:
    """A reading, its digest, and the sample behind it."""

    digest: Bytes32
    reading: MeterReading
    sample: MeterSampleDocument


def state_of(statement: SignedStatement, content: ContentStore) -> MeterState:
    """A reading with its sample.

    Raises:
        ContentError: the sample is not there.
        InvalidMeterSample: it is none.
    """
    assert isinstance(statement.message, MeterReading)
    sample = parse_meter_sample(content.get(content_id_of_digest(statement.message.sample)))
    return MeterState(statement.id, statement.message, sample)


def fault_of_reading(before: MeterState | None, now: MeterState, policy: LeasePolicy, started_ms: int) -> str | None:
    """Why a reading is not believed; None where nothing speaks against it.

    Args:
        before: the one before it; None for the first.
        now: the reading.
        policy: the lease's.
        started_ms: when the job was opened, UTC milliseconds: nothing was metered before.
    """
    reading, last = now.reading, before.reading if before is not None else None
    chained = (last.sequence + 1, before.digest) if last is not None and before is not None else (1, ZERO_BYTES32)
    if (reading.sequence, reading.previous) != chained or (last is not None and last.is_last):
        return CHAIN_BROKEN
    since_ms, since_units = (last.at_ms, last.units) if last is not None else (started_ms, 0)
    passed_ms = reading.at_ms - since_ms
    if passed_ms < -_SLACK_MS if last is None else passed_ms <= 0:
        return CLOCK_FELL
    if (reading.units - since_units) * 1000 > passed_ms + _SLACK_MS:
        return TOO_FAST
    if last is not None and passed_ms > policy.interval_s * 1000 + _SLACK_MS:
        return GAP
    if not now.sample.processes and not reading.is_last:
        return NO_PROCESS
    return _fault_of_sample(before.sample if before is not None else None, now.sample, max(0, passed_ms))


def _fault_of_sample(before: MeterSampleDocument | None, now: MeterSampleDocument, passed_ms: int) -> str | None:
    cpu_before = before.cpu_ms if before is not None else 0
    if now.cpu_ms < cpu_before:
        return METER_FELL
    if now.cpu_ms - cpu_before > _MOST_CORES * (passed_ms + _SLACK_MS):
        return MORE_THAN_MACHINE
    if before is not None and before.energy_mj is not None:
        if now.energy_mj is None or now.energy_source != before.energy_source:
            return SAMPLE_UNFIT
        if now.energy_mj < before.energy_mj:
            return METER_FELL
    return None


class HeartbeatVerifier:
    """Looks through a whole meter once the lease is over. ``readings_of`` tells its readings, ``opened_ms`` when a job was opened."""

    def __init__(self, readings_of: ReadingsOf, content: ContentStore) -> None:
        self._readings_of = readings_of
        self._content = content

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As `Verifier.verify`. A meter that is not believed fails; one whose samples are gone cannot be told."""
        lease = lease_policy_of(policy)
        if lease is None:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        try:
            states = [state_of(statement, self._content) for statement in self._readings_of(submission.job)]
        except ContentError as error:
            return CheckResult(Verdict.NO_FAULT, error.code)
        except InvalidMeterSample:
            return CheckResult(Verdict.FAIL, SAMPLE_UNFIT)
        if not states:
            return CheckResult(Verdict.NO_FAULT, NO_READING)
        first = states[0].reading
        faults = [fault_of_reading(None, states[0], lease, first.at_ms - first.units * 1000)]
        faults += [fault_of_reading(before, now, lease, 0) for before, now in pairwise(states)]
        found = next((fault for fault in faults if fault is not None), None)
        if found is not None:
            return CheckResult(Verdict.FAIL, found)
        if states[-1].reading.units != submission.units:
            return CheckResult(Verdict.FAIL, UNITS_OF_ANOTHER_METER)
        return CheckResult(Verdict.PASS, READINGS_HOLD)
