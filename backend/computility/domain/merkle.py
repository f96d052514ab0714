"""Merkle trees over SHA-256 as in Certificate Transparency (RFC 9162, section 2.1): leaves and nodes are hashed in domains of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from computility.domain.identifiers import Bytes32, bytes32


def merkle_root(leaves: Sequence[bytes]) -> Bytes32:
    """The root over any number of leaves; of none, the hash of no bytes."""
    return bytes32(_root([_leaf(leaf) for leaf in leaves]))


def merkle_proof(leaves: Sequence[bytes], index: int) -> tuple[Bytes32, ...]:
    """The sibling hashes from the leaf at ``index`` up to the root.

    Raises:
        IndexError: no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there are {len(leaves)} leaves, and none at {index}")
    return tuple(bytes32(sibling) for sibling in _path([_leaf(leaf) for leaf in leaves], index))


def verify_merkle_proof(leaf: bytes, index: int, count: int, proof: Sequence[Bytes32], root: Bytes32) -> bool:
    """Whether ``leaf`` is the one at ``index`` of ``count`` under ``root`` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < count:
        return False
    node, position, last = _leaf(leaf), index, count - 1
    for text in proof:
        if last == 0:
            return False
        sibling = bytes.fromhex(text[2:])
        if position % 2 == 1 or position == last:
            node = _node(sibling, node)
            while position % 2 == 0 and position != 0:
                position, last = position >> 1, last >> 1
        else:
            node = _node(node, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and bytes32(node) == root


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _root(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    half = _split(len(hashes))
    return _node(_root(hashes[:half]), _root(hashes[half:]))


def _path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    if len(hashes) == 1:
        return []
    half = _split(len(hashes))
    if index < half:
        return [*_path(hashes[:half], index), _root(hashes[half:])]
    return [*_path(hashes[half:], index - half), _root(hashes[:half])]
