"""Whether a job can pass at all by the policy that its specification names: what a provider asks before it signs terms.

A policy that no verifier can read, or that wants what the job does not have, ends in *no fault*, however well the provider worked: it would have to
claim without a verifier, and wait. Only what follows from the specification and the parties is looked at; what lies in the inputs is not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from computility.domain.identifiers import Address
from computility.domain.metered_lease import LEASE_HEARTBEAT
from computility.domain.specification import Specification
from computility.domain.task_specification import TaskSpecification
from computility.domain.units import FULL_BPS
from computility.verification.composition import ALL_OF, ANY_OF, MAX_DEPTH, MAX_MEMBERS, SAMPLED, passes_by_tee_alone
from computility.verification.credible_signing import audit_policy_of
from computility.verification.hash_equality import fits_hash_policy, fits_units
from computility.verification.lease_heartbeat import lease_policy_of
from computility.verification.product_jobs import PRECISIONS
from computility.verification.segment_replay import SEGMENT_START, SegmentPolicy

_READS: Final = ("freivalds", "hash-equality", "segment-replay", "tee")
"""Methods that look into inputs or outputs, or at hashes of another attempt's: what is sealed shows them nothing."""


@dataclass(frozen=True)
class VerifiedBy:
    """Who is to check: the buyer or payer itself, or somebody else; the vendors whose attestations the provider can bring (`tee`'s kinds); and
    whether what runs the job tells its processes meanwhile."""

    buyer_verifies: bool
    attests: Collection[str] = ()
    tells_processes: bool = True


def unmet(specification: Specification, by: VerifiedBy) -> str | None:
    """Why a job cannot pass by its policy, in a sentence; None where nothing speaks against it."""
    policy = specification.verification
    if not policy:
        return None
    if passes_by_tee_alone(policy):
        return "a vendor's attestation alone lets nothing pass: join it with another method by all-of"
    if (blind := blind_method(specification)) is not None:
        return f"{blind} reads what this job seals: leave the check to readers, who run the job again"
    if lease_policy_of(policy) is None and _names(policy, LEASE_HEARTBEAT) and policy.get("method") != LEASE_HEARTBEAT:
        return "a lease is verified by lease-heartbeat alone"
    return _unmet(specification, policy, by, MAX_DEPTH)


def blind_method(specification: Specification) -> str | None:
    """The method of a sealed job's policy that would have to read what is sealed. It would find the work of an honest provider wrong."""
    if specification.sealing is None:
        return None
    return next((method for method in _READS if _names(specification.verification, method)), None)


def sealed_from_verifiers(
    specification: Specification, told: Mapping[Address, str | None], may_be_blind: int, shut: Collection[str] = ()
) -> str | None:
    """Why those who are to check a sealed job could only say *no fault* of it, in a sentence; None where enough of them can read it. ``told`` is the
    reader key that each of them told, ``may_be_blind`` how many of them need not read.

    ``shut`` are keys of readers in whose box is something else than the job's key (`execution.reader_key.shut_out`).
    """
    if specification.sealing is None:
        return None
    readers = {reader.key for reader in specification.sealing.readers}
    blind = [account for account, key in told.items() if key not in readers or key in shut]
    if len(blind) <= may_be_blind:
        return None
    return (
        f"the job is sealed from its verifiers ({', '.join(blind)}), who could say nothing of its result, and nobody could rule: seal it to the "
        "reader keys that they told in the journal (`buy --seal` without --reader does), each with the job's key in its box; name others who told "
        "theirs, or name an arbiter"
    )


def _unmet(specification: Specification, policy: Any, by: VerifiedBy, depth: int) -> str | None:
    if not isinstance(policy, Mapping) or depth == 0:
        return f"a policy is an object with a method, at most {MAX_DEPTH} deep"
    method = policy.get("method")
    if method in (ALL_OF, ANY_OF, SAMPLED):
        return _unmet_members(specification, policy, by, depth)
    match method:
        case "reexec-quorum":
            if "audit_bps" in policy and audit_policy_of(policy) is None:
                return "audit_bps of reexec-quorum is a number between 500 and 10000"
            if not fits_units(policy):
                return "units_within_bps of reexec-quorum is a number between 0 and 30000"
        case "hash-equality":
            if not fits_hash_policy(policy):
                return "hash-equality takes `files`, a list of paths, `expected`, hashes by path, and `units_within_bps`, from 0 to 30000"
        case "freivalds":
            return _unmet_product(specification, policy)
        case "segment-replay":
            return _unmet_segments(specification, policy)
        case "lease-heartbeat":
            if lease_policy_of(policy) is None:
                return "lease-heartbeat takes `interval_s`, a number of seconds from 2 to 86400"
            if not by.buyer_verifies:
                return "the buyer of a lease is its verifier: nobody else can co-sign its meter"
            if not by.tells_processes:
                return "this offer tells no processes of a job that runs, so no reading of a lease would be believed: choose one of `process` jobs"
        case "tee":
            if policy.get("kind") not in by.attests:
                return f"this machine brings no attestation of kind {policy.get('kind')!r}"
        case _:
            return f"there is no method {str(method)[:80]!r}"
    return None


def _unmet_members(specification: Specification, policy: Mapping[str, Any], by: VerifiedBy, depth: int) -> str | None:
    members, method = policy.get("of"), policy["method"]
    if not isinstance(members, list) or not 1 <= len(members) <= MAX_MEMBERS:
        return f"{method} takes `of`, a list of 1 to {MAX_MEMBERS} policies"
    bps = policy.get("bps")
    if method == SAMPLED and (len(members) != 1 or type(bps) is not int or not 0 < bps <= FULL_BPS):
        return "sampled takes one policy, and `bps` from 1 to 10000"
    found = [_unmet(specification, member, by, depth - 1) for member in members]
    reasons = [reason for reason in found if reason is not None]
    if method == ANY_OF and len(reasons) < len(found):
        return None
    return reasons[0] if reasons else None


def _unmet_product(specification: Specification, policy: Mapping[str, Any]) -> str | None:
    inputs = {file.path for file in specification.inputs}
    for name in ("left", "right"):
        if policy.get(name) not in inputs:
            return f"freivalds takes `{name}`, a path of an input, and {policy.get(name)!r} is none of this job's"
    if not isinstance(policy.get("product"), str):
        return "freivalds takes `product`, a path of an output"
    precision, graded = policy.get("precision"), policy.get("graded", False)
    if precision is not None and precision not in PRECISIONS:
        return f"freivalds knows the precisions {', '.join(PRECISIONS)}, not {precision!r}"
    if type(graded) is not bool or (graded and precision is None):
        return "freivalds takes `graded`, true or false, for a product of floats"
    return None


def _unmet_segments(specification: Specification, policy: Mapping[str, Any]) -> str | None:
    if SegmentPolicy.read(policy) is None:
        return "segment-replay takes `checkpoints`, `segments`, `sampled`, `threshold_ppm` and `replay`, a command"
    if not isinstance(specification, TaskSpecification):
        return "segments are replayed of jobs of version 2"
    if any(file.path == SEGMENT_START for file in specification.files):
        return f"a job whose segments are replayed has no file of its own that is called {SEGMENT_START}"
    return None


def _names(policy: Any, method: str, depth: int = MAX_DEPTH) -> bool:
    if not isinstance(policy, Mapping) or depth == 0:
        return False
    members = policy.get("of")
    return policy.get("method") == method or (
        isinstance(members, list) and any(_names(member, method, depth - 1) for member in members)
    )
