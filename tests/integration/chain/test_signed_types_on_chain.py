"""Python and a deployed escrow agree on the digest of every message, whatever its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from computility.chain.connection import ChainConnection, DeployedContract
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.domain.attestation import Attestation
from computility.domain.eip712 import Eip712Domain, Field, Message
from computility.domain.identifiers import Address, address_from_bytes, bytes32
from computility.domain.ruling import Ruling
from computility.domain.settlement import Settlement
from computility.domain.terms import Terms
from computility.services.deployer import DeploymentPlan, deploy_generation

VIEWS: dict[type[Message], str] = {
    Terms: "jobIdOf",
    Attestation: "attestationDigest",
    Settlement: "settlementDigest",
    Ruling: "rulingDigest",
}

Digests = Callable[[Message], tuple[str, str]]


def values(cls: type[Message], field: Field) -> st.SearchStrategy[Any]:
    """Every value that a field can hold, its edges often."""
    if field.bits:
        highest = 2 if (cls, field.name) == (Attestation, "verdict") else 2**field.bits - 1
        return st.one_of(st.just(0), st.just(highest), st.integers(0, highest))
    if field.type == "bool":
        return st.booleans()
    if field.type == "address":
        return st.binary(min_size=20, max_size=20).map(address_from_bytes)
    assert field.type == "bytes32"
    return st.binary(min_size=32, max_size=32).map(bytes32)


def messages(cls: type[Message]) -> st.SearchStrategy[Message]:
    return st.fixed_dictionaries({field.python_name: values(cls, field) for field in cls.STRUCT.fields}).map(
        lambda fields: cls(**fields)
    )


@pytest.fixture(scope="module")
def escrow(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> DeployedContract:
    """A deployed escrow."""
    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(DEVELOPMENT_MNEMONIC)
    deployer = Address(account.address)
    chain = ChainConnection(RpcClient(anvil.rpc_url))
    sender = TransactionSender(chain.rpc, account, anvil.chain_id)
    plan = DeploymentPlan(proposers=[deployer], treasury=deployer, guardian=deployer, committee=[deployer], threshold=1)
    deployments = deploy_generation(chain, sender, plan, tmp_path_factory.mktemp("deployments")).deployments
    return chain.contract("JobEscrow", deployments.generations[-1].contracts["JobEscrow"])


@pytest.fixture(scope="module")
def digests(escrow: DeployedContract, anvil: LocalChain) -> Digests:
    """The digest of a message, by Python and by the escrow."""
    domain = Eip712Domain(anvil.chain_id, escrow.address)

    def both(message: Message) -> tuple[str, str]:
        answer: bytes = escrow.read(VIEWS[type(message)], message.values())
        return message.digest(domain), "0x" + answer.hex()

    return both


@given(message=messages(Terms))
@settings(max_examples=100, deadline=None)
def test_digest_of_terms__any_values__is_the_escrows(digests: Digests, message: Message) -> None:
    by_python, by_escrow = digests(message)
    assert by_python == by_escrow


@given(message=messages(Attestation))
@settings(max_examples=100, deadline=None)
def test_digest_of_an_attestation__any_values__is_the_escrows(digests: Digests, message: Message) -> None:
    by_python, by_escrow = digests(message)
    assert by_python == by_escrow


@given(message=st.one_of(messages(Settlement), messages(Ruling)))
@settings(max_examples=100, deadline=None)
def test_digest_of_a_settlement_or_ruling__any_values__is_the_escrows(digests: Digests, message: Message) -> None:
    by_python, by_escrow = digests(message)
    assert by_python == by_escrow


def test_domain__as_the_escrow_tells_it__is_ours(escrow: DeployedContract, anvil: LocalChain) -> None:
    _, name, version, chain_number, contract, _, _ = escrow.read("eip712Domain")

    assert Eip712Domain(chain_number, contract).to_json() == {
        "name": name,
        "version": version,
        "chainId": anvil.chain_id,
        "verifyingContract": escrow.address,
    }
