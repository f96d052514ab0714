"""The executors that a machine offers: each has proved itself, each for an environment class of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from computility.domain.errors import ComputilityError, EnvironmentMismatch
from computility.execution.executor import Executor


class ExecutorSet:
    """Executors by environment class. ``names`` are their classes by what they were made to run."""

    def __init__(
        self,
        executors: Iterable[Executor],
        left_out: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._executors = {executor.environment: executor for executor in executors}
        self.names = dict(names or {})
        self.left_out = dict(left_out or {})
        """Why an executor is not among them, by what it was to run."""

    def __iter__(self) -> Iterator[Executor]:
        return iter(self._executors.values())

    def __len__(self) -> int:
        return len(self._executors)

    @property
    def environments(self) -> tuple[str, ...]:
        """Every environment class that is offered."""
        return tuple(self._executors)

    def of(self, environment: str) -> Executor:
        """The executor of a class.

        Raises:
            EnvironmentMismatch: none is offered here.
        """
        executor = self._executors.get(environment)
        if executor is None:
            offered = ", ".join(self._executors) or "nothing"
            raise EnvironmentMismatch(f"I run {offered}, not {environment}")
        return executor


def offer_what_holds(makers: Mapping[str, Callable[[], Executor]]) -> ExecutorSet:
    """Make executors and test them; one that cannot be made or fails its self-test is left out, with the reason."""
    offered, left_out, names = [], {}, {}
    for name, make in makers.items():
        try:
            executor = make()
            test = getattr(executor, "self_test", None)
            if test is not None:
                test()
        except ComputilityError as error:
            left_out[name] = str(error)
        else:
            offered.append(executor)
            names[name] = executor.environment
    return ExecutorSet(offered, left_out, names)
