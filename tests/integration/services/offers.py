"""Asks that tests publish without an agent."""

from __future__ import annotations

import time

from computility.domain.identifiers import ZERO_BYTES32, Address
from computility.domain.statements import Ask
from computility.execution.wasm.executor import wasm_environment
from computility.services.node_client import NodeClient
from computility.services.trading_account import TradingAccount


def offer(provider: TradingAccount, node: NodeClient, resource: str, verifiers: list[Address]) -> None:
    """An ask of a provider that names these verifiers."""
    ask = Ask(
        provider=provider.address,
        resource=resource,
        environment=wasm_environment(),
        unit_price=10**16,
        min_units=1,
        max_units=100,
        bond_bps=2_000,
        max_concurrent=1,
        verifiers=tuple(verifiers),
        arbiters=(),
        dispute_window=60,
        sla=ZERO_BYTES32,
        valid_until=provider.chain_time() + 86_400,
        nonce=time.time_ns() // 1_000_000,
    )
    node.publish(provider.sign(ask))
