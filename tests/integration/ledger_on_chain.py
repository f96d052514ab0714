"""Contracts on a development chain, and parties that trade on them in every way, for the tests of what reads the ledger."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.keystore import development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.domain.attestation import Attestation, Verdict
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32
from computility.domain.terms import Terms
from computility.services.committee_seat import CommitteeSeat
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.indexer import Indexer
from computility.services.trading_account import Ledger, TradingAccount
from computility.store.engine import Database

CREDIT = 10**18
DAY_S = 86_400
BUYER, PROVIDER, VERIFIER, OTHER_PROVIDER = 1, 2, 3, 4
RESULT = Bytes32("0x" + "5e" * 32)
_PATIENCE_S = 600.0


@dataclass
class LedgerOnChain:
    """One generation of contracts, and who trades on it. The verifier is an account of its own.

    ``control`` commands the chain itself, and waits for as long as a loaded machine needs to mine hundreds of blocks.
    """

    rpc: RpcClient
    deployments: Deployments
    accounts: dict[int, TradingAccount]
    control: RpcClient
    _nonces: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    # ---------------------------------------------------------------- trades

    def terms(self, provider: int = PROVIDER, **changes: Any) -> Terms:
        """Sound terms, each of another nonce."""
        now = self.accounts[BUYER].chain_time()
        fields: dict[str, Any] = {
            "buyer": self.accounts[BUYER].address,
            "payer": self.accounts[BUYER].address,
            "provider": self.accounts[provider].address,
            "verifier": self.accounts[VERIFIER].address,
            "arbiter": ZERO_ADDRESS,
            "guard": ZERO_ADDRESS,
            "order": ZERO_BYTES32,
            "resource": ZERO_BYTES32,
            "spec": RESULT,
            "sla": ZERO_BYTES32,
            "unit_price": CREDIT // 100,
            "min_units": 1,
            "max_units": 100,
            "bond": CREDIT // 2,
            "verifier_fee": CREDIT // 10,
            "arbiter_fee": 0,
            "open_by": now + DAY_S,
            "end": now + 2 * DAY_S,
            "pass_window": 0,
            "dispute_window": 100,
            "ruling_window": 0,
            "max_fee_bps": 100,
            "nonce": next(self._nonces),
            **changes,
        }
        return Terms(**fields)

    def open(self, provider: int = PROVIDER, *, from_wallet: bool = True, **changes: Any) -> Terms:
        """Open a job."""
        terms = self.terms(provider, **changes)
        signature = self.accounts[provider].sign_terms(terms)
        buyer = self.accounts[BUYER]
        (buyer.open_from_wallet if from_wallet else buyer.open_from_balance)(terms, signature)
        return terms

    def attest(self, terms: Terms, verdict: Verdict = Verdict.PASS, units: int = 60) -> None:
        """Let the verifier speak, and the provider bring it."""
        job = terms.job_id(self.deployments.domain)
        passed = verdict is Verdict.PASS
        attestation = Attestation(
            job, verdict, RESULT, units if passed else 0, True, 10_000 if passed else 0, ZERO_BYTES32, RESULT
        )
        signed = self.accounts[VERIFIER].sign(attestation)
        self.accounts[PROVIDER].attest(terms, attestation, signed.signature)

    def pass_time(self, seconds: int) -> None:
        """Move the chain's clock on."""
        self.control.call("evm_increaseTime", hex(seconds))
        self.mine()

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks."""
        self.control.call("anvil_mine", hex(blocks))

    def trade_in_every_way(self) -> None:
        """A pass, a fail that stood, a claim, a dispute by default, a reclaim, a cancellation, deposits and withdrawals."""
        buyer, provider = self.accounts[BUYER], self.accounts[PROVIDER]
        self.attest(self.open())
        buyer.deposit(3 * CREDIT)
        failed = self.open(from_wallet=False)
        self.attest(failed, Verdict.FAIL)
        claimed, disputed, silent = (
            self.open(),
            self.open(OTHER_PROVIDER),
            self.open(end=buyer.chain_time() + 60, open_by=buyer.chain_time() + 30),
        )
        provider.propose(claimed, 70, RESULT)
        self.accounts[OTHER_PROVIDER].propose(disputed, 80, RESULT)
        buyer.dispute(disputed)
        self.pass_time(200)
        for over in (failed, claimed):
            buyer.finalize(over)
        buyer.reclaim(silent)
        buyer.cancel_terms(self.terms())
        provider.withdraw(CREDIT // 3)
        buyer.send(buyer.escrow, "collectFees")
        self.open()

    def trade_on_stake(self) -> None:
        """Two jobs whose bonds are all that a provider has and half of its stake: one passes; one fails, and takes it off the list."""
        provider = self.accounts[OTHER_PROVIDER]
        passed = self.open(OTHER_PROVIDER, bond=provider.balance().free + provider.free_stake() // 2)
        self.attest(passed)
        failed = self.open(OTHER_PROVIDER, bond=provider.balance().free + provider.free_stake() // 2)
        self.attest(failed, Verdict.FAIL)
        self.pass_time(200)
        self.accounts[BUYER].finalize(failed)

    def put_rewards_behind_jobs(self) -> None:
        """A provider puts earnings behind jobs, claims what has vested, loses some by a fail, and puts in more; another leaves, and comes back."""
        provider, leaving = self.accounts[PROVIDER], self.accounts[OTHER_PROVIDER]
        provider.stake_reward(4 * CREDIT)
        leaving.stake_reward(CREDIT)
        self.pass_time(20)
        provider.claim_reward()
        failed = self.open(bond=provider.balance().free + provider.free_stake() // 2)
        self.attest(failed, Verdict.FAIL)
        self.pass_time(200)
        self.accounts[BUYER].finalize(failed)
        leaving.request_exit()
        provider.deposit(25 * CREDIT)
        provider.stake_reward(5 * CREDIT)
        self.pass_time(100)
        leaving.exit_registry()
        leaving.register_provider()

    # ---------------------------------------------------------------- forks

    def snapshot(self) -> str:
        """A point to which the chain can be taken back."""
        return str(self.control.call("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Orphan everything since a snapshot. What is mined next has other hashes, as its time differs."""
        assert self.control.call("evm_revert", snapshot)
        self.control.call("evm_increaseTime", hex(7))


def deploy_ledger(chain: LocalChain, folder: Path, members: Sequence[int] = (), **outside: Any) -> LedgerOnChain:
    """Deploy, and give the parties what they need. ``members`` are the accounts that serve in the committee, of which two have to sign;
    ``outside`` are contracts of others that the plan names."""
    rpc = RpcClient(chain.rpc_url)
    keys = {index: development_account(DEVELOPMENT_MNEMONIC, index) for index in (*range(5), *members)}
    deployer = Address(keys[0].address)
    committee = [Address(keys[index].address) for index in members]
    plan = DeploymentPlan(proposers=[deployer], treasury=deployer, guardian=deployer, committee=committee, **outside)
    sender = TransactionSender(rpc, keys[0], chain.chain_id)
    deployments = deploy_generation(ChainConnection(rpc), sender, plan, folder).deployments
    ledger = Ledger(deployments.newest.contracts, deployments.domain)
    accounts = {index: TradingAccount(rpc, key, ledger) for index, key in keys.items()}
    on_chain = LedgerOnChain(rpc, deployments, accounts, RpcClient(chain.rpc_url, _PATIENCE_S))
    for index in (BUYER, PROVIDER, OTHER_PROVIDER, *members):
        account = accounts[index]
        account.send(account.reserve(), "mint", account.address, 1_000 * 10**6)
        account.swap_reserve(100 * CREDIT)
        if index in members:
            CommitteeSeat(account).join()
        elif index != BUYER:
            account.register_provider()
            account.deposit(20 * CREDIT)
    return on_chain


def index_all(indexer: Indexer) -> None:
    """Step until there is nothing left to do."""
    while indexer.step():
        pass


def rows_of(database: Database, table: type[Any]) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    from sqlmodel import select

    with database.unit_of_work() as session:
        rows = [row.model_dump() for row in session.exec(select(table))]
    keys = [column.name for column in table.__table__.primary_key]
    return sorted(rows, key=lambda row: [row[key] for key in keys])
