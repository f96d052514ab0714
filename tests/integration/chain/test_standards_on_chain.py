"""A client that knows ERC-8183 alone trades through the adapter that the deployer deploys, on anvil and on Ganache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from computility.chain.connection import ChainConnection, DeployedContract
from computility.chain.deployments import read_deployments
from computility.chain.keystore import development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import Receipt, TransactionSender
from computility.domain.identifiers import Address, parse_address
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.trading_account import Ledger, TradingAccount

CREDIT = 10**18
BUDGET = 5 * CREDIT
GAS = 2_000_000
DAY_S = 86_400
DELIVERABLE, REASON = b"\x0d" * 32, b"\x0e" * 32
# As the standard numbers them.
OPEN, FUNDED, SUBMITTED, COMPLETED, REJECTED, EXPIRED = range(6)
JOB = "(uint256,address,address,address,string,uint256,uint256,uint8,address)"
CLIENT, AGENT, EVALUATOR = range(3)


@dataclass
class Standard:
    """The standard's calls at an address, encoded from its text and from no file of ours."""

    rpc: RpcClient
    address: Address
    senders: list[TransactionSender]

    def send(self, who: int, signature: str, *arguments: Any) -> Receipt:
        # Ganache does not come to an estimate of calls that ask contracts for signatures.
        return self.senders[who].send(self.address, self._data(signature, arguments), gas=GAS)

    def ask(self, signature: str, answers: str, *arguments: Any) -> Any:
        call = {"to": self.address, "data": self._data(signature, arguments)}
        return decode([answers], bytes.fromhex(str(self.rpc.call("eth_call", call, "latest"))[2:]))[0]

    def create(self, expires_in_s: int = DAY_S) -> int:
        now = int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        agent, evaluator = self.senders[AGENT].address, self.senders[EVALUATOR].address
        signature = "createJob(address,address,uint256,string,address)"
        self.send(CLIENT, signature, agent, evaluator, now + expires_in_s, "summarise", "0x" + "00" * 20)
        return int(self.ask("jobCounter()", "uint256"))

    def fund(self) -> int:
        job = self.create()
        self.send(AGENT, "setBudget(uint256,uint256,bytes)", job, BUDGET, b"")
        self.send(CLIENT, "fund(uint256,uint256,bytes)", job, BUDGET, b"")
        return job

    def status(self, job: int) -> int:
        return int(self.ask("getJob(uint256)", JOB, job)[7])

    @staticmethod
    def _data(signature: str, arguments: tuple[Any, ...]) -> str:
        inner = signature[signature.index("(") + 1 : -1]
        types = inner.split(",") if inner else []
        return "0x" + (keccak(signature.encode())[:4] + encode(types, arguments)).hex()


@dataclass
class AgenticMarket:
    """The adapter with a client that has credits, and an agent that has a seat."""

    standard: Standard
    client: TradingAccount
    agent: TradingAccount


@pytest.fixture(scope="module", params=["anvil", "ganache"])
def chain(request: pytest.FixtureRequest) -> Iterator[LocalChain]:
    """A chain of its own, because its time is moved."""
    with LocalChain(LocalChainSettings(request.param, block_time_s=0)) as chain:
        yield chain


@pytest.fixture(scope="module")
def market(chain: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgenticMarket]:
    """Deployed by the deployer, and found where it says."""
    rpc = RpcClient(chain.rpc_url, timeout_s=600)  # Ganache on a loaded machine takes its time
    keys = [development_account(DEVELOPMENT_MNEMONIC, index) for index in range(3)]
    senders = [TransactionSender(rpc, key, chain.chain_id) for key in keys]
    us = senders[CLIENT].address
    folder = tmp_path_factory.mktemp("deployments")
    connection = ChainConnection(rpc)
    plan = DeploymentPlan(proposers=[us], treasury=us, guardian=us, committee=[us], threshold=1)
    deploy_generation(connection, senders[CLIENT], plan, folder)
    deployments = read_deployments(folder, chain.chain_id)
    adapter = deployments.newest.address_of("ERC8183Adapter")
    ledger = Ledger(deployments.newest.contracts, deployments.domain)
    client, agent, _ = (TradingAccount(rpc, key, ledger) for key in keys)
    for account in (client, agent):
        account.send(account.reserve(), "mint", account.address, 1_000 * 10**6)
        account.swap_reserve(500 * CREDIT)
    client.send(client.credit, "approve", adapter, 500 * CREDIT)
    contract = agent.contract("ERC8183Adapter")
    agent.send(contract, "takeSeat")
    seat = connection.contract("ERC8183Seat", parse_address(contract.read("seatOf", agent.address)))
    take_a_place(agent, seat)
    yield AgenticMarket(Standard(rpc, adapter, senders), client, agent)
    rpc.close()


def take_a_place(agent: TradingAccount, seat: DeployedContract) -> None:
    """The seat enters the registry; bonds come out of its stake."""
    stake = int(agent.registry.read("rules")[0])
    agent.send(agent.credit, "approve", seat.address, stake)
    agent.send(seat, "enter", stake)


def test_a_job__funded_submitted_and_completed__pays_the_agents_wallet(market: AgenticMarket) -> None:
    before = market.agent.wallet_credits()
    job = market.standard.fund()
    assert market.standard.status(job) == FUNDED
    market.standard.send(AGENT, "submit(uint256,bytes32,bytes)", job, DELIVERABLE, b"")
    assert market.standard.status(job) == SUBMITTED
    market.standard.send(EVALUATOR, "complete(uint256,bytes32,bytes)", job, REASON, b"")
    assert market.standard.status(job) == COMPLETED
    assert market.agent.wallet_credits() == before + BUDGET - BUDGET // 100


def test_a_job__rejected_by_its_evaluator__sends_the_whole_budget_back(market: AgenticMarket) -> None:
    before = market.client.wallet_credits()
    job = market.standard.fund()
    assert market.client.wallet_credits() == before - BUDGET
    market.standard.send(EVALUATOR, "reject(uint256,bytes32,bytes)", job, REASON, b"")
    assert market.standard.status(job) == REJECTED
    assert market.client.wallet_credits() == before


def test_a_job__that_expired__is_refunded_by_anybody(market: AgenticMarket) -> None:
    before = market.client.wallet_credits()
    job = market.standard.fund()
    market.standard.rpc.call("evm_increaseTime", DAY_S + 1)
    market.standard.rpc.call("evm_mine")
    market.standard.send(AGENT, "claimRefund(uint256)", job)
    assert market.standard.status(job) == EXPIRED
    assert market.client.wallet_credits() == before


def test_a_job__that_is_only_created__is_open_and_locks_nothing(market: AgenticMarket) -> None:
    before = market.client.wallet_credits()
    assert market.standard.status(market.standard.create()) == OPEN
    assert market.client.wallet_credits() == before
