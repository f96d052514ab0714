"""Who runs a job again, and how often: the rule of ``reexec-quorum``. Pure; the seed comes from whoever draws, after the result is committed.

1. A provider without enough passed checks is replicated until the posterior of one result reaches ``wanted`` (`credibility`).
2. The result of a credible provider is signed at once. After it is committed, a draw decides whether it is audited, at the rate a, by one
   credible worker.
3. Where results differ, replicas are added until one reaches ``wanted`` and leads each other by ``lead`` workers. Whoever gave another is excluded
   and loses its collateral, and all its unvested results are run again.
4. Probes are audits of a result that the drawer made wrong: an auditor that confirms without running loses its collateral.

**Why cheating loses money.** A wrong result is paid for with probability at most 1 − a, and gains at most the price P; with probability a it costs
the collateral L. The expectation is negative if L > P·(1 − a)/a: 19·P at 5 %. Nothing in this depends on the identity's past or future, so a new
identity for nothing changes nothing, as long as each job is covered by stake or unvested pay of its own identity. An identity gets at most
(1 − a)/a wrong results signed in expectation, whatever its strategy.

**Why a dispute needs a lead.** The posterior takes workers to fail independently. Workers who collude, a share f of all, win a dispute that is
settled by a lead of n drawn workers with probability at most (f/(1 − f))^n (the gambler's ruin): 1 in 4,096 for f = 1/5 and n = 6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from computility.domain.identifiers import Bytes32
from computility.domain.units import FULL_BPS, Credits, checked_credits
from computility.verification.credibility import group_posteriors, worker_credibility

_DRAWS: Final = 2**64


class Duty(Enum):
    """What a draw puts on the verifiers of a job whose result is committed."""

    NONE = "none"
    AUDIT = "audit"
    PROBE = "probe"


@dataclass(frozen=True)
class QuorumRule:
    """The rule's numbers.

    ``faulty_share`` of workers assumed faulty; ``wanted`` posterior of a result; ``lead`` of a result that is disputed; ``audit_bps`` of credible
    providers' results that are audited and ``probe_bps`` that bring a probe; ``deterrence_bps``: the rate of audits at which the collateral alone
    has to deter, at most the former; ``vesting_jobs``: results of a provider whose pay waits; ``exclusion_s``: for how long after a fail that stood
    a provider is excluded, in seconds. The simulation, which has no calendar, excludes for good.
    """

    faulty_share: float = 0.2
    wanted: float = 0.99
    lead: int = 6
    audit_bps: int = 2_200
    probe_bps: int = 100
    deterrence_bps: int = 500
    vesting_jobs: int = 20
    exclusion_s: int = 90 * 86_400

    def __post_init__(self) -> None:
        if not (0 < self.faulty_share < 1 and 0.5 < self.wanted < 1):
            raise ValueError("the faulty share lies between 0 and 1, the wanted posterior between 0.5 and 1")
        if not 0 < self.deterrence_bps <= self.audit_bps or self.probe_bps < 0:
            raise ValueError("audits are drawn at least at the rate at which the collateral deters")
        if self.audit_bps + self.probe_bps > FULL_BPS:
            raise ValueError("audits and probes are at most all jobs")

    def is_credible(self, passed: int) -> bool:
        """Whether a worker's word alone is signed."""
        return worker_credibility(self.faulty_share, passed) >= self.wanted

    def is_excluded(self, failed_at: int, at: int) -> bool:
        """Whether a provider is excluded because of a fail that stood: whom nobody believes, and whose asks a node does not take. UTC seconds."""
        return at < failed_at + self.exclusion_s

    def enough(self, provider: int, members: Sequence[int]) -> bool:
        """Whether a provider's result stands after so many members, each given by the checks that it has passed itself, ran the job and found the
        same: then the others sign it without a run of their own."""
        return bool(members) and self.agreed([[provider, *members]]) is not None

    def agreed(self, groups: Sequence[Sequence[int]]) -> int | None:
        """Which group's result stands, each worker being given by its passed checks; None: one more replica is needed."""
        credibilities = [[worker_credibility(self.faulty_share, passed) for passed in group] for group in groups]
        posteriors = group_posteriors(credibilities)
        best = max(range(len(groups)), key=posteriors.__getitem__)
        runner_up = max((len(group) for number, group in enumerate(groups) if number != best), default=None)
        leads = runner_up is None or len(groups[best]) >= runner_up + self.lead
        return best if leads and posteriors[best] >= self.wanted else None

    def drawn(self, seed: bytes, job: Bytes32) -> Duty:
        """The duty that a seed, unknown when the result was committed, puts on a job. Everybody draws the same."""
        digest = hashlib.sha256(b"computility/quorum/1" + seed + bytes.fromhex(job[2:])).digest()
        place = int.from_bytes(digest[:8], "big") * FULL_BPS // _DRAWS
        if place < self.audit_bps:
            return Duty.AUDIT
        return Duty.PROBE if place < self.audit_bps + self.probe_bps else Duty.NONE

    def least_collateral(self, price: int) -> Credits:
        """What a provider must be able to lose on a job of this price: the least amount above price · (1 − a)/a at the deterring rate a.

        Raises:
            AmountOutOfRange: above what an amount can be.
        """
        return checked_credits(price * (FULL_BPS - self.deterrence_bps) // self.deterrence_bps + 1)
