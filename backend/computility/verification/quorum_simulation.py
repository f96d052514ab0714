"""A market under `QuorumRule`, or under iExec's rule, with cheaters who know the rule: how many executions, how many wrong results, who earns.

A job's price is 1, an audit's fee a half. A cheater's profit counts what its cheating brought and cost (pay for wrong results, fees for audits that
it confirmed unseen, collateral and pay lost), not what it earned by honest work.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import count
from typing import Final

from computility.domain.identifiers import bytes32
from computility.domain.units import FULL_BPS
from computility.verification.quorum import Duty, QuorumRule

AUDIT_FEE: Final = 0.5
RIGHT: Final = 0


class Strategy(Enum):
    """What a worker does.

    ALWAYS cheats from its first job. A SLEEPER works until its word alone is signed, then cheats at every job. COLLUDING sleepers give the same
    wrong result and confirm each other's. RE_REGISTERING sleepers have no stake, only unvested pay, and come back under a new name each time they
    are caught. LAZY workers confirm whatever they audit.
    """

    HONEST = "honest"
    ALWAYS = "always"
    SLEEPER = "sleeper"
    COLLUDING = "colluding"
    RE_REGISTERING = "re-registering"
    LAZY = "lazy"


@dataclass(frozen=True)
class Outcome:
    """Of one run. Shares are of all jobs; ``cheater_profit`` is the mean of the identities that cheated, in prices of a job, 0 where none did.

    ``wrong_accepted`` counts wrong results that were signed and not found by the draw of their own job; ``wrong_vested`` those among them that were
    not found before their pay vested either.
    """

    executions_per_job: float
    wrong_accepted: float
    wrong_vested: float
    caught: int
    cheater_profit: float
    honest_harmed: int


@dataclass(eq=False)
class _Worker:
    number: int
    strategy: Strategy
    stake: float
    passed: int = 0
    score: int = 0
    cheats: int = 0
    profit: float = 0.0
    excluded: bool = False
    # What was signed on its word alone and has not vested: (right or wrong, the auditor that confirmed it).
    unvested: deque[tuple[int, _Worker | None]] = field(default_factory=deque)

    @property
    def sleeps(self) -> bool:
        return self.strategy in (Strategy.SLEEPER, Strategy.COLLUDING, Strategy.RE_REGISTERING)

    def wrong(self) -> int:
        """The wrong result that it gives: colluding workers the same one, everybody else one of its own."""
        return -1 if self.strategy is Strategy.COLLUDING else self.number + 1

    def opinion(self, claim: int) -> int:
        """What it says the result is, as a replica or an auditor of somebody else's claim."""
        match self.strategy:
            case Strategy.ALWAYS:
                return self.wrong()
            case Strategy.LAZY:
                return claim
            case Strategy.COLLUDING if claim == self.wrong():
                return claim
            case _:
                return RIGHT


class Market:
    """``workers`` of whom ``cheaters`` follow a strategy, under a rule. One instance is one run."""

    def __init__(self, rule: QuorumRule, strategy: Strategy, workers: int, cheaters: int, seed: int) -> None:
        self._rule = rule
        self._random = random.Random(seed)  # noqa: S311 - a simulation repeats
        self._seed = seed.to_bytes(32, "big")
        self._numbers = count()
        self._collateral = rule.least_collateral(FULL_BPS) / FULL_BPS
        self._workers = [self._new(Strategy.HONEST) for _ in range(workers - cheaters)]
        self._workers += [self._new(strategy) for _ in range(cheaters)]
        self._everybody = list(self._workers)
        self._executions = self._wrong = self._wrong_vested = self._caught = 0

    def run(self, jobs: int) -> Outcome:
        """Trade so many jobs, one after the other, each at a worker drawn at random."""
        for number in range(jobs):
            provider = self._random.choice(self._workers)
            self._executions += 1
            if self._rule.is_credible(provider.passed) and self._is_covered(provider):
                self._sign_on_its_word(provider, number)
            else:
                self._replicate(provider)
        return self._outcome(jobs)

    def _new(self, strategy: Strategy) -> _Worker:
        stake = 0.0 if strategy is Strategy.RE_REGISTERING else self._collateral
        return _Worker(next(self._numbers), strategy, stake)

    def _is_covered(self, worker: _Worker) -> bool:
        return worker.stake >= self._collateral or len(worker.unvested) >= self._collateral

    def _sign_on_its_word(self, provider: _Worker, number: int) -> None:
        claim = provider.wrong() if provider.sleeps or provider.strategy is Strategy.ALWAYS else RIGHT
        provider.cheats += claim != RIGHT
        duty = self._rule.drawn(self._seed, bytes32(number.to_bytes(32, "big")))
        auditor = self._credible_other([provider]) if duty is not Duty.NONE else None
        if duty is Duty.PROBE and auditor is not None:
            self._probe(auditor)
            auditor = None
        if auditor is not None:
            self._executions += 1
            said = auditor.opinion(claim)
            if auditor.strategy is Strategy.LAZY:
                self._note_lazy(auditor)
            if said != claim:
                self._settle_dispute([(provider, claim), (auditor, said)])
                return
            provider.passed += 1
            auditor.passed += 1
        self._wrong += claim != RIGHT
        self._pay_later(provider, claim, auditor)

    def _probe(self, auditor: _Worker) -> None:
        """Let it audit a result that is wrong for certain, whatever the provider's was."""
        self._executions += 1
        planted = -2
        if auditor.strategy is Strategy.LAZY:
            self._note_lazy(auditor)
        if auditor.opinion(planted) == planted:
            self._exclude(auditor)

    def _note_lazy(self, auditor: _Worker) -> None:
        auditor.cheats += 1
        auditor.profit += AUDIT_FEE

    def _replicate(self, provider: _Worker) -> None:
        claim = provider.wrong() if provider.strategy is Strategy.ALWAYS else RIGHT
        provider.cheats += claim != RIGHT
        self._settle_dispute([(provider, claim)])

    def _settle_dispute(self, said: list[tuple[_Worker, int]]) -> None:
        """Ask more workers until one result stands; who said otherwise is excluded. The first is the provider, who is paid if right."""
        provider, claim = said[0]
        while True:
            results = list(dict.fromkeys(result for _, result in said))
            groups = [[worker.passed for worker, result in said if result == wanted] for wanted in results]
            agreed = self._rule.agreed(groups) if len(said) > 1 else None
            asked = None if agreed is not None else self._credible_other([worker for worker, _ in said])
            if asked is None:
                break
            self._executions += 1
            said.append((asked, asked.opinion(claim)))
        if agreed is None:
            # Nobody is left to ask: the job is called off, and nobody is harmed.
            return
        stands = results[agreed]
        self._wrong += stands != RIGHT
        self._wrong_vested += stands != RIGHT
        for worker, result in said:
            if result == stands:
                worker.passed += 1
            else:
                self._exclude(worker)
        if claim == stands:
            self._pay_later(provider, claim, None, found=claim != RIGHT)

    def _pay_later(self, provider: _Worker, claim: int, auditor: _Worker | None, found: bool = False) -> None:
        provider.unvested.append((RIGHT if found else claim, auditor))
        if found:
            provider.profit += 1
        if len(provider.unvested) > self._rule.vesting_jobs:
            vested, _ = provider.unvested.popleft()
            if vested != RIGHT:
                provider.profit += 1
                self._wrong_vested += 1

    def _exclude(self, worker: _Worker) -> None:
        if worker.excluded:
            return
        worker.excluded = True
        self._caught += 1
        self._workers.remove(worker)
        # Its stake, or, where that is all there is, the pay that has not vested, is lost.
        worker.profit -= worker.stake or sum(claim == RIGHT for claim, _ in worker.unvested)
        for claim, auditor in worker.unvested:
            self._executions += 1
            if claim != RIGHT and auditor is not None:
                self._exclude(auditor)
        worker.unvested.clear()
        if worker.strategy is Strategy.RE_REGISTERING:
            self._workers.append(self._new(Strategy.RE_REGISTERING))
            self._everybody.append(self._workers[-1])

    def _credible_other(self, taken: list[_Worker]) -> _Worker | None:
        """A worker drawn among those whose word is credible, or among all where the draw meets none."""
        if len(self._workers) <= len(taken):
            return None
        for attempt in range(1_000):
            worker = self._random.choice(self._workers)
            if worker not in taken and (attempt >= 50 or self._rule.is_credible(worker.passed)):
                return worker
        return None

    def _outcome(self, jobs: int) -> Outcome:
        for worker in self._workers:
            # What has not vested at the end will: nobody looks any more.
            left = sum(claim != RIGHT for claim, _ in worker.unvested)
            worker.profit += left
            self._wrong_vested += left
        cheated = [worker for worker in self._everybody if worker.cheats]
        return Outcome(
            executions_per_job=self._executions / jobs,
            wrong_accepted=self._wrong / jobs,
            wrong_vested=self._wrong_vested / jobs,
            caught=self._caught,
            cheater_profit=sum(worker.profit for worker in cheated) / len(cheated) if cheated else 0.0,
            honest_harmed=sum(w.excluded and w.strategy is Strategy.HONEST for w in self._everybody),
        )
