"""iExec's rule of consensus (PoCo 5: `contribute`, `checkConsensus`, and the score policy at finalisation), on a market with sleepers.

A worker's weight is max(score / 3, 3) − 1; a group's is the product of its members'; a result stands when its group's weight · trust exceeds
total · (trust − 1), with a total that starts at 1. With more than one contributor, who was right gains a point; who was wrong keeps two thirds and
loses its stake of that task. Nothing is checked later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

_RIGHT: Final = -1


@dataclass(eq=False)
class _Worker:
    number: int
    sleeps: bool
    score: int = 0

    def weight(self) -> int:
        return max(self.score // 3, 3) - 1


def executions_and_wrong(trust: int, workers: int, sleepers: int, jobs: int, seed: int) -> tuple[float, float]:
    """Executions a job and the share of wrong results that stood. Sleepers cheat where their own weight decides alone, so that nobody ever looks."""
    drawn = random.Random(seed)  # noqa: S311 - a simulation repeats
    everybody = [_Worker(number, number < sleepers) for number in range(workers)]
    executions = wrong = 0
    for _ in range(jobs):
        contributions: list[tuple[_Worker, int]] = []
        groups: dict[int, int] = {}
        total = 1
        while True:
            worker = drawn.choice(everybody)
            if any(worker is taken for taken, _ in contributions):
                continue
            weight = worker.weight()
            alone = not contributions and weight * trust > (1 + weight) * (trust - 1)
            result = worker.number if worker.sleeps and alone else _RIGHT
            contributions.append((worker, result))
            executions += 1
            before = groups.get(result, 0)
            groups[result] = max(before, 1) * weight
            total += groups[result] - before
            if groups[result] * trust > total * (trust - 1):
                break
        wrong += result != _RIGHT
        if len(contributions) > 1:
            for worker, said in contributions:
                worker.score = worker.score + 1 if said == result else worker.score * 2 // 3
    return executions / jobs, wrong / jobs
