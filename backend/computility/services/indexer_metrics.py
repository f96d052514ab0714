"""What the indexer tells of itself, as Prometheus metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from computility.domain.errors import ChainError


class IndexerMetrics:
    """One indexer's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.head = Gauge("computility_chain_head_block", "Newest block that the chain told of.", registry=registry)
        self.block = Gauge("computility_indexer_block", "Block up to which the ledger is folded.", registry=registry)
        self.sealed = Gauge(
            "computility_indexer_sealed_block",
            "Block up to which logs were held against receipts roots.",
            registry=registry,
        )
        self.lag = Gauge("computility_indexer_lag_blocks", "Blocks between the head and the ledger.", registry=registry)
        self.committed = Gauge(
            "computility_indexer_last_commit_timestamp_seconds",
            "When blocks were folded last, in UTC seconds: an indexer that fails keeps its last lag.",
            registry=registry,
        )
        self.events = Counter("computility_indexer_events", "Events folded.", registry=registry)
        self.rate = Gauge(
            "computility_indexer_events_per_second", "Events folded per second, over the last batch.", registry=registry
        )
        self.commits = Histogram(
            "computility_indexer_commit_seconds", "Time to fold and write one batch.", registry=registry
        )
        self.reorganisations = Counter(
            "computility_indexer_reorganisations", "Reorganisations that were rolled back.", registry=registry
        )
        self.depth = Histogram(
            "computility_indexer_reorganisation_depth_blocks", "Blocks that a reorganisation orphaned.",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256), registry=registry,
        )  # fmt: skip
        self.rebuilds = Counter(
            "computility_indexer_rebuilds",
            "Times that the projections were rebuilt from the stored logs.",
            registry=registry,
        )
        self.unsealed = Counter(
            "computility_indexer_seal_failures",
            "Blocks whose logs did not match their receipts root.",
            registry=registry,
        )
        self.errors = Counter(
            "computility_rpc_errors", "Errors of chain endpoints.", ["endpoint", "code"], registry=registry
        )
        self.differing = Gauge(
            "computility_rpc_endpoint_differs",
            "1 while an endpoint has another newest block than this node.",
            ["endpoint"],
            registry=registry,
        )
        self.differences = Counter(
            "computility_rpc_differences",
            "Newest blocks of which an endpoint had another than this node.",
            ["endpoint"],
            registry=registry,
        )

    def endpoint_differs(self, name: str, differs: bool) -> None:
        """Note whether an endpoint has another newest block."""
        self.differing.labels(name).set(differs)
        self.differences.labels(name).inc(differs)

    def endpoint_failed(self, name: str, error: ChainError) -> None:
        """Count an endpoint's error."""
        self.endpoint_failed_with(name, error.code)

    def endpoint_failed_with(self, name: str, code: str) -> None:
        """Count an endpoint's error by its code."""
        self.errors.labels(name, code).inc()
