"""Accounts through which nothing stays: what the store says of them is what a replay of the chain says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.ledger_on_chain import BUYER, VERIFIER, LedgerOnChain, deploy_ledger, index_all

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain
from computility.domain.attestation import Verdict
from computility.domain.identifiers import Address
from computility.services.auditor import Auditor
from computility.services.indexer import Indexer
from computility.services.trading_account import terms_values
from computility.store.engine import Database, open_database

STRANGER = Address("0x" + "57" * 20)


@pytest.fixture
def ledger(anvil: LocalChain, tmp_path: Path) -> LedgerOnChain:
    return deploy_ledger(anvil, tmp_path / "deployments")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def assert_audited(ledger: LedgerOnChain, database: Database) -> None:
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    report = Auditor(ChainConnection(ledger.rpc), database, ledger.deployments).audit()
    assert report.differences == ()
    assert report.store_matches_chain


def test_a_deposit_and_a_withdrawal_of_nothing__make_no_account(ledger: LedgerOnChain, database: Database) -> None:
    ledger.attest(ledger.open())
    buyer = ledger.accounts[BUYER]
    # Anybody may do so, for anybody.
    buyer.send(buyer.escrow, "deposit", STRANGER, 0)
    ledger.accounts[VERIFIER].withdraw(0)
    assert_audited(ledger, database)


def test_a_verifier_that_takes_its_fee_to_its_wallet_as_it_ends_a_job__has_an_account(
    ledger: LedgerOnChain, database: Database
) -> None:
    terms = ledger.open()
    ledger.attest(terms, Verdict.FAIL)
    ledger.pass_time(200)
    verifier = ledger.accounts[VERIFIER]
    verifier.send(verifier.escrow, "finalizeToWallet", terms_values(terms))
    assert_audited(ledger, database)
