"""What the order book has to know of the ledger."""

from __future__ import annotations

from typing import Protocol

from computility.domain.identifiers import Address, Bytes32
from computility.domain.terms import Terms


class LedgerFacts(Protocol):
    """Answers from the store, as far as it is folded."""

    def terms_of(self, job: Bytes32) -> tuple[Terms | None, bool]:
        """The terms of a job, and whether it is closed; None for one that is not known to have been opened."""

    def is_active(self, provider: Address) -> bool:
        """Whether an account is a registered provider that has not asked to leave."""

    def committee_members(self, verifier: Address) -> tuple[Address, ...]:
        """The members, if this verifier is a committee; else nobody.

        Raises:
            ChainError: the chain has to be asked and does not answer.
        """

    def provider_score_bps(self, provider: Address) -> int | None:
        """Credit score as a provider; None without history."""

    def count_open_jobs(self, provider: Address, resource: Bytes32) -> int:
        """Jobs of this provider on this resource that are not closed."""
