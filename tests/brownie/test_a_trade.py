"""One real trade under Brownie on Ganache: deposit, open, attest a pass, withdraw. Brownie compiles the contracts itself."""

import time

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from market import CREDIT, NOBODY, deploy_market

RESERVE = 10**6
PRICE = 3 * 10**15
UNITS = 600
MOST_UNITS = 1_000
BOND = CREDIT
VERIFIER_FEE = 5 * 10**16
MNEMONIC = "test test test test test test test test test test test junk"

TERMS_FIELDS = (
    ("buyer", "address"),
    ("payer", "address"),
    ("provider", "address"),
    ("verifier", "address"),
    ("arbiter", "address"),
    ("guard", "address"),
    ("order", "bytes32"),
    ("resource", "bytes32"),
    ("spec", "bytes32"),
    ("sla", "bytes32"),
    ("unitPrice", "uint104"),
    ("minUnits", "uint64"),
    ("maxUnits", "uint64"),
    ("bond", "uint104"),
    ("verifierFee", "uint104"),
    ("arbiterFee", "uint104"),
    ("openBy", "uint40"),
    ("end", "uint40"),
    ("passWindow", "uint32"),
    ("disputeWindow", "uint32"),
    ("rulingWindow", "uint32"),
    ("maxFeeBps", "uint16"),
    ("nonce", "uint48"),
)
ATTESTATION_FIELDS = (
    ("job", "bytes32"),
    ("verdict", "uint8"),
    ("result", "bytes32"),
    ("units", "uint64"),
    ("isFinal", "bool"),
    ("qualityBps", "uint16"),
    ("meterRoot", "bytes32"),
    ("evidence", "bytes32"),
)


@pytest.fixture(scope="module")
def keys():
    """The keys of the development accounts, which Ganache holds too."""
    Account.enable_unaudited_hdwallet_features()
    return [Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}") for index in range(4)]


@pytest.fixture(scope="module")
def market(accounts):
    market = deploy_market(accounts[0])
    assert market.registry.escrow() == market.scores.escrow() == market.escrow
    return market


def sign(key, escrow, chain_id, name, fields, values):
    """What a wallet signs for a struct of the escrow."""
    document = {
        "domain": {"name": "Computility", "version": "1", "chainId": chain_id, "verifyingContract": escrow.address},
        "primaryType": name,
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            name: [{"name": field, "type": kind} for field, kind in fields],
        },
        "message": dict(zip((field for field, _ in fields), values, strict=True)),
    }
    return key.sign_message(encode_typed_data(full_message=document)).signature


def free_and_locked(escrow, account):
    """As plain integers: Brownie 1.22 cannot compare the tuple that it returns with one of integers."""
    return [int(amount) for amount in escrow.accountOf(account)[:2]]


def test_a_trade__from_deposit_to_withdrawal__pays_the_provider(accounts, chain, keys, market):
    reserve, credit, _, registry, _, escrow = market
    treasury, buyer, provider, verifier = accounts[:4]
    for party in (buyer, provider):
        reserve.mint(party, 100 * RESERVE, {"from": party})
        reserve.approve(credit, 100 * RESERVE, {"from": party})
        credit.mint(party, 100 * RESERVE, {"from": party})
        credit.approve(escrow, 80 * CREDIT, {"from": party})
        escrow.deposit(party, 80 * CREDIT, {"from": party})
    credit.approve(registry, 10 * CREDIT, {"from": provider})
    registry.register(10 * CREDIT, {"from": provider})

    now = max(int(time.time()), chain.time())
    terms = (
        buyer.address, buyer.address, provider.address, verifier.address, NOBODY, NOBODY,
        b"\x01" * 32, b"\x02" * 32, b"\x03" * 32, b"\x00" * 32,
        PRICE, 10, MOST_UNITS, BOND, VERIFIER_FEE, 0,
        now + 3_600, now + 86_400, 0, 3_600, 0, 100, 1,
    )  # fmt: skip
    by_provider = sign(keys[2], escrow, chain.id, "Terms", TERMS_FIELDS, terms)
    opened = escrow.open(terms, (b"", b"", by_provider), {"from": buyer})
    job = opened.events["JobOpened"]["job"]
    assert job == escrow.jobIdOf(terms)
    assert escrow.accountOf(buyer)[1] == PRICE * MOST_UNITS + VERIFIER_FEE
    assert escrow.accountOf(provider)[1] == BOND

    attestation = (job, 1, b"\x04" * 32, UNITS, True, 10_000, b"\x00" * 32, b"\x05" * 32)
    by_verifier = sign(keys[3], escrow, chain.id, "Attestation", ATTESTATION_FIELDS, attestation)
    closed = escrow.attest(terms, attestation, by_verifier, {"from": provider})

    pay = PRICE * UNITS * 99 // 100
    assert closed.events["JobPaid"]["providerPaid"] == pay
    assert escrow.jobOf(job)[0] == 4
    assert free_and_locked(escrow, provider) == [80 * CREDIT + pay, 0]
    assert free_and_locked(escrow, buyer) == [80 * CREDIT - PRICE * UNITS - VERIFIER_FEE, 0]
    assert free_and_locked(escrow, verifier) == [VERIFIER_FEE, 0]

    escrow.withdraw(provider, 80 * CREDIT + pay, {"from": provider})
    escrow.collectFees({"from": buyer})
    assert credit.balanceOf(provider) == 90 * CREDIT + pay
    assert credit.balanceOf(treasury) == PRICE * UNITS // 100
    assert credit.balanceOf(escrow) == sum(escrow.accountOf(party)[0] for party in (buyer, verifier))
