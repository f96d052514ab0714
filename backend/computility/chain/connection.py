"""Contracts of one chain, called by function name over our JSON-RPC client; every failure is one of our errors."""

from __future__ import annotations

import re
from typing import Any, Final

from computility.chain.contract_abi import contract_abi
from computility.chain.reverts import reverted
from computility.chain.rpc import BlockTag, RpcClient, block_tag
from computility.domain.errors import ChainMisbehaved, DeploymentMissing, RpcRefused
from computility.domain.identifiers import Address

_HEX: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")


class ChainConnection:
    """One chain through one endpoint."""

    def __init__(self, rpc: RpcClient) -> None:
        self.rpc = rpc

    def contract(self, name: str, address: Address) -> DeployedContract:
        """A packaged contract at an address."""
        return DeployedContract(self.rpc, name, address)


class DeployedContract:
    """A contract that is called by function name."""

    def __init__(self, rpc: RpcClient, name: str, address: Address) -> None:
        self.name = name
        self.address = address
        self._rpc = rpc

    def read(self, function: str, *arguments: Any, block: BlockTag = "latest", sender: Address | None = None) -> Any:
        """What a view answers at a block: one value, or a tuple of several.

        Raises:
            ContractReverted: it refuses.
            DeploymentMissing: there is no such contract at the address.
            ChainError: the endpoint fails.
        """
        call = {"to": self.address, "data": self.encode(function, *arguments), **({"from": sender} if sender else {})}
        try:
            answer = self._rpc.call("eth_call", call, block_tag(block))
        except RpcRefused as error:
            raise reverted(error) from error
        found = _HEX.fullmatch(answer) if isinstance(answer, str) else None
        if found is None:
            raise ChainMisbehaved(f"{self.name}.{function} at {self.address} answers in no known form: {answer!r:.200}")
        try:
            return contract_abi(self.name).decode_answer(function, len(arguments), bytes.fromhex(found[1]))
        except ValueError as error:
            raise DeploymentMissing(
                f"there is no {self.name} at {self.address} at block {block}: is this the right chain?"
            ) from error

    def encode(self, function: str, *arguments: Any) -> str:
        """Calldata of a call, 0x hex."""
        return contract_abi(self.name).encode(function, *arguments)
