"""Our trie of a list and the Ethereum Foundation's agree on every root and every proof."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from computility.chain.patricia_trie import EMPTY_ROOT, ListTrie, list_root, value_at
from computility.domain.errors import InvalidProof

VALUES = st.lists(st.binary(min_size=1, max_size=90), min_size=1, max_size=40)


def other_trie(values: list[bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for index, value in enumerate(values):
        trie[rlp.encode(index)] = value
    return trie


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_roots_and_proofs__are_those_of_another_implementation(values: list[bytes]) -> None:
    ours, other = ListTrie(values), other_trie(values)
    assert ours.root == other.root_hash
    for index, value in enumerate(values):
        proof = ours.prove(index)
        assert value_at(ours.root, index, proof) == value
        nodes = [rlp.decode(node) for node in proof]
        assert HexaryTrie.get_from_proof(ours.root, rlp.encode(index), nodes) == value


def test_a_long_list__has_the_root_of_another_implementation() -> None:
    values = [bytes([index % 256]) * (1 + index % 70) for index in range(700)]
    trie = ListTrie(values)
    assert trie.root == other_trie(values).root_hash
    assert all(
        value_at(trie.root, index, trie.prove(index)) == values[index] for index in (0, 1, 127, 128, 255, 256, 699)
    )


def test_no_list__has_the_known_root() -> None:
    assert list_root([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


@given(st.lists(st.binary(min_size=33, max_size=60), min_size=1, max_size=20), st.data())
@settings(max_examples=80, deadline=None)
def test_a_proof_with_one_bit_flipped__proves_nothing(values: list[bytes], data: st.DataObject) -> None:
    trie = ListTrie(values)
    index = data.draw(st.integers(0, len(values) - 1))
    proof = trie.prove(index)
    at = data.draw(st.integers(0, len(proof) - 1))
    byte, bit = data.draw(st.integers(0, len(proof[at]) - 1)), data.draw(st.integers(0, 7))
    spoilt = bytearray(proof[at])
    spoilt[byte] ^= 1 << bit
    with pytest.raises(InvalidProof):
        value_at(trie.root, index, [*proof[:at], bytes(spoilt), *proof[at + 1 :]])


def test_an_item_that_is_not_there__has_no_proof() -> None:
    trie = ListTrie([b"one", b"two"])
    with pytest.raises(InvalidProof, match="no item 2"):
        trie.prove(2)
    with pytest.raises(InvalidProof):
        value_at(trie.root, 2, trie.prove(1))


def test_a_proof_with_a_node_too_many_or_too_few__is_refused() -> None:
    values = [bytes(40 + index) for index in range(30)]
    trie = ListTrie(values)
    proof = trie.prove(20)
    with pytest.raises(InvalidProof, match="below its value"):
        value_at(trie.root, 20, [*proof, proof[-1]])
    with pytest.raises(InvalidProof, match="ends before"):
        value_at(trie.root, 20, proof[:-1])


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.binary(min_size=250, max_size=300)), max_size=150))
@settings(max_examples=60, deadline=None)
def test_a_root_by_itself__is_that_of_the_whole_trie(values: list[bytes]) -> None:
    assert list_root(values) == ListTrie(values).root
