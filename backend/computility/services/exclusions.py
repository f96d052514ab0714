"""Who is shut out of a node's market: providers against whom a fail of the deployment's committee stood, for as long as the rule says.

From the ledger's events alone, so that it survives restarts, and every node and auditor finds the same. A fail of another verifier excludes nobody:
its parties chose that one, and it may be a friend of the buyer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.services.ledger import Ledger
from computility.verification.quorum import QuorumRule

LOOKED_AT: Final = 400
"""Closed jobs of a provider with a committee, the newest first, among which a fail is looked for."""
_PAGE: Final = 100


class Exclusions:
    """``committees`` are those of the deployment, of every generation."""

    def __init__(self, ledger: Ledger, committees: Callable[[], Collection[Address]], rule: QuorumRule) -> None:
        self._ledger = ledger
        self._committees = committees
        self._rule = rule

    def of(self, provider: Address, now: int) -> tuple[Bytes32, int] | None:
        """The failed job that excludes a provider, and until when, in UTC seconds; None where nothing does."""
        if not self._ledger.may_have_failed(provider):
            return None
        for committee in self._committees():
            cursor, seen = None, 0
            while seen < LOOKED_AT:
                page = self._ledger.jobs(
                    buyer=None,
                    provider=provider,
                    verifier=committee,
                    states=[JobState.CLOSED],
                    limit=_PAGE,
                    cursor=cursor,
                )
                for found in page.items:
                    record = found.record
                    if record.failed and self._rule.is_excluded(record.closed_at or 0, now):
                        return record.id, (record.closed_at or 0) + self._rule.exclusion_s
                seen, cursor = seen + len(page.items), page.next
                if cursor is None:
                    break
        return None
