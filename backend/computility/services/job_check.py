"""Checks a submission as the job's specification says: a verifier's work, and an auditor's who does it again.

An empty policy is the verifier's own choice: it runs the job again, and so it does where the policy names audits, unless the provider is credible
(`credible_signing`). Else the policy names methods (`verification.composition`); those that draw what
they look at need a challenge, which nobody knew when the result was committed (`challenge_seed`).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, Final

from computility.domain.attestation import Verdict
from computility.domain.content_id import content_id_of_digest
from computility.domain.errors import (
    ComputilityError,
    ContentError,
    ExecutionError,
    InvalidJobSpecification,
    InvalidManifest,
    InvalidMessage,
)
from computility.domain.manifest import parse_manifest
from computility.domain.metered_lease import LEASE_HEARTBEAT
from computility.domain.specification import Specification, parse_specification
from computility.domain.statements import SignedStatement, Submission
from computility.domain.terms import Terms
from computility.execution.content_store import ContentStore
from computility.execution.executor_set import ExecutorSet
from computility.verification.challenge_seed import SECRET_BYTES, OpenedChallenge
from computility.verification.composition import (
    CHECK_BROKE,
    MAX_DEPTH,
    POLICY_UNFIT,
    SAMPLED,
    ComposedVerifier,
    in_full,
    leaves,
)
from computility.verification.credible_signing import REEXECUTION, audit_policy_of
from computility.verification.freivalds import OUT_OF_MEMORY, UNREADABLE
from computility.verification.hash_equality import HashEqualityVerifier
from computility.verification.lease_heartbeat import HeartbeatVerifier, ReadingsOf
from computility.verification.policy_fitness import blind_method
from computility.verification.product_jobs import ProductVerifier
from computility.verification.reexecution import Finding, ReexecutionVerifier, run_again
from computility.verification.segment_replay import SegmentVerifier, withheld_paths
from computility.verification.verifier import Verifier

_log = logging.getLogger(__name__)

OUTPUTS_MISSING: Final = "outputs-missing"
CHALLENGE_MISSING: Final = "challenge-missing"
_DRAWING: Final = ("freivalds", "segment-replay")
_NO_SEED: Final = bytes(32)


class Uploaded(Enum):
    """What of a submission's outputs is in the content store: all, not all, or a manifest that is none."""

    ALL = "all"
    MISSING = "missing"
    UNFIT = "unfit"


class JobCheck:
    """One verifier's methods, on its executors and a content store. ``readings_of`` tells the meter of a lease; ``methods`` are
    known beside those that need no setting."""

    def __init__(
        self,
        executors: ExecutorSet,
        content: ContentStore,
        readings_of: ReadingsOf = lambda _: (),
        methods: Mapping[str, Verifier] | None = None,
    ) -> None:
        self._executors = executors
        self._content = content
        self._composed = ComposedVerifier(
            {
                REEXECUTION: ReexecutionVerifier(executors.of, content),
                "hash-equality": HashEqualityVerifier(executors.of, content),
                "freivalds": ProductVerifier(content),
                "segment-replay": SegmentVerifier(executors.of, content),
                LEASE_HEARTBEAT: HeartbeatVerifier(readings_of, content),
                **(methods or {}),
            }
        )

    def specification(self, terms: Terms) -> Specification | None:
        """The job's specification; None where it is not there, or is none. Whoever checks says why."""
        try:
            return parse_specification(self._content.get(content_id_of_digest(terms.spec)))
        except (ContentError, InvalidJobSpecification):
            return None

    def environment(self, specification: Specification | None) -> str:
        """The environment class that evidence names: the job's own. Where it is not offered here, nothing was run, and whoever offers others has to
        write the same."""
        return specification.environment if specification is not None else self._executors.environments[0]

    def check(
        self,
        terms: Terms,
        signed: SignedStatement,
        submission: Submission,
        challenge: OpenedChallenge | None,
        *,
        withheld: bool = False,
    ) -> Finding:
        """What is to be said of a submission. With ``withheld`` nothing is drawn, and everything looked at. It never
        raises because of the job or the provider; what this machine lacks is no fault.

        Raises:
            NodeError: the content store cannot be asked at all.
            ChainError: the chain cannot.
        """
        try:
            specification = parse_specification(self._content.get(content_id_of_digest(terms.spec)))
            if not specification.verification or audit_policy_of(specification.verification) is not None:
                executor = self._executors.of(specification.environment)
                return run_again(specification, submission, executor, self._content)
            return self._by_policy(specification, signed, submission, challenge, withheld=withheld)
        except (ContentError, ExecutionError, InvalidMessage) as error:
            return Finding(Verdict.NO_FAULT, error.code, None)
        except ComputilityError:
            # Whoever could not be asked now is asked again.
            raise
        except MemoryError:
            return Finding(Verdict.NO_FAULT, OUT_OF_MEMORY, None)
        except OSError:
            return Finding(Verdict.NO_FAULT, UNREADABLE, None)
        except Exception:  # noqa: BLE001 - logged, and said as no fault
            # Silence would let a provider claim: whatever broke here, somebody has to say that nothing was found.
            _log.exception("the check of job %s broke: please report it", submission.job)
            return Finding(Verdict.NO_FAULT, CHECK_BROKE, None)

    def _by_policy(
        self,
        specification: Specification,
        signed: SignedStatement,
        submission: Submission,
        challenge: OpenedChallenge | None,
        *,
        withheld: bool,
    ) -> Finding:
        policy = in_full(specification.verification) if withheld else specification.verification
        if challenge is None and not withheld and draws(policy):
            return Finding(Verdict.NO_FAULT, CHALLENGE_MISSING, None)
        if blind_method(specification) is not None:
            return Finding(Verdict.NO_FAULT, POLICY_UNFIT, None)
        # Of what no challenge says, everybody draws for itself: the products of Freivalds' check err with 2⁻⁶¹ whatever the seed.
        seed = secrets.token_bytes(SECRET_BYTES) if challenge is None else challenge.seed(signed, submission)
        found = self._composed.verify(specification, submission, policy, seed)
        finding = Finding(found.verdict, found.reason, None, challenge=challenge)
        if found.verdict is not Verdict.PASS:
            return finding
        if self.uploaded(specification, submission) is not Uploaded.ALL:
            return replace(finding, verdict=Verdict.NO_FAULT, reason=OUTPUTS_MISSING)
        return replace(finding, passed=submission, soundness_bits=found.soundness_bits)

    def uploaded(self, specification: Specification, submission: Submission) -> Uploaded:
        """Whether the buyer can have the outputs, but for those that the policy leaves with the provider."""
        try:
            manifest = parse_manifest(self._content.get(content_id_of_digest(submission.result)))
        except ContentError:
            return Uploaded.MISSING
        except InvalidManifest:
            return Uploaded.UNFIT
        kept = withheld_paths([policy for policy, _ in leaves(specification.verification, _NO_SEED)], manifest)
        there = all(self._content.has(file.cid) for file in manifest.files if file.path not in kept)
        return Uploaded.ALL if there else Uploaded.MISSING


def draws(policy: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether a policy looks at something that is drawn. What is deeper than a policy may be, nobody looks at."""
    if not isinstance(policy, Mapping) or depth == 0:
        return False
    method, members = policy.get("method"), policy.get("of")
    if method == SAMPLED or any(method == drawing for drawing in _DRAWING):
        return True
    return isinstance(members, list) and any(draws(member, depth - 1) for member in members)
