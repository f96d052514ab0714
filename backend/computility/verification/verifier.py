"""``Verifier``: one method of checking a result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from computility.domain.specification import Specification
from computility.domain.statements import Submission
from computility.verification.check_result import CheckResult


class Verifier(Protocol):
    """One method. What it needs (content, executors) it was made with."""

    def verify(
        self, specification: Specification, submission: Submission, policy: Mapping[str, Any], seed: bytes
    ) -> CheckResult:
        """Check a submitted result.

        Args:
            specification: of the job.
            submission: what the provider signed.
            policy: the method's part of ``specification.verification``.
            seed: of `Beacon.seed`, unknown when the result was committed.

        Returns:
            PASS, FAIL, or NO_FAULT with the reason why nothing can be told. It should not raise because of the job or the
            provider; where it does, that is NO_FAULT (``check-broke``).
        """
        ...
