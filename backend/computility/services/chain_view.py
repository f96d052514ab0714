"""What the node tells of the chain itself, beside its store: the head, the committee, the tokens, the parameters.

Answers are remembered for a short while, so that many requests to the node are few to the chain.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.rpc import BlockHeader
from computility.domain.errors import ChainMisbehaved
from computility.domain.identifiers import Address, Bytes32, parse_address

ValueT = TypeVar("ValueT")

_HEAD_FOR_S: Final = 0.5
_FACTS_FOR_S: Final = 15.0
# A member that has just joined is turned away for so long.
_COMMITTEE_FOR_S: Final = 2.0
_PANEL_FOR_S: Final = 2.0
"""A panel is drawn a block after its job was opened, and widened when its block was forgotten."""
_MOST_REMEMBERED: Final = 1_000


@dataclass(frozen=True)
class Token:
    """An ERC-20's own words."""

    address: Address
    name: str
    symbol: str
    decimals: int


@dataclass(frozen=True)
class CommitteeFacts:
    """The verifier committee: for each job ``panel_size`` of ``members`` are drawn, and ``threshold`` of those sign."""

    address: Address
    members: tuple[Address, ...]
    threshold: int
    panel_size: int


@dataclass(frozen=True)
class EscrowParameters:
    """What the escrow asks of new jobs; the lists are by the provider's tier."""

    fee_bps: tuple[int, ...]
    bond_bps: tuple[int, ...]
    min_dispute_window_s: int


class ChainView:
    """Reads at the newest block. Every method raises ``ChainError`` while the chain does not answer."""

    def __init__(self, connection: ChainConnection, deployments: Deployments) -> None:
        self._connection = connection
        self._contracts = deployments.newest.contracts
        self._remembered: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def head(self) -> BlockHeader:
        """The newest block."""
        return self._remember("head", _HEAD_FOR_S, self._read_head)

    def newest_block(self) -> int:
        """Its number, as the chain tells it at this moment."""
        return self._connection.rpc.block_number()

    def time_of(self, block: int) -> int | None:
        """When a block was made, in UTC seconds; None where it is not there."""
        header = self._connection.rpc.header(block)
        return header.timestamp if header is not None else None

    def committee(self) -> CommitteeFacts | None:
        """The committee of the newest generation, if it has one."""
        return self._remember("committee", _COMMITTEE_FOR_S, self._read_committee)

    def panel(self, job: Bytes32) -> tuple[Address, ...]:
        """The committee's members who are drawn for a job; nobody in the block of its opening."""
        return self._remember(f"panel:{job}", _PANEL_FOR_S, lambda: self._read_panel(job))

    def parameters(self) -> EscrowParameters:
        """The escrow's parameters."""
        return self._remember("parameters", _FACTS_FOR_S, self._read_parameters)

    def token(self, name: str) -> Token:
        """A token by name: ``ComputeCredit``, or ``Reserve`` for whatever backs it."""
        return self._remember(f"token:{name}", float("inf"), lambda: self._read_token(name))

    def wallet_credits(self, account: Address) -> int:
        """Credits in a wallet."""
        return int(self._read("ComputeCredit", "balanceOf", account))

    def _read(self, contract: str, function: str, *arguments: Any) -> Any:
        return self._connection.contract(contract, self._contracts[contract]).read(function, *arguments)

    def _read_head(self) -> BlockHeader:
        header = self._connection.rpc.header("latest")
        if header is None:
            raise ChainMisbehaved("the chain has no newest block; use another endpoint")
        return header

    def _read_committee(self) -> CommitteeFacts | None:
        address = self._contracts.get("VerifierCommittee")
        if address is None:
            return None
        members = tuple(parse_address(member) for member in self._read("VerifierCommittee", "members"))
        threshold, panel_size, *_ = self._read("VerifierCommittee", "rules")
        return CommitteeFacts(address, members, int(threshold), int(panel_size))

    def _read_panel(self, job: Bytes32) -> tuple[Address, ...]:
        panel = self._read("VerifierCommittee", "panelOf", bytes.fromhex(job[2:]))
        return tuple(parse_address(member) for member in panel)

    def _read_parameters(self) -> EscrowParameters:
        fee_bps, bond_bps, _, min_dispute_window, *_ = self._read("JobEscrow", "parameters")
        return EscrowParameters(tuple(fee_bps), tuple(bond_bps), int(min_dispute_window))

    def _read_token(self, name: str) -> Token:
        of_reserve = name == "Reserve"
        address = parse_address(self._read("ComputeCredit", "reserve")) if of_reserve else self._contracts[name]
        # Every ERC-20 has these functions; the credit's artifact describes them for the reserve too.
        contract = self._connection.contract("ComputeCredit", address)
        return Token(address, str(contract.read("name")), str(contract.read("symbol")), int(contract.read("decimals")))

    def _remember(self, key: str, for_s: float, read: Callable[[], ValueT]) -> ValueT:
        with self._lock:
            found = self._remembered.get(key)
        if found is not None and time.monotonic() < found[0]:
            value: ValueT = found[1]
            return value
        value = read()
        with self._lock:
            if len(self._remembered) >= _MOST_REMEMBERED:
                now = time.monotonic()
                self._remembered = {known: kept for known, kept in self._remembered.items() if kept[0] > now}
            self._remembered[key] = (time.monotonic() + for_s, value)
        return value
