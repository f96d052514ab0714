"""What an auditor brings to an audit: hashes of blocks that its own records or another source that it trusts name.

Blocks follow one another by their parents' hashes. So a block whose hash is known proves all before it, and a chain made up from another genesis, or
a ledger that was saved elsewhere, cannot have it. What comes after the newest such block is the source's word: no header shows that a network chose
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from computility.chain.deployments import Deployments
from computility.domain.errors import ComputilityError, InvalidMessage, InvalidProof
from computility.domain.identifiers import Bytes32, parse_bytes32

OF_DEPLOYMENTS: Final = "deployments"
OF_AUDITOR: Final = "--trusted-block"


@dataclass(frozen=True)
class Anchor:
    """A block's hash, and who says so: ``OF_DEPLOYMENTS`` or ``OF_AUDITOR``."""

    number: int
    hash: Bytes32
    brought_by: str


class Anchors:
    """Hashes by block.

    Raises:
        InvalidMessage: two of one block differ.
    """

    def __init__(self, deployments: Deployments, trusted: Iterable[Anchor] = ()) -> None:
        self._chain_id = deployments.chain_id
        deployed = (
            Anchor(generation.block, generation.block_hash, OF_DEPLOYMENTS) for generation in deployments.generations
        )
        self._by_number: dict[int, Anchor] = {}
        for anchor in (*deployed, *trusted):
            known = self._by_number.setdefault(anchor.number, anchor)
            if known.hash != anchor.hash:
                raise InvalidMessage(
                    f"block {anchor.number} is {known.hash} by {known.brought_by} and {anchor.hash} by {anchor.brought_by}: only one can be true"
                )

    def hold(self, number: int, block_hash: Bytes32) -> None:
        """Hold a block that a source gives against what the auditor brought.

        Raises:
            InvalidProof: it is another block.
        """
        anchor = self._by_number.get(number)
        if anchor is None or anchor.hash == block_hash:
            return
        raise InvalidProof(
            f"block {number} is {block_hash} here, and {anchor.hash} by {anchor.brought_by}: this is another chain, or a record of another one"
        )

    def require_within(self, first: int, last: int) -> None:
        """See that each block that the auditor trusts is looked at.

        Raises:
            InvalidMessage: one is not between these two.
        """
        for anchor in self._by_number.values():
            if anchor.brought_by == OF_AUDITOR and not first <= anchor.number <= last:
                raise InvalidMessage(
                    f"the trusted block {anchor.number} is not among the blocks that are read, {first} to {last}: name one of these"
                )

    def __iter__(self) -> Any:
        return iter(sorted(self._by_number.values(), key=lambda anchor: anchor.number))

    def believed(self, last: int) -> dict[str, Any]:
        """What remains to be believed of a ledger that was read up to ``last``, as ``--json`` has it."""
        held = [anchor for anchor in self if anchor.number <= last]
        newest = held[-1].number if held else None
        return {
            "chain": self._chain_id,
            "anchors": [
                {"block": anchor.number, "hash": anchor.hash, "brought_by": anchor.brought_by} for anchor in held
            ],
            "proven_to_block": newest,
            "blocks_on_the_sources_word": None if newest is None else last - newest,
        }


def believed_in_words(believed: dict[str, Any]) -> str:
    """The same as a sentence."""
    anchors = ", ".join(f"block {anchor['block']} ({anchor['brought_by']})" for anchor in believed["anchors"])
    return (
        f"believed: {believed['chain']}, {anchors}; the {believed['blocks_on_the_sources_word']} blocks after "
        f"{believed['proven_to_block']} are the source's word: name a newer one with --trusted-block NUMBER:HASH"
    )


def parse_anchor(text: str) -> Anchor:
    """``NUMBER:HASH`` as an auditor types it.

    Raises:
        InvalidMessage: it is something else.
    """
    number, _, block_hash = text.partition(":")
    try:
        if not number.isascii() or not number.isdigit():
            raise ValueError(number)
        return Anchor(int(number), parse_bytes32(block_hash), OF_AUDITOR)
    except (ValueError, ComputilityError) as error:
        raise InvalidMessage(
            f"{text!r} is no block: write its number, a colon, and its hash of 64 hex digits, 123:0x…"
        ) from error


def same_deployments(found: Deployments, own: Deployments, name: str) -> None:
    """Hold the deployments of a saved ledger against the auditor's own: it may know fewer generations, and none that is not there.

    Raises:
        InvalidProof: they are of other contracts.
    """
    if found.chain_number != own.chain_number:
        raise InvalidProof(f"{name} is of {found.chain_id}, and your deployments are of {own.chain_id}")
    for at, generation in enumerate(found.generations):
        mine = own.generations[at] if at < len(own.generations) else None
        if mine is None:
            raise InvalidProof(
                f"{name} is of {len(found.generations)} generations of contracts, and your deployments list {len(own.generations)}: "
                "bring a newer record, or get a ledger that was saved with yours"
            )
        if (mine.block, mine.block_hash) != (generation.block, generation.block_hash) or dict(mine.contracts) != dict(
            generation.contracts
        ):
            raise InvalidProof(
                f"{name} was saved with other deployments: its generation {generation.number} begins with block "
                f"{generation.block} {generation.block_hash}, and yours with block {mine.block} {mine.block_hash}, or with other contracts"
            )
