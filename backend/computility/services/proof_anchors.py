"""What an auditor holds a proven trade against: its own deployment records, and blocks that it trusts.

A bundle names its escrow itself, and anybody can deploy one, on the same chain too, with a verifier and a registry to their liking. And its blocks
are not linked to one another: each has to be known by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from computility.chain.deployments import Deployments
from computility.domain.errors import InvalidMessage, InvalidProof
from computility.services.ledger_anchors import Anchor
from computility.services.trade_events import REGISTRY
from computility.services.trade_proof import VerifiedTrade


def hold_escrow(trade: VerifiedTrade, deployments: Deployments) -> int:
    """The number of the generation whose escrow the trade is of.

    Raises:
        InvalidProof: it is of none, or of another chain, or its stake of another registry.
    """
    if trade.chain != deployments.chain_id:
        raise InvalidProof(f"the bundle is of {trade.chain}, and your deployments are of {deployments.chain_id}")
    found = [each for each in deployments.generations if each.contracts.get("JobEscrow") == trade.escrow]
    if not found:
        raise InvalidProof(
            f"escrow {trade.escrow} is none of your deployments: the trade is real, and not one of this market"
        )
    registry = found[0].contracts.get(REGISTRY)
    other = next(
        (each.address for each in trade.events if each.contract == REGISTRY and each.address != registry), None
    )
    if other is not None:
        raise InvalidProof(f"the stake is of registry {other}, and your deployments name {registry}")
    return found[0].number


def hold_blocks(trade: VerifiedTrade, trusted: Iterable[Anchor]) -> int:
    """How many of the trade's blocks are those that the auditor trusts.

    Raises:
        InvalidProof: one is another block.
        InvalidMessage: the bundle has none of that number.
    """
    blocks, held = dict(trade.blocks), 0
    for anchor in trusted:
        found = blocks.get(anchor.number)
        if found is None:
            numbers = ", ".join(map(str, blocks))
            raise InvalidMessage(f"the bundle has no block {anchor.number}, only {numbers}: name the hashes of these")
        if found != anchor.hash:
            raise InvalidProof(f"block {anchor.number} is {found} here, and {anchor.hash} by {anchor.brought_by}")
        held += 1
    return held
