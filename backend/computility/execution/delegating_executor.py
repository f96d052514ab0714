"""An executor around another one: all that it does not do otherwise is the other's."""

from __future__ import annotations

from collections.abc import Iterator

from computility.domain.specification import Specification
from computility.execution.content_store import ContentStore
from computility.execution.executor import AttemptId, Capabilities, Execution, Executor, MeterSample, Prepared, RunState


class DelegatingExecutor:
    """Hands everything on to ``inner``."""

    def __init__(self, inner: Executor) -> None:
        self._inner = inner

    @property
    def environment(self) -> str:
        """The environment class."""
        return self._inner.environment

    def capabilities(self) -> Capabilities:
        """What it takes, and what holds a job here."""
        return self._inner.capabilities()

    def check(self, specification: Specification) -> None:
        """Refuse what it cannot run."""
        self._inner.check(specification)

    def prepare(self, specification: Specification, content: ContentStore) -> Prepared:
        """Check, fetch and check what was fetched."""
        return self._inner.prepare(specification, content)

    def start(self, attempt: AttemptId, prepared: Prepared) -> None:
        """Start an attempt."""
        self._inner.start(attempt, prepared)

    def status(self, attempt: AttemptId) -> RunState:
        """Where it stands."""
        return self._inner.status(attempt)

    def meter(self, attempt: AttemptId) -> Iterator[MeterSample]:
        """Its samples."""
        return self._inner.meter(attempt)

    def collect(self, attempt: AttemptId) -> Execution:
        """Wait for its end, and take what came out."""
        return self._inner.collect(attempt)

    def cancel(self, attempt: AttemptId) -> None:
        """End it now."""
        self._inner.cancel(attempt)

    def self_test(self) -> None:
        """Prove that the walls stand, where the other can."""
        test = getattr(self._inner, "self_test", None)
        if test is not None:
            test()
