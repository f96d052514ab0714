"""What a check of a result found, before anybody signs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from computility.domain.attestation import Verdict


@dataclass(frozen=True)
class CheckResult:
    """A verdict with its reason and its strength.

    ``NO_FAULT`` is inconclusive: this machine, or this method, cannot tell, and nobody is to be harmed by it. ``reason`` is a slug.
    ``soundness_bits`` is −log2 of the highest probability with which a wrong result would have passed; 0 unless it passed.
    ``measures`` are numbers for the evidence, by name.
    """

    verdict: Verdict
    reason: str
    soundness_bits: float = 0.0
    measures: Mapping[str, float] = field(default_factory=dict)
