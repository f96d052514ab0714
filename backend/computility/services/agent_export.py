"""A provider as an agent of ERC-8004: its registration file, and its settled jobs in the standard's registries. ``contracts/SPEC.md``, section 20."""

from __future__ import annotations

from typing import Any, Final

from computility.chain.connection import DeployedContract
from computility.chain.transaction_sender import Receipt
from computility.domain.identifiers import Bytes32
from computility.domain.terms import Terms
from computility.services.trading_account import TradingAccount, terms_values

REGISTRATION_TYPE: Final = "https://eips.ethereum.org/EIPS/eip-8004#registration-v1"
_TRUST: Final = ("reputation", "crypto-economic")


class AgentExport:
    """Every method that sends raises ``ChainError`` where contract or chain refuse."""

    def __init__(self, account: TradingAccount, contract: DeployedContract | None = None) -> None:
        self._account = account
        self._contract = contract or account.contract("ERC8004Export")
        self.address = self._contract.address

    def registration(self, name: str, description: str, image: str, node_url: str, agent: int | None) -> dict[str, Any]:
        """The registration file of this account (ERC-8004, "Agent Registration File"), to be put where the agent's URI points.

        ``agent``: its number in the identity registry, once it has one. ``active`` is what the provider registry says.
        """
        chain = self._account.ledger.domain.chain_number
        registrations = []
        if agent is not None:
            registry = self._contract.read("identity")
            registrations = [{"agentId": agent, "agentRegistry": f"eip155:{chain}:{registry}"}]
        return {
            "type": REGISTRATION_TYPE,
            "name": name,
            "description": description,
            "image": image,
            "services": [
                {"name": "computility", "endpoint": node_url, "version": "1"},
                {"name": "agentWallet", "endpoint": f"eip155:{chain}:{self._account.address}"},
            ],
            "x402Support": False,
            "active": self._account.is_active_provider(),
            "registrations": registrations,
            "supportedTrust": list(_TRUST),
        }

    def bind(self, agent: int) -> Receipt:
        """Say that the agent is this account's, once and for ever."""
        return self._account.send(self._contract, "bind", agent)

    def agent(self) -> int | None:
        """The agent that this account is bound to."""
        if not self._contract.read("isBound", self._account.address):
            return None
        return int(self._contract.read("agentOf", self._account.address))

    def said(self, terms: Terms) -> tuple[int, str]:
        """What a settled job says of its provider, in basis points, and how it ended.

        Raises:
            ContractReverted: it is not settled, or says nothing.
        """
        share_bps, how = self._contract.read("saidOf", terms_values(terms))
        return int(share_bps), str(how)

    def is_published(self, job: Bytes32) -> bool:
        """Whether the job is feedback already."""
        return bool(self._contract.read("isPublished", bytes.fromhex(job[2:])))

    def publish(self, terms: Terms) -> Receipt:
        """Make a settled job feedback on its provider's agent. Anybody may."""
        return self._account.send(self._contract, "publish", terms_values(terms))

    def request_hash(self, job: Bytes32) -> Bytes32:
        """Under which hash the agent's owner requests a validation of the job."""
        return Bytes32("0x" + bytes(self._contract.read("requestHashOf", bytes.fromhex(job[2:]))).hex())

    def validate(self, terms: Terms) -> Receipt:
        """Answer that request."""
        return self._account.send(self._contract, "validate", terms_values(terms))
