"""The Merkle–Patricia trie of a list (yellow paper, appendix D): item *i* is stored under RLP(*i*), as blocks store transactions and receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, TypeVar

from computility.chain.rlp_encoding import (
    Item,
    decode_list,
    encode,
    encode_bytes,
    encode_integer,
    encode_list,
    expect_bytes,
)
from computility.domain.errors import InvalidProof
from computility.domain.keccak import keccak256

EMPTY_ROOT: Final = keccak256(b"\x80")
_HASH: Final = 32
_BRANCH: Final = 17
_EMPTY: Final = b"\x80"
_Entry = tuple[bytes, bytes]
"""Nibbles of a key, one a byte, and the value."""
ValueT = TypeVar("ValueT")
_Fetch = Callable[[bytes], bytes]
"""The node with a hash."""


class ListTrie:
    """The trie of ``values``, none of them empty."""

    def __init__(self, values: Sequence[bytes]) -> None:
        self._nodes: dict[bytes, bytes] = {}
        entries = sorted((_nibbles(encode_integer(index)), value) for index, value in enumerate(values))
        top = self._node(entries, 0) if entries else _EMPTY
        self.root = keccak256(top)
        self._nodes[self.root] = top

    def prove(self, index: int) -> list[bytes]:
        """The nodes from the root down to item ``index``, for ``value_at``.

        Raises:
            InvalidProof: there is no such item.
        """
        path: list[bytes] = []

        def fetch(reference: bytes) -> bytes:
            path.append(self._nodes[reference])
            return path[-1]

        _descend(self.root, index, fetch)
        return path

    def _node(self, entries: Sequence[_Entry], depth: int) -> bytes:
        first = entries[0][0]
        if len(entries) == 1:
            return encode_list((_compact(first[depth:], leaf=True), encode_bytes(entries[0][1])))
        # Entries are sorted, so what the first and the last share, all share.
        shared = _shared(first, entries[-1][0], depth)
        if shared > depth:
            child = self._reference(self._node(entries, shared))
            return encode_list((_compact(first[depth:shared], leaf=False), child))
        slots = [_EMPTY] * _BRANCH
        for nibble, group in _by_nibble(entries, depth):
            slots[nibble] = self._reference(self._node(group, depth + 1))
        return encode_list(slots)

    def _reference(self, node: bytes) -> bytes:
        if len(node) < _HASH:
            return node
        digest = keccak256(node)
        self._nodes[digest] = node
        return encode_bytes(digest)


def list_root(values: Sequence[bytes]) -> bytes:
    """The root hash of a list's trie, none of ``values`` empty: as ``ListTrie`` has it, for half the time.

    Which node is where follows from how many values there are.
    """
    if not values:
        return EMPTY_ROOT
    leaves, inner = _shape(len(values))
    named: list[bytes] = []
    node = b""
    for index, path in leaves:
        value = values[index]
        length = len(value)
        # Nearly all values are receipts: longer than 255 bytes and shorter than 64 KiB, so that both lengths have two bytes.
        if 255 < length < 65_000:
            head = (length + len(path) + 3).to_bytes(2, "big") + path
            node = b"".join((b"\xf9", head, b"\xb9", length.to_bytes(2, "big"), value))
            named.append(b"\xa0" + keccak256(node))
        else:
            node = encode_list((path, encode_bytes(value)))
            named.append(_named(node))
    for prefix, children in inner:
        references = [_EMPTY if child is None else named[child] for child in children]
        node = encode_list(references if prefix is None else (prefix, *references))
        named.append(_named(node))
    return keccak256(node)


def _named(node: bytes) -> bytes:
    """As the node above has it: itself, or its hash."""
    return node if len(node) < _HASH else encode_bytes(keccak256(node))


_Shape = tuple[list[tuple[int, bytes]], list[tuple[bytes | None, list[int | None]]]]
"""Each leaf's item and path, as it is encoded; then the nodes above them, each after its children and the root last: an extension's path (None: a
branch), and its children by their places in both lists (None: none)."""


@lru_cache(maxsize=512)
def _shape(count: int) -> _Shape:
    leaves: list[tuple[int, bytes]] = []
    inner: list[tuple[bytes | None, list[int | None]]] = []

    def place(entries: Sequence[tuple[bytes, int]], depth: int) -> int:
        first = entries[0][0]
        if len(entries) == 1:
            leaves.append((entries[0][1], _compact(first[depth:], leaf=True)))
            return len(leaves) - 1
        shared = _shared(first, entries[-1][0], depth)
        if shared > depth:
            child = place(entries, shared)
            inner.append((_compact(first[depth:shared], leaf=False), [child]))
        else:
            children: list[int | None] = [None] * _BRANCH
            for nibble, group in _by_nibble(entries, depth):
                children[nibble] = place(group, depth + 1)
            inner.append((None, children))
        return count + len(inner) - 1

    place(sorted((_nibbles(encode_integer(index)), index) for index in range(count)), 0)
    return leaves, inner


def value_at(root: bytes, index: int, proof: Sequence[bytes]) -> bytes:
    """The value that ``proof`` shows to be item ``index`` of the list with this root.

    Raises:
        InvalidProof: it shows no such thing, or has a node too many.
    """
    left = iter(proof)

    def fetch(reference: bytes) -> bytes:
        node = next(left, None)
        if node is None:
            raise InvalidProof("a trie proof ends before its value")
        if keccak256(node) != reference:
            raise InvalidProof("a node of a trie proof is not the one that the node above it names")
        return node

    value = _descend(root, index, fetch)
    if next(left, None) is not None:
        raise InvalidProof("a trie proof has nodes below its value")
    return value


def _descend(root: bytes, index: int, fetch: _Fetch) -> bytes:
    key = _nibbles(encode_integer(index))
    at = 0
    node = decode_list(fetch(root))
    while True:
        if len(node) == _BRANCH:
            if at == len(key):
                raise InvalidProof("a trie proof ends inside a branch")
            child = node[key[at]]
            at += 1
        elif len(node) == 2:
            path, leaf = _expand(expect_bytes(node[0]))
            if key[at : at + len(path)] != path:
                raise InvalidProof(f"the trie has no item {index}")
            at += len(path)
            child = node[1]
            if leaf:
                if at != len(key):
                    raise InvalidProof(f"the trie has no item {index}")
                return expect_bytes(child)
        else:
            raise InvalidProof(f"a trie node has 2 or {_BRANCH} items, not {len(node)}")
        node = _child(child, fetch, index)


def _child(child: Item, fetch: _Fetch, index: int) -> list[Item]:
    if isinstance(child, list):
        if len(encode(child)) >= _HASH:
            raise InvalidProof("a trie node of 32 bytes and more is named by its hash")
        return child
    if not child:
        raise InvalidProof(f"the trie has no item {index}")
    if len(child) != _HASH:
        raise InvalidProof("a trie node is named by 32 bytes")
    return decode_list(fetch(child))


def _nibbles(key: bytes) -> bytes:
    return bytes(nibble for byte in key for nibble in (byte >> 4, byte & 15))


def _shared(first: bytes, last: bytes, depth: int) -> int:
    end = min(len(first), len(last))
    while depth < end and first[depth] == last[depth]:
        depth += 1
    return depth


def _by_nibble(
    entries: Sequence[tuple[bytes, ValueT]], depth: int
) -> Iterator[tuple[int, Sequence[tuple[bytes, ValueT]]]]:
    start = 0
    for end in range(1, len(entries) + 1):
        if end == len(entries) or entries[end][0][depth] != entries[start][0][depth]:
            yield entries[start][0][depth], entries[start:end]
            start = end


def _compact(nibbles: bytes, *, leaf: bool) -> bytes:
    """Hex-prefix encoding (appendix C), as an RLP string."""
    flag = 2 if leaf else 0
    whole = bytes((flag + 1,)) + nibbles if len(nibbles) % 2 else bytes((flag, 0)) + nibbles
    return encode_bytes(bytes(whole[at] << 4 | whole[at + 1] for at in range(0, len(whole), 2)))


def _expand(compact: bytes) -> tuple[bytes, bool]:
    if not compact or compact[0] >> 4 > 3:
        raise InvalidProof("a trie node's path has no known form")
    nibbles = _nibbles(compact)
    odd = nibbles[0] & 1
    if not odd and nibbles[1]:
        raise InvalidProof("a trie node's path has no known form")
    return nibbles[1 if odd else 2 :], nibbles[0] >= 2
