"""What is measured of a service, in the metrics of service levels."""

from __future__ import annotations

from collections.abc import Sequence

from computility.domain.service_level import Metric
from computility.domain.units import FULL_BPS

_MS_PER_HOUR = 3_600_000
_MS_PER_S = 1_000


def record_of_run(opened_at: int, submitted_at: int, units: int) -> dict[Metric, int]:
    """Of a job that ran once: throughput from the opening (the block's time) to the provider's signed submission, UTC seconds. A job that was
    done within a second took one."""
    took_ms = max(1, submitted_at - opened_at) * _MS_PER_S
    return {Metric.THROUGHPUT: units * _MS_PER_HOUR // took_ms}


def record_of_samples(
    opened_ms: int, ended_ms: int, samples_ms: Sequence[int], interval_ms: int, units: int
) -> dict[Metric, int]:
    """Of a metered job: from the times of its samples, UTC milliseconds in rising order, one at least every ``interval_ms`` while it runs.

    A sample covers the interval before it; between two samples that lie further apart only one interval counts as up. Start latency
    ends with the beginning of the interval before the first sample. Without a sample the job was never up and did not start before its end.

    Raises:
        ValueError: the interval is not positive, the end does not lie after the opening, or a sample lies outside or falls.
    """
    if interval_ms <= 0 or ended_ms <= opened_ms:
        raise ValueError("an interval is positive, and a job ends after it was opened")
    took_ms = ended_ms - opened_ms
    up_ms, last = 0, opened_ms
    for at in samples_ms:
        if not last <= at <= ended_ms:
            raise ValueError(f"the sample at {at} lies outside of the job, or before another that came earlier")
        up_ms += min(interval_ms, at - last)
        last = at
    first = max(opened_ms, samples_ms[0] - interval_ms) if samples_ms else ended_ms
    return {
        Metric.UPTIME: FULL_BPS * up_ms // took_ms,
        Metric.START_LATENCY: first - opened_ms,
        Metric.THROUGHPUT: units * _MS_PER_HOUR // took_ms,
    }
