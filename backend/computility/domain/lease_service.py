"""How a provider served its metered leases: from when it worked, and for how much of the time, by the readings of its meters.

A meter's units are the seconds that the job ran, and its readings say at which moment they stood where. Of one lease, with the first reading
(t₁, u₁), the last (t₂, u₂), and s the time after it for which the provider was silent though the lease went on,

    started = max(opened, t₁ − u₁)
    up      = min(u₂, t₂ − started)
    uptime  = up / (t₂ − started + s)

all in milliseconds, and of several leases Σ up over Σ (t₂ − started + s). The opening is the chain's time, in whole seconds; the rest is the
provider's clock, which the buyer of a lease holds against its own before it signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from computility.domain.metered_lease import MeterReading
from computility.domain.units import FULL_BPS

_MS_PER_S: Final = 1_000


@dataclass(frozen=True)
class LeaseService:
    """One lease. ``opened_ms`` UTC; ``first`` and ``last`` readings, None where its meter was never read; ``silent_ms`` as above; ``contested``
    whether the buyer did not believe its meter."""

    opened_ms: int
    first: MeterReading | None
    last: MeterReading | None
    silent_ms: int
    contested: bool

    @property
    def start_latency_ms(self) -> int | None:
        """From the opening to the start of the work; None where none began."""
        return None if self.first is None else self._started_ms(self.first) - self.opened_ms

    @property
    def up_ms(self) -> int:
        """For how long it worked."""
        if self.first is None or self.last is None:
            return 0
        # Units are whole seconds, rounded down.
        metered_ms = self.last.units * _MS_PER_S + _MS_PER_S - 1
        return max(0, min(metered_ms, self.last.at_ms - self._started_ms(self.first)))

    @property
    def due_ms(self) -> int:
        """For how long it should have."""
        if self.first is None or self.last is None:
            return self.silent_ms
        return max(0, self.last.at_ms - self._started_ms(self.first)) + self.silent_ms

    def _started_ms(self, first: MeterReading) -> int:
        return max(self.opened_ms, first.at_ms - first.units * _MS_PER_S)


@dataclass(frozen=True)
class ServiceOfLeases:
    """Of several leases: how many, of how many no work began, how many were contested; ``uptime_bps`` rounded down, None where nothing was due;
    the lower median and the highest of the start latencies, None where none began."""

    leases: int
    never_began: int
    contested: int
    uptime_bps: int | None
    start_latency_ms: int | None
    longest_start_latency_ms: int | None


def service_of(leases: Sequence[LeaseService]) -> ServiceOfLeases:
    """What several leases add up to."""
    due = sum(lease.due_ms for lease in leases)
    latencies = [latency for lease in leases if (latency := lease.start_latency_ms) is not None]
    return ServiceOfLeases(
        leases=len(leases),
        never_began=len(leases) - len(latencies),
        contested=sum(lease.contested for lease in leases),
        uptime_bps=FULL_BPS * sum(lease.up_ms for lease in leases) // due if due else None,
        start_latency_ms=median_low(latencies) if latencies else None,
        longest_start_latency_ms=max(latencies, default=None),
    )
