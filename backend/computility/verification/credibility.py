"""How far a worker, and a result that some workers agree on, can be believed (Sarmenta, "Sabotage-tolerance mechanisms for volunteer computing
systems", Future Generation Computer Systems 18 (2002), sections 3.4 and 3.5).

f is the share of workers that is assumed to be faulty. A worker that fails one check is excluded, so whoever cheats at a rate s has passed k checks
with probability (1 − s)^k; the chance that its next result is wrong is highest at s = 1/(k + 1), and below f / ((1 − f)·e·k).
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def worker_credibility(faulty_share: float, passed: int) -> float:
    """The least probability that the next result of a worker is right after it passed so many checks, and failed none."""
    if passed == 0:
        return 1 - faulty_share
    return 1 - min(faulty_share, faulty_share / ((1 - faulty_share) * math.e * passed))


def group_posteriors(groups: Sequence[Sequence[float]]) -> list[float]:
    """For each group of workers that returned the same result, the probability that this is the right one, given the workers' credibilities.

    With P_a good all of group a being right, P_a bad all of it being wrong, it is P_a good · Π_{i≠a} P_i bad over the sum of the same for every
    group and of all being bad.
    """
    good = [math.prod(group) for group in groups]
    bad = [math.prod(1 - credibility for credibility in group) for group in groups]
    weights = [good[a] * math.prod(bad[i] for i in range(len(groups)) if i != a) for a in range(len(groups))]
    total = sum(weights) + math.prod(bad)
    return [weight / total for weight in weights]
