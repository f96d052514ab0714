"""What is measured of a service, in the metrics of service levels."""

from __future__ import annotations

from computility.domain.service_level import Metric

_MS_PER_HOUR = 3_600_000
_MS_PER_S = 1_000


def record_of_run(opened_at: int, submitted_at: int, units: int) -> dict[Metric, int]:
    """Of a job that ran once: throughput from the opening (the block's time) to the provider's signed submission, UTC seconds. A job that was
    done within a second took one."""
    took_ms = max(1, submitted_at - opened_at) * _MS_PER_S
    return {Metric.THROUGHPUT: units * _MS_PER_HOUR // took_ms}
