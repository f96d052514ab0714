"""What a provider's agent tells Prometheus: jobs by what became of them, units, seconds, money. Numbers only: no job, no buyer, no content."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from computility.domain.errors import LimitReached


class ProviderMetrics:
    """Counters of one agent, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        make: dict[str, Any] = {"registry": self.registry, "namespace": "computility_provider"}
        self.runs = Counter("runs_total", "Runs that ended, by how.", ["environment", "end"], **make)
        self.units = Counter("units_total", "Units of results that were submitted.", ["environment"], **make)
        self.run_seconds = Histogram(
            "run_seconds",
            "Seconds from start to end of a run.",
            ["environment"],
            buckets=(0.1, 1, 10, 60, 600, 3600),
            **make,
        )
        self.running = Gauge("running", "Jobs that run now.", **make)
        self.live = Gauge("live_jobs", "Jobs of this provider that are not closed.", **make)
        self.quotes = Counter("quote_requests_total", "Quote requests that were answered.", **make)
        self.sent = Counter("transactions_total", "Calls sent to the chain, by what they do.", ["call"], **make)
        self.free = Gauge("free_credits", "Free balance in the escrow, in credits.", **make)
        self.errors = Counter("errors_total", "Rounds that failed, by error code.", ["code"], **make)

    @contextlib.contextmanager
    def timed_run(self, environment: str) -> Iterator[None]:
        """Counts a run while it lasts."""
        started = time.monotonic()
        self.running.inc()
        try:
            yield
        finally:
            self.running.dec()
            self.run_seconds.labels(environment).observe(time.monotonic() - started)

    def serve(self, host: str, port: int) -> int:
        """Answer scrapes until the process ends. The port, which the system chooses for 0.

        Raises:
            LimitReached: the port is taken.
        """
        try:
            server, _ = start_http_server(port, addr=host, registry=self.registry)
        except OSError as error:
            raise LimitReached(f"metrics cannot be served on {host}:{port}: {error.strerror}") from error
        return int(server.server_port)
