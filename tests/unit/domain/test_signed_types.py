"""The signed types against their golden vectors, and against another implementation of EIP-712."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain, Message
from computility.domain.identifiers import parse_address
from computility.domain.metered_lease import MeterContest, MeterReading
from computility.domain.rating import Rating
from computility.domain.reader_notice import ReaderNotice
from computility.domain.ruling import Ruling
from computility.domain.settlement import Settlement
from computility.domain.signature import recover_signer
from computility.domain.statements import Ask, AskWithdrawal, Challenge, QuoteRequest, Refusal, Submission
from computility.domain.terms import Terms

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
TYPES: dict[str, type[Message]] = {
    cls.STRUCT.name: cls
    for cls in (
        Terms,
        Attestation,
        Settlement,
        Ruling,
        Rating,
        Ask,
        AskWithdrawal,
        Challenge,
        MeterReading,
        MeterContest,
        ReaderNotice,
        QuoteRequest,
        Refusal,
        Submission,
    )
}
FILES = (
    "terms.json",
    "attestation.json",
    "settlement.json",
    "ruling.json",
    "rating.json",
    "leases.json",
    "readers.json",
    "statements.json",
)


def vectors() -> list[Any]:
    return [
        pytest.param(vector, id=f"{vector['primaryType']}-{index}")
        for name in FILES
        for index, vector in enumerate(json.loads((VECTORS / name).read_text(encoding="utf-8")))
    ]


def message_of(vector: dict[str, Any]) -> Message:
    cls = TYPES[vector["primaryType"]]
    document = {
        field.name: int(vector["message"][field.name]) if 0 < field.bits < 64 else vector["message"][field.name]
        for field in cls.STRUCT.fields
    }
    return cls.from_json(document)


def domain_of(vector: dict[str, Any]) -> Eip712Domain:
    return Eip712Domain(vector["domain"]["chainId"], parse_address(vector["domain"]["verifyingContract"]))


def test_the_vectors_cover_every_signed_type() -> None:
    covered = {param.values[0]["primaryType"] for param in vectors()}
    assert covered == set(TYPES)


@pytest.mark.parametrize("vector", vectors())
def test_digest__golden_vector__is_reproduced(vector: dict[str, Any]) -> None:
    message = message_of(vector)

    struct_hash = "0x" + message.STRUCT.struct_hash(message.values()).hex()

    assert struct_hash == vector["structHash"]
    assert message.digest(domain_of(vector)) == vector["digest"]


@pytest.mark.parametrize("vector", vectors())
def test_signature__golden_vector__is_the_signers(vector: dict[str, Any]) -> None:
    digest = message_of(vector).digest(domain_of(vector))

    assert recover_signer(digest, vector["signature"]) == vector["signer"]


@pytest.mark.parametrize("vector", vectors())
def test_digest__golden_vector__is_what_another_implementation_signs(vector: dict[str, Any]) -> None:
    message = {
        field["name"]: int(vector["message"][field["name"]])
        if field["type"].startswith("uint")
        else vector["message"][field["name"]]
        for field in vector["types"][vector["primaryType"]]
    }
    signable = encode_typed_data(full_message={**vector, "message": message})

    digest = "0x" + keccak(b"\x19" + signable.version + signable.header + signable.body).hex()

    assert digest == vector["digest"]


@pytest.mark.parametrize("vector", vectors())
def test_typed_data__golden_vector__shows_a_wallet_the_same_types(vector: dict[str, Any]) -> None:
    typed_data = message_of(vector).typed_data(domain_of(vector))

    assert typed_data["types"] == vector["types"]
    assert typed_data["domain"] == vector["domain"]
    assert typed_data["primaryType"] == vector["primaryType"]


@pytest.mark.parametrize("vector", vectors())
def test_to_json__golden_vector__travels_and_comes_back(vector: dict[str, Any]) -> None:
    message = message_of(vector)

    assert type(message).from_json(json.loads(json.dumps(message.to_json()))) == message
