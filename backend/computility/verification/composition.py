"""Methods joined to one: all of them, any of them, or one of them now and then. A policy names them:

    {"method": "all-of", "of": [{"method": "hash-equality"}, {"method": "freivalds", …}]}
    {"method": "any-of", "of": […]}
    {"method": "sampled", "of": [{…}], "bps": 2200}

A vendor's attestation (``tee``) is evidence beside other methods: a policy by which it could let a result pass alone is refused.

A wrong result passes *all of* with at most the probability of the strictest, and *any of* with at most the sum of all. NO_FAULT is contagious: a
pass or a fail that hangs on a method that could not tell is none.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.errors import ComputilityError
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.domain.units import FULL_BPS
from computility.verification.check_result import CheckResult
from computility.verification.freivalds import OUT_OF_MEMORY, UNREADABLE
from computility.verification.verifier import Verifier

_log = logging.getLogger(__name__)

ALL_OF: Final = "all-of"
ANY_OF: Final = "any-of"
SAMPLED: Final = "sampled"
SEGMENT_REPLAY: Final = "segment-replay"
UNKNOWN_METHOD: Final = "unknown-method"
POLICY_UNFIT: Final = "policy-unfit"
NOT_SAMPLED: Final = "not-sampled"
TEE: Final = "tee"
TEE_ALONE: Final = "tee-alone"
CHECK_BROKE: Final = "check-broke"
"""The reason where a verifier's own program ended otherwise than it should have."""
MAX_DEPTH: Final = 4
MAX_MEMBERS: Final = 8


class ComposedVerifier:
    """Any policy over methods that are known by name."""

    def __init__(self, methods: Mapping[str, Verifier]) -> None:
        self._methods = dict(methods)

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """As ``policy`` says; what it does not say rightly harms nobody."""
        if passes_by_tee_alone(policy):
            return CheckResult(Verdict.NO_FAULT, TEE_ALONE)
        return self._verify(specification, submission, policy, seed, MAX_DEPTH)

    def _verify(
        self, specification: Specification, submission: Submission, policy: Any, seed: bytes, depth: int
    ) -> CheckResult:
        if not isinstance(policy, Mapping) or depth == 0:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        method = policy.get("method")
        if method not in (ALL_OF, ANY_OF, SAMPLED):
            verifier = self._methods.get(method) if isinstance(method, str) else None
            if verifier is None:
                return CheckResult(Verdict.NO_FAULT, UNKNOWN_METHOD)
            return _asked(verifier, specification, submission, policy, seed)
        members = policy.get("of")
        if not isinstance(members, list) or not 1 <= len(members) <= MAX_MEMBERS:
            return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
        if method == SAMPLED:
            bps = policy.get("bps")
            if len(members) != 1 or type(bps) is not int or not 0 < bps <= FULL_BPS:
                return CheckResult(Verdict.NO_FAULT, POLICY_UNFIT)
            if not _is_drawn(seed, bps):
                return CheckResult(Verdict.PASS, NOT_SAMPLED, sampled_bits(bps, math.inf))
            found = self._verify(specification, submission, members[0], _derived(seed, 0), depth - 1)
            if found.verdict is not Verdict.PASS:
                return found
            return CheckResult(Verdict.PASS, found.reason, sampled_bits(bps, found.soundness_bits), found.measures)
        found_all = [
            self._verify(specification, submission, member, _derived(seed, place), depth - 1)
            for place, member in enumerate(members)
        ]
        return all_of(found_all) if method == ALL_OF else any_of(found_all)


def _asked(
    verifier: Verifier, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
) -> CheckResult:
    """What one method says. Where it breaks it cannot tell; what the others found stands."""
    try:
        return verifier.verify(specification, submission, policy, seed)
    except ComputilityError:
        # A node or a chain that cannot be asked is tried again; `JobCheck` says which of the others are no fault.
        raise
    except MemoryError:
        return CheckResult(Verdict.NO_FAULT, OUT_OF_MEMORY)
    except OSError:
        return CheckResult(Verdict.NO_FAULT, UNREADABLE)
    except Exception:  # noqa: BLE001 - logged, and said as no fault
        _log.exception("the method %s broke on job %s: please report it", policy.get("method"), submission.job)
        return CheckResult(Verdict.NO_FAULT, CHECK_BROKE)


def passes_by_tee_alone(policy: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether there is a way to pass on which nothing is looked at but attestations of vendors."""
    if not isinstance(policy, Mapping) or depth == 0:
        return False
    members = policy.get("of")
    if policy.get("method") not in (ALL_OF, ANY_OF, SAMPLED) or not isinstance(members, list):
        return policy.get("method") == TEE
    alone = [passes_by_tee_alone(member, depth - 1) for member in members]
    return all(alone) if policy["method"] == ALL_OF else any(alone)


def leaves(policy: Any, seed: bytes, depth: int = MAX_DEPTH) -> Iterator[tuple[Mapping[str, Any], bytes]]:
    """The methods of a policy that are to be asked under a seed, each with the seed of its own."""
    if not isinstance(policy, Mapping) or depth == 0:
        return
    members = policy.get("of")
    if policy.get("method") not in (ALL_OF, ANY_OF, SAMPLED):
        yield policy, seed
    elif isinstance(members, list) and len(members) <= MAX_MEMBERS:
        bps = policy.get("bps")
        if policy["method"] == SAMPLED and type(bps) is int and not _is_drawn(seed, bps):
            return
        for place, member in enumerate(members):
            yield from leaves(member, _derived(seed, place), depth - 1)


def leaves_of_any_draw(policy: Any, depth: int = MAX_DEPTH) -> Iterator[Mapping[str, Any]]:
    """The methods that a policy could ask, whatever is drawn."""
    if not isinstance(policy, Mapping) or depth == 0:
        return
    members = policy.get("of")
    if policy.get("method") not in (ALL_OF, ANY_OF, SAMPLED):
        yield policy
    elif isinstance(members, list):
        for member in members[:MAX_MEMBERS]:
            yield from leaves_of_any_draw(member, depth - 1)


def in_full(policy: Any, depth: int = MAX_DEPTH) -> Any:
    """A policy that looks at everything which this one would draw from: where a draw is withheld, nobody may profit by it."""
    if not isinstance(policy, Mapping) or depth == 0:
        return policy
    method, members = policy.get("method"), policy.get("of")
    if method == SEGMENT_REPLAY:
        return {**policy, "sampled": policy.get("segments")}
    if method not in (ALL_OF, ANY_OF, SAMPLED) or not isinstance(members, list):
        return policy
    if method == SAMPLED and len(members) == 1:
        return in_full(members[0], depth - 1)
    return {**policy, "of": [in_full(member, depth - 1) for member in members]}


def all_of(found: list[CheckResult]) -> CheckResult:
    """FAIL if one fails; else NO_FAULT if one cannot tell; else PASS."""
    for verdict in (Verdict.FAIL, Verdict.NO_FAULT):
        for result in found:
            if result.verdict is verdict:
                return result
    return max(found, key=lambda result: result.soundness_bits)


def any_of(found: list[CheckResult]) -> CheckResult:
    """PASS if one passes; else NO_FAULT if one cannot tell; else FAIL."""
    passed = [result for result in found if result.verdict is Verdict.PASS]
    if passed:
        bits = max(0.0, -math.log2(sum(2.0**-result.soundness_bits for result in passed)))
        return CheckResult(Verdict.PASS, passed[0].reason, bits, passed[0].measures)
    return next((result for result in found if result.verdict is Verdict.NO_FAULT), found[0])


def _is_drawn(seed: bytes, bps: int) -> bool:
    place = int.from_bytes(hashlib.sha256(b"computility/sampled/1" + seed).digest()[:8], "big")
    return place * FULL_BPS < bps << 64


def sampled_bits(bps: int, bits: float) -> float:
    """Bits of a method that is asked in so many of 10,000 cases: a wrong result passes if it is not drawn, or if it is and the method errs."""
    share = bps / FULL_BPS
    missed = (1 - share) + share * 2.0**-bits
    return -math.log2(missed) if missed > 0 else bits


def _derived(seed: bytes, place: int) -> bytes:
    return hashlib.sha256(b"computility/member/1" + place.to_bytes(2, "big") + seed).digest()
