"""Deployed code is told from any other by one byte; immutables are known by their names and values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.chain.artifacts import artifact
from computility.chain.local_chain import LocalChain
from computility.services.code_audit import CodeOfContract, audit_code


@pytest.fixture(scope="module")
def ledger(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    return deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))


def audit(ledger: LedgerOnChain) -> dict[str, CodeOfContract]:
    found = audit_code(ledger.rpc, ledger.deployments, ledger.rpc.block_number())
    return {entry.contract: entry for entry in found}


def test_what_was_deployed_from_the_sources__is_the_same_to_the_last_byte(ledger: LedgerOnChain) -> None:
    found = audit(ledger)
    assert set(found) == {*ledger.deployments.newest.contracts, "ERC8183Seat"}
    assert found["ERC8183Adapter"].immutables["SEAT"] == "ERC8183Seat"
    assert all(entry.same_code and entry.same_metadata and entry.difference is None for entry in found.values())
    assert found["JobEscrow"].immutables["credit"] == "ComputeCredit"
    assert found["JobEscrow"].immutables["owner"] == "Timelock"


def with_code(ledger: LedgerOnChain, change: Any, contract: str = "JobEscrow") -> dict[str, CodeOfContract]:
    address = audit(ledger)[contract].address
    code = bytes.fromhex(ledger.rpc.call("eth_getCode", address, "latest")[2:])
    ledger.rpc.call("anvil_setCode", address, "0x" + change(code).hex())
    try:
        return audit(ledger)
    finally:
        ledger.rpc.call("anvil_setCode", address, "0x" + code.hex())


def test_one_other_byte__is_named(ledger: LedgerOnChain) -> None:
    found = with_code(ledger, lambda code: code[:5] + bytes([code[5] ^ 1]) + code[6:])
    assert not found["JobEscrow"].same_code
    assert str(found["JobEscrow"].difference).startswith("byte 5 ")
    assert found["CreditScores"].same_code


def test_other_metadata__is_the_same_code_from_other_sources(ledger: LedgerOnChain) -> None:
    found = with_code(ledger, lambda code: code[:-20] + bytes([code[-20] ^ 1]) + code[-19:])["JobEscrow"]
    assert (found.same_code, found.same_metadata) == (True, False)


def test_an_immutable_with_two_values__is_other_code(ledger: LedgerOnChain) -> None:
    places = artifact("JobEscrow").immutables
    start = next(spots for spots in places.values() if len(spots) > 1)[0][0] + 31
    found = with_code(ledger, lambda code: code[:start] + bytes([code[start] ^ 1]) + code[start + 1 :])["JobEscrow"]
    assert not found.same_code
    assert "several values" in str(found.difference)


@pytest.mark.parametrize("variable", ["credit", "registry", "owner", "_cachedThis"])
def test_an_immutable_that_names_a_stranger__is_other_code(ledger: LedgerOnChain, variable: str) -> None:
    def elsewhere(code: bytes) -> bytes:
        changed = bytearray(code)
        for start, length in artifact("JobEscrow").immutables[variable]:
            changed[start : start + length] = bytes(12) + b"\x66" * 20
        return bytes(changed)

    found = with_code(ledger, elsewhere)["JobEscrow"]
    assert not found.same_code
    assert f"immutable {variable} is 0x{'66' * 20}" in str(found.difference)


def with_word(ledger: LedgerOnChain, contract: str, variable: str, word: bytes) -> CodeOfContract:
    def changed(code: bytes) -> bytes:
        other = bytearray(code)
        for start, length in artifact(contract).immutables[variable]:
            other[start : start + length] = word
        return bytes(other)

    return with_code(ledger, changed, contract)[contract]


@pytest.mark.parametrize(
    ("contract", "variable"),
    [
        ("JobEscrow", "_cachedDomainSeparator"),
        ("JobEscrow", "_cachedChainId"),
        ("JobEscrow", "_hashedName"),
        ("JobEscrow", "_hashedVersion"),
        ("JobEscrow", "_name"),
        ("JobEscrow", "_version"),
        ("ComputeCredit", "_cachedDomainSeparator"),
        ("VerifierCommittee", "_domainSeparator"),
    ],
)
def test_signatures_that_are_bound_elsewhere__are_other_code(
    ledger: LedgerOnChain, contract: str, variable: str
) -> None:
    found = with_word(ledger, contract, variable, b"\x66" * 32)
    assert not found.same_code
    assert f"immutable {variable} is 0x{'66' * 32}" in str(found.difference)


def test_a_committee_of_another_court__is_other_code(ledger: LedgerOnChain) -> None:
    found = with_word(ledger, "VerifierCommittee", "_arbiter", bytes(12) + b"\x66" * 20)
    assert f"immutable _arbiter is 0x{'66' * 20}" in str(found.difference)


def test_what_the_adapter_deployed_itself__is_looked_at_too(ledger: LedgerOnChain) -> None:
    found = with_code(ledger, lambda code: code[:-80] + bytes([code[-80] ^ 1]) + code[-79:], "ERC8183Seat")
    assert not found["ERC8183Seat"].same_code
    assert found["ERC8183Adapter"].same_code
    assert not with_word(ledger, "ERC8183Seat", "adapter", bytes(12) + b"\x66" * 20).same_code


def test_no_code__is_no_contract_of_ours(ledger: LedgerOnChain) -> None:
    assert with_code(ledger, lambda _: b"")["JobEscrow"].difference == "there is no code at the address"
