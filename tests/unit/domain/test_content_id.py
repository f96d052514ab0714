"""Content ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from computility.domain.content_id import content_id_of, content_id_of_digest, digest_of_content_id, parse_content_id
from computility.domain.errors import InvalidIdentifier

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "content_id.json").read_text())
CID = content_id_of(b"hello world")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["hex"][:12])
def test_content_id__golden_vectors__are_what_other_implementations_name(vector: dict[str, str]) -> None:
    assert content_id_of(bytes.fromhex(vector["hex"][2:])) == vector["cid"]
    assert content_id_of_digest(vector["digest"]) == vector["cid"]
    assert digest_of_content_id(parse_content_id(vector["cid"])) == vector["digest"]


def test_content_id__hello_world__is_the_id_that_ipfs_gives_raw_bytes() -> None:
    # `echo -n "hello world" | ipfs add --cid-version 1 --raw-leaves`
    assert CID == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"


@pytest.mark.parametrize(
    "text",
    [
        "",
        CID.upper(),
        CID[:-1],
        CID + "a",
        CID + "\n",
        "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG",
        "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
        CID[:-1] + "7",
    ],
    ids=["empty", "upper case", "short", "long", "newline", "version 0", "another codec", "spare bits set"],
)
def test_parse_content_id__another_spelling__is_refused(text: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_content_id(text)
