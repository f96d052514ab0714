"""Putting a committee's signatures together."""

from __future__ import annotations

import dataclasses

from eth_keys.datatypes import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from computility.domain.attestation import Attestation, Verdict
from computility.domain.eip712 import Eip712Domain
from computility.domain.identifiers import ZERO_BYTES32, Address, Bytes32
from computility.domain.signature import recover_signer, signature_bytes
from computility.domain.statements import SignedStatement, sign_statement
from computility.services.attestation_aggregate import Bench, aggregate

_DOMAIN = Eip712Domain(31337, Address("0x5FbDB2315678afecb367f032d93F642f64180aa3"))
_KEYS = [bytes([number]) * 32 for number in range(1, 6)]
_PASS = Attestation(
    job=Bytes32("0x" + "11" * 32),
    verdict=Verdict.PASS,
    result=Bytes32("0x" + "22" * 32),
    units=1500,
    is_final=True,
    quality_bps=10_000,
    meter_root=ZERO_BYTES32,
    evidence=Bytes32("0x" + "33" * 32),
)
_FAIL = dataclasses.replace(_PASS, verdict=Verdict.FAIL)
_NO_FAULT = dataclasses.replace(_PASS, verdict=Verdict.NO_FAULT, units=0)


def _signed(attestation: Attestation, key: bytes) -> SignedStatement:
    address = Address(PrivateKey(key).public_key.to_checksum_address())
    return sign_statement(attestation, _DOMAIN, key, address)


def test_no_statement__makes_no_aggregate() -> None:
    assert aggregate([], Bench(2)) is None


@given(st.permutations(_KEYS), st.integers(1, 5))
def test_signatures__are_by_ascending_member_and_no_more_than_needed(keys: list[bytes], threshold: int) -> None:
    found = aggregate([_signed(_PASS, key) for key in keys], Bench(threshold))

    assert found is not None
    assert found.complete
    assert found.count == 5
    raw = signature_bytes(found.signatures)
    assert len(raw) == 65 * threshold
    signers = [recover_signer(found.digest, "0x" + raw[at : at + 65].hex()) for at in range(0, len(raw), 65)]
    assert signers == sorted(signers, key=lambda address: int(address, 16))
    assert signers == list(found.signers[:threshold])


def test_one_short_of_the_threshold__is_not_complete() -> None:
    found = aggregate([_signed(_PASS, _KEYS[0])], Bench(2))

    assert found is not None
    assert not found.complete
    assert found.count == 1


def test_the_same_member_twice__counts_once() -> None:
    found = aggregate([_signed(_PASS, _KEYS[0]), _signed(_PASS, _KEYS[0])], Bench(2))

    assert found is not None
    assert found.count == 1


def test_compact_signatures__are_written_out_in_full() -> None:
    full = _signed(_PASS, _KEYS[0])
    raw = signature_bytes(full.signature)
    parity_and_s = bytes([raw[32] | (raw[64] - 27) << 7]) + raw[33:64]
    compact = dataclasses.replace(full, signature="0x" + (raw[:32] + parity_and_s).hex())
    assert recover_signer(full.id, compact.signature) == full.signer

    found = aggregate([compact], Bench(1))

    assert found is not None
    assert found.signatures == full.signature


def test_two_of_three__outweigh_the_one_that_differs() -> None:
    found = aggregate([_signed(_FAIL, _KEYS[0]), _signed(_PASS, _KEYS[1]), _signed(_PASS, _KEYS[2])], Bench(2))

    assert found is not None
    assert found.attestation.verdict is Verdict.PASS


def test_a_verdict__comes_before_no_fault_of_the_same_members() -> None:
    early = [_signed(_NO_FAULT, key) for key in _KEYS[:3]]
    late = [_signed(_PASS, key) for key in _KEYS[:2]]

    found = aggregate([*early, *late], Bench(2))

    assert found is not None
    assert found.attestation.verdict is Verdict.PASS


def test_a_committees_signature__tells_the_attestation_first() -> None:
    panel = tuple(_signed(_PASS, key).signer for key in _KEYS[:3])
    found = aggregate([_signed(_PASS, key) for key in _KEYS], Bench(2, panel))

    assert found is not None
    raw = signature_bytes(found.signatures)
    assert raw[:256] == b"".join(
        field.encode(value) for field, value in zip(_PASS.STRUCT.fields, _PASS.values(), strict=True)
    )
    assert len(raw) == 256 + 2 * 65


def test_who_is_not_on_the_panel__does_not_count() -> None:
    panel = (_signed(_PASS, _KEYS[0]).signer, _signed(_PASS, _KEYS[1]).signer)
    found = aggregate([_signed(_PASS, _KEYS[0]), _signed(_PASS, _KEYS[2])], Bench(2, panel))

    assert found is not None
    assert found.signers == (panel[0],)
    assert not found.complete
