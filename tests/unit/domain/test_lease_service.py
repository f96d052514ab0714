"""Uptime and start latency of leases, from the first and the last reading of each meter.

a lease
├── metered from start to end → up all the time
├── whose meter stood still, or whose provider fell silent while it went on → up for the rest
├── that began before the chain's second was over, or claims more than passed → up for no more than passed
└── that was never read → never began
several leases: the times added up, the median of the starts
"""

from __future__ import annotations

import pytest

from computility.domain.identifiers import ZERO_BYTES32, Bytes32
from computility.domain.lease_service import LeaseService, service_of
from computility.domain.metered_lease import MeterReading

JOB = Bytes32("0x" + "11" * 32)
OPENED_MS = 1_790_000_000_000


def reading(after_s: float, units: int, sequence: int = 1) -> MeterReading:
    at_ms = OPENED_MS + int(after_s * 1000)
    return MeterReading(JOB, 1, sequence, ZERO_BYTES32, units, at_ms, ZERO_BYTES32, is_last=False)


def lease(first: tuple[float, int], last: tuple[float, int], silent_s: int = 0) -> LeaseService:
    return LeaseService(OPENED_MS, reading(*first), reading(*last, sequence=9), silent_s * 1000, contested=False)


NEVER = LeaseService(OPENED_MS, None, None, 40_000, contested=False)


@pytest.mark.parametrize(
    ("served", "latency_ms", "uptime_bps"),
    [
        (lease((7, 4), (103, 100)), 3_000, 10_000),
        # Seconds are whole: of 100.9 that ran, the meter says 100.
        (lease((7.5, 4), (104.4, 100)), 3_500, 10_000),
        (lease((7, 4), (203, 100)), 3_000, 5_049),
        (lease((7, 4), (103, 100), silent_s=100), 3_000, 5_000),
        # The block's time is a second's beginning or a little ahead.
        (lease((3, 4), (103, 104)), 0, 10_000),
        (lease((7, 4), (103, 400)), 3_000, 10_000),
    ],
)
def test_a_lease__was_up_for_what_its_meter_says__and_no_more_than_passed(
    served: LeaseService, latency_ms: int, uptime_bps: int
) -> None:
    found = service_of([served])
    assert (found.leases, found.never_began) == (1, 0)
    assert (found.start_latency_ms, found.uptime_bps) == (latency_ms, uptime_bps)


def test_a_lease_that_was_never_read__never_began() -> None:
    found = service_of([NEVER])
    assert (found.never_began, found.uptime_bps, found.start_latency_ms) == (1, 0, None)


def test_several_leases__are_added_up() -> None:
    contested = LeaseService(OPENED_MS, reading(9, 4), reading(65, 60), 0, contested=True)
    found = service_of([lease((7, 4), (103, 100)), contested, NEVER])
    assert (found.leases, found.never_began, found.contested) == (3, 1, 1)
    # 100 s and 60 s of 100 s, 60 s and the 40 s in which nothing began.
    assert found.uptime_bps == 8_000
    assert (found.start_latency_ms, found.longest_start_latency_ms) == (3_000, 5_000)


def test_no_leases__say_nothing() -> None:
    found = service_of([])
    assert (found.leases, found.uptime_bps, found.start_latency_ms) == (0, None, None)
