"""Which contract of which generation an address is."""

from __future__ import annotations

from computility.chain.deployments import Deployments
from computility.domain.errors import ChainMisbehaved
from computility.domain.events import EVENTS_BY_CONTRACT
from computility.domain.identifiers import Address


class ContractDirectory:
    """The contracts whose events are the ledger, of all generations."""

    def __init__(self, deployments: Deployments) -> None:
        self._owners = {
            address: (generation.number, name)
            for generation in deployments.generations
            for name, address in generation.contracts.items()
            if name in EVENTS_BY_CONTRACT
        }
        self._scores = {
            generation.contracts["JobEscrow"]: generation.contracts["CreditScores"]
            for generation in deployments.generations
        }

    @property
    def addresses(self) -> list[Address]:
        """Whose logs to ask for."""
        return list(self._owners)

    def scores_of(self, escrow: Address) -> Address:
        """The scores that an escrow writes."""
        return self._scores[escrow]

    def owner_of(self, address: Address) -> tuple[int, str]:
        """Number of the generation, and name of the contract.

        Raises:
            ChainMisbehaved: none of ours: the endpoint answered with somebody else's log.
        """
        try:
            return self._owners[address]
        except KeyError:
            raise ChainMisbehaved(
                f"the chain endpoint answers with a log of {address}, which was not asked for"
            ) from None
