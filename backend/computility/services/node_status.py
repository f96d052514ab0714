"""How a node is: what it knows of the chain's head, how far its store is folded, and whether its indexer runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from computility.chain.rpc import BlockHeader
from computility.domain.errors import ChainError
from computility.domain.identifiers import Bytes32
from computility.services.chain_view import ChainView

_SYNCING_FROM_BLOCKS: Final = 3
"""A block or two behind is the ordinary course of polling."""


@dataclass(frozen=True)
class IndexedBlock:
    """The block up to which the store is folded."""

    number: int
    hash: Bytes32


@dataclass(frozen=True)
class NodeStatus:
    """``detail`` says what is wrong and what to do, unless all is well."""

    status: Literal["ok", "syncing", "degraded"]
    detail: str | None
    head: BlockHeader | None
    indexed: IndexedBlock | None

    @property
    def lag_blocks(self) -> int | None:
        """Blocks between head and store; None while one of them is unknown."""
        if self.head is None or self.indexed is None:
            return None
        return max(0, self.head.number - self.indexed.number)


def node_status(
    chain: ChainView, indexed: IndexedBlock | None, indexer_failure: str | None, confirmation_depth: int
) -> NodeStatus:
    """The status now. Never raises because of the chain."""
    try:
        head = chain.head()
    except ChainError as error:
        return NodeStatus("degraded", f"{error} Reads go on from the store.", None, indexed)
    if indexer_failure is not None:
        return NodeStatus("degraded", indexer_failure, head, indexed)
    status = NodeStatus("ok", None, head, indexed)
    lag = status.lag_blocks
    if lag is None or lag > confirmation_depth + _SYNCING_FROM_BLOCKS:
        behind = "has not read a block yet" if lag is None else f"is {lag} blocks behind the chain"
        return NodeStatus("syncing", f"The store {behind}: wait until it has caught up.", head, indexed)
    return status
