"""Merkle trees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.identifiers import Bytes32
from computility.domain.merkle import merkle_proof, merkle_root, verify_merkle_proof

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "merkle.json").read_text())
CERTIFICATE_TRANSPARENCY_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{len(vector['leaves'])} leaves")
def test_merkle__golden_vectors__hold(vector: dict[str, Any]) -> None:
    leaves = [bytes.fromhex(leaf[2:]) for leaf in vector["leaves"]]
    assert merkle_root(leaves) == vector["root"]
    assert [list(merkle_proof(leaves, index)) for index in range(len(leaves))] == vector["proofs"]


@pytest.mark.parametrize(
    ("count", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_merkle_root__leaves_of_the_certificate_transparency_tests__has_their_roots(count: int, root: str) -> None:
    assert merkle_root(CERTIFICATE_TRANSPARENCY_LEAVES[:count]) == "0x" + root


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=40), st.data())
def test_merkle_proof__of_any_leaf__verifies_for_it_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = merkle_root(leaves), merkle_proof(leaves, index)
    assert verify_merkle_proof(leaves[index], index, len(leaves), proof, root)
    assert verify_merkle_proof(leaves[other], index, len(leaves), proof, root) == (leaves[other] == leaves[index])
    assert not verify_merkle_proof(leaves[index], index, len(leaves), (*proof, root), root)
    assert not verify_merkle_proof(leaves[index], len(leaves), len(leaves), proof, root)


@given(st.lists(st.binary(max_size=8), min_size=2, max_size=40), st.data())
def test_merkle_proof__one_hash_changed_or_left_out__fails(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = merkle_root(leaves), merkle_proof(leaves, index)
    place = data.draw(st.integers(0, len(proof) - 1))
    changed = (*proof[:place], Bytes32("0x" + "11" * 32), *proof[place + 1 :])
    assert not verify_merkle_proof(leaves[index], index, len(leaves), changed, root)
    assert not verify_merkle_proof(leaves[index], index, len(leaves), proof[:-1], root)


def test_merkle_root__a_node_passed_off_as_a_leaf__is_another_root() -> None:
    leaves = [b"a", b"b"]
    inner = b"".join(bytes.fromhex(merkle_root([leaf])[2:]) for leaf in leaves)
    assert merkle_root([inner]) != merkle_root(leaves)


def test_merkle_proof__no_such_leaf__is_refused() -> None:
    with pytest.raises(IndexError):
        merkle_proof([b"a"], 1)
