"""What a provider finds of its own result before it commits to it: that the job's policy fails it, however honestly the program was run.

A buyer writes the program as well as the policy. One that multiplies wrongly, or that writes fewer checkpoints than the policy names, would cost an
agent that does not look its bond; an excuse costs nobody anything.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from computility.domain.attestation import Verdict
from computility.domain.manifest import OutputManifest
from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.execution.content_store import ContentStore
from computility.verification.challenge_seed import SECRET_BYTES
from computility.verification.composition import ALL_OF, ANY_OF, MAX_DEPTH, SAMPLED
from computility.verification.product_jobs import ProductVerifier
from computility.verification.segment_replay import CHECKPOINT_MISSING, SegmentPolicy

RESULT_WOULD_FAIL = "result-would-fail"


def own_fault(
    specification: Specification, submission: Submission, manifest: OutputManifest, content: ContentStore
) -> str | None:
    """Why verifiers would fail a result whose outputs are in the content store, as a slug; None where nothing that is cheap to look at says so.

    Raises:
        NodeError: the content store cannot be asked at all.
    """
    for policy in _needed(specification.verification, MAX_DEPTH):
        if policy.get("method") == "freivalds":
            seed = secrets.token_bytes(SECRET_BYTES)
            found = ProductVerifier(content).verify(specification, submission, policy, seed)
            if found.verdict is Verdict.FAIL:
                return found.reason
        elif policy.get("method") == "segment-replay" and (read := SegmentPolicy.read(policy)) is not None:
            paths = {file.path for file in manifest.files}
            if any(read.path(place) not in paths for place in range(read.segments + 1)):
                return CHECKPOINT_MISSING
    return None


def _needed(policy: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """The methods without which a result may not pass."""
    if not isinstance(policy, Mapping) or depth == 0 or policy.get("method") == ANY_OF:
        return
    members = policy.get("of")
    if policy.get("method") not in (ALL_OF, SAMPLED):
        yield policy
    elif isinstance(members, list):
        for member in members:
            yield from _needed(member, depth - 1)
