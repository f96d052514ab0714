"""``reexec-quorum`` with audits: signing the result of a credible provider without running it again.

    {"method": "reexec-quorum", "audit_bps": 2200}

Whoever buys by this policy takes the rule of `quorum`: a provider that passed enough checks of this verifier, and stands to lose enough on this job,
is believed; but a draw, from a seed that nobody knew when the result was committed, has one member run it again at the rate that the policy names.
The decision is a part of the evidence, so that an auditor can make it again from the chain and what is stored.

A *check* that counts is a job of the same provider that closed with a pass of the same verifier before this one opened, and whose evidence says that
it was run again. Only those after the provider's last fail count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from computility.domain.errors import InvalidEvidence, InvalidMessage
from computility.domain.identifiers import ZERO_ADDRESS, Bytes32, parse_bytes32
from computility.domain.terms import Terms
from computility.domain.units import FULL_BPS
from computility.verification.quorum import Duty, QuorumRule

REEXECUTION: Final = "reexec-quorum"
CREDIBLE: Final = "credible"
"""The reason of a pass that rests on credibility alone."""
LEAST_AUDIT_BPS: Final = 500
MOST_LISTED: Final = 64


@dataclass(frozen=True)
class AuditPolicy:
    """What a specification says of audits. ``audit_bps`` of credible results are run again.

    Raises:
        ValueError: below 5 %, which no bond can make up for, or above all.
    """

    audit_bps: int

    def __post_init__(self) -> None:
        if type(self.audit_bps) is not int or not LEAST_AUDIT_BPS <= self.audit_bps <= FULL_BPS:
            raise ValueError(f"audit_bps lies between {LEAST_AUDIT_BPS} and {FULL_BPS}")

    @property
    def rule(self) -> QuorumRule:
        """The rule at this rate. The bond alone has to deter at the rate at which audits come."""
        return QuorumRule(audit_bps=self.audit_bps, probe_bps=0, deterrence_bps=self.audit_bps)

    @property
    def checks_wanted(self) -> int:
        """Passed checks that make a provider credible."""
        return next(passed for passed in count(1) if self.rule.is_credible(passed))

    def is_covered(self, terms: Terms) -> bool:
        """Whether the provider loses more on this job than a cheat could gain on average: the bond is above price · (1 − a)/a, and there is an
        arbiter to rule on it. Without one, disputing a fail frees the bond at once (``contracts/SPEC.md``), and a cheat would lose nothing."""
        return terms.arbiter != ZERO_ADDRESS and terms.bond >= self.least_bond(terms.unit_price * terms.max_units)

    def least_bond(self, price: int) -> int:
        """The least bond above price · (1 − a)/a, in atoms: 19 times the price at 5 %.

        Raises:
            AmountOutOfRange: above what an amount can be.
        """
        return self.rule.least_collateral(price)

    def is_audited(self, seed: bytes, job: Bytes32) -> bool:
        """What the draw says."""
        return self.rule.drawn(seed, job) is Duty.AUDIT


def audit_policy_of(policy: Mapping[str, Any]) -> AuditPolicy | None:
    """The audits that a specification's policy names; None where it names none, or none that can be. Then everything is run again."""
    if policy.get("method") != REEXECUTION or "audit_bps" not in policy:
        return None
    try:
        return AuditPolicy(policy["audit_bps"])
    except ValueError:
        return None


@dataclass(frozen=True)
class Credibility:
    """Why a result was believed: the checks that its provider had passed, the newest first, and whether the draw had it run again all the same."""

    audit_bps: int
    audited: bool
    passed: tuple[Bytes32, ...]

    def to_document(self) -> dict[str, Any]:
        """As evidence holds it."""
        return {"audit_bps": self.audit_bps, "audited": self.audited, "passed": list(self.passed)}


def credibility_of(document: Mapping[str, Any]) -> Credibility:
    """Read what evidence holds.

    Raises:
        InvalidEvidence: it does not fit.
    """
    if document.keys() != {"audit_bps", "audited", "passed"} or type(document["audited"]) is not bool:
        raise InvalidEvidence("credibility has exactly the fields audit_bps, audited and passed")
    listed = document["passed"]
    if not isinstance(listed, list) or len(listed) > MOST_LISTED:
        raise InvalidEvidence(f"passed lists at most {MOST_LISTED} jobs")
    try:
        passed = tuple(parse_bytes32(job) for job in listed)
        policy = AuditPolicy(document["audit_bps"])
    except (InvalidMessage, ValueError) as error:
        raise InvalidEvidence(str(error)) from error
    if list(passed) != listed or len(set(passed)) != len(passed):
        raise InvalidEvidence("the jobs that passed are each listed once, in lower-case hex")
    return Credibility(policy.audit_bps, document["audited"], passed)
