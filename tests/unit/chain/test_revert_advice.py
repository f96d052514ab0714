"""Whatever a contract of ours refuses with, the error says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from computility.chain.artifacts import all_artifacts
from computility.chain.revert_advice import ADVICE
from computility.chain.reverts import revert_error

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
DECLARED = sorted(
    {
        name
        for file in CONTRACTS.rglob("*.sol")
        for name in re.findall(r"^\s*error (\w+)\(", file.read_text(), re.MULTILINE)
    }
)
OF_LIBRARIES = {
    "ERC20InsufficientAllowance",
    "ERC20InsufficientBalance",
    "ERC2612ExpiredSignature",
    "ERC2612InvalidSigner",
}


@pytest.mark.parametrize("name", DECLARED)
def test_every_custom_error__has_advice(name: str) -> None:
    assert name in ADVICE


def test_no_advice__is_for_an_error_that_is_gone() -> None:
    assert set(ADVICE) - set(DECLARED) == OF_LIBRARIES


def test_an_error_of_any_contract__is_told_with_its_arguments_and_what_to_do() -> None:
    selector = keccak(text="StillUnbonding(uint256,uint256)")[:4]
    assert any(
        entry.get("name") == "StillUnbonding" and entry["type"] == "error"
        for entry in next(found for found in all_artifacts() if found.name == "ProviderRegistry").abi
    )

    error = revert_error(selector + (7).to_bytes(32, "big") + (9).to_bytes(32, "big"))

    assert "the unbonding period is not over" in str(error)
    assert "StillUnbonding(time: 7, limit: 9)" in str(error)
