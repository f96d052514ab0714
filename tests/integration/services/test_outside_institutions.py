"""What is others' and not ours: a court of ERC-792 that decides a dispute, and the registries of ERC-8004 that jobs are published in. By the
commands that users have, on anvil, with contracts that keep to the standards' texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import solcx
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from tests.integration.ledger_on_chain import BUYER, CREDIT, PROVIDER, LedgerOnChain, deploy_ledger
from tests.integration.services.conftest import node_on
from typer.testing import CliRunner

from computility.chain.keystore import create_keystore, development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.cli.application import build_application
from computility.domain.identifiers import Address, parse_address
from computility.domain.terms import Terms
from computility.services.node_client import NodeClient

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("tests/contracts/interop/AgentRegistries.sol", "tests/contracts/arbitration/OutsideCourt.sol")
PASSWORD = "outside institutions"  # of development keys
FOR_THE_PROVIDER = 1
PERCENT = 100

Command = Callable[..., Any]


@dataclass
class Outside:
    """Contracts of others, by what their standards call them."""

    sender: TransactionSender
    rpc: RpcClient
    court: Address
    identity: Address
    reputation: Address
    validation: Address

    def send(self, sender: TransactionSender, to: Address, signature: str, *arguments: Any) -> None:
        sender.send(to, call_data(signature, arguments))

    def ask(self, to: Address, signature: str, answers: list[str], *arguments: Any) -> tuple[Any, ...]:
        answer = self.rpc.call("eth_call", {"to": to, "data": call_data(signature, arguments)}, "latest")
        return decode(answers, bytes.fromhex(str(answer)[2:]))


def call_data(signature: str, arguments: tuple[Any, ...]) -> str:
    inner = signature[signature.index("(") + 1 : -1]
    return "0x" + (keccak(signature.encode())[:4] + encode(inner.split(",") if inner else [], arguments)).hex()


@pytest.fixture(scope="module")
def codes() -> dict[str, str]:
    """Creation code of each outside contract."""
    given = {
        "language": "Solidity",
        "sources": {name: {"content": (ROOT / name).read_text()} for name in SOURCES},
        "settings": {
            "evmVersion": "shanghai",
            "remappings": ["@openzeppelin/contracts/=node_modules/@openzeppelin/contracts/"],
            "outputSelection": {name: {"*": ["evm.bytecode.object"]} for name in SOURCES},
        },
    }
    output = solcx.compile_standard(given, solc_binary=ROOT / "scripts" / "solc")
    return {
        name: contract["evm"]["bytecode"]["object"]
        for file in output["contracts"].values()
        for name, contract in file.items()
    }


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield chain


@pytest.fixture(scope="module")
def outside(chain: LocalChain, codes: dict[str, str]) -> Outside:
    rpc = RpcClient(chain.rpc_url)
    sender = TransactionSender(rpc, development_account(DEVELOPMENT_MNEMONIC, 0), chain.chain_id)

    def create(name: str, *arguments: Address) -> Address:
        code = codes[name] + encode(["address"] * len(arguments), arguments).hex()
        receipt = sender.send(None, "0x" + code)
        return parse_address(rpc.call("eth_getTransactionReceipt", receipt.tx_hash)["contractAddress"])

    identity = create("AgentIdentity")
    registries = (create("AgentReputation", identity), create("AgentValidation", identity))
    return Outside(sender, rpc, create("OutsideCourt"), identity, *registries)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def ledger(chain: LocalChain, outside: Outside, folder: Path) -> LedgerOnChain:
    return deploy_ledger(
        chain,
        folder / "deployments",
        court=outside.court,
        court_extra_data=b"jury",
        agent_registries=(outside.reputation, outside.validation),
    )


@pytest.fixture(scope="module")
def node(ledger: LedgerOnChain, folder: Path) -> Iterator[NodeClient]:
    with node_on(ledger, folder) as client:
        yield client


@pytest.fixture(scope="module")
def command(ledger: LedgerOnChain, node: NodeClient, folder: Path) -> Command:
    """Runs `computility` as one of the parties, and reads its JSON."""
    for who in (BUYER, PROVIDER):
        key = bytes(development_account(DEVELOPMENT_MNEMONIC, who).key)
        create_keystore(folder / f"{who}.json", PASSWORD, key, fast=True)
    (folder / "password").write_text(PASSWORD)

    def run(who: int, *words: str) -> Any:
        environment = {
            "COMPUTILITY_NODE": node.url,
            "COMPUTILITY_RPC_URL": ledger.rpc.url,
            "COMPUTILITY_KEYSTORE": str(folder / f"{who}.json"),
            "COMPUTILITY_PASSWORD_FILE": str(folder / "password"),
        }
        result = CliRunner().invoke(build_application(words[0]), words, env=environment, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


def job_of(ledger: LedgerOnChain, terms: Terms) -> str:
    return str(terms.job_id(ledger.deployments.domain))


def test_a_dispute__that_an_outside_court_decides__is_carried_out_by_its_commands(
    ledger: LedgerOnChain, outside: Outside, command: Command
) -> None:
    arbiter = ledger.deployments.newest.address_of("CourtArbiter")
    terms = ledger.open(arbiter=arbiter, arbiter_fee=CREDIT // 10, ruling_window=3_600)
    job = job_of(ledger, terms)
    buyer, provider = ledger.accounts[BUYER], ledger.accounts[PROVIDER]
    provider.propose(terms, 70, terms.spec)
    buyer.dispute(terms)

    brought = command(BUYER, "court", "bring", job, "--yes", "--json")
    dispute = str(brought["dispute"])
    assert brought["paid_wei"] == outside.ask(outside.court, "arbitrationCost(bytes)", ["uint256"], b"jury")[0]
    assert command(BUYER, "court", "show", dispute, "--json")["claimed"] == 70
    command(PROVIDER, "court", "evidence", dispute, job, "ipfs://log", "--json")
    command(PROVIDER, "court", "claim", dispute, job, "--units", "60", "--json")
    shown = command(BUYER, "court", "show", dispute, "--json")
    assert (shown["job"], shown["claimed"], shown["ruling"]) == (job, 60, None)

    giving = "giveRuling(address,uint256,uint256)"
    outside.send(outside.sender, outside.court, giving, arbiter, int(dispute), FOR_THE_PROVIDER)
    wallet, free = buyer.wallet_credits(), provider.balance().free
    executed = command(BUYER, "court", "execute", dispute, job, "--json")
    assert (executed["ruling"], executed["executed"]) == ("for the provider", True)
    price = 60 * terms.unit_price
    assert provider.balance().free == free + price - price // 100 + terms.bond
    assert buyer.wallet_credits() == wallet + terms.arbiter_fee  # to whoever brought it


def test_a_job__that_was_settled__is_published_on_its_providers_agent(
    ledger: LedgerOnChain, outside: Outside, command: Command
) -> None:
    provider = ledger.accounts[PROVIDER]
    key = development_account(DEVELOPMENT_MNEMONIC, PROVIDER)
    sender = TransactionSender(ledger.rpc, key, ledger.deployments.domain.chain_number)
    outside.send(sender, outside.identity, "register(string)", "https://provider.example/agent.json")
    agent = 0
    export = provider.contract("ERC8004Export").address

    command(PROVIDER, "export", "bind", str(agent), "--yes", "--json")
    registration = command(PROVIDER, "export", "agent", "--name", "Sunny Rack")
    assert registration["active"]
    chain_number = ledger.deployments.domain.chain_number
    assert registration["registrations"] == [
        {"agentId": agent, "agentRegistry": f"eip155:{chain_number}:{outside.identity}"}
    ]

    first, second = ledger.open(), ledger.open()
    for terms in (first, second):
        ledger.attest(terms)
    published = command(BUYER, "export", "job", job_of(ledger, first), "--json")
    assert (published["percent"], published["ended"]) == (PERCENT, "attested")
    others = command(PROVIDER, "export", "all", "--json")
    assert job_of(ledger, second) in [row["job"] for row in others]
    assert job_of(ledger, first) not in [row["job"] for row in others]
    assert command(PROVIDER, "export", "all", "--json") == []
    count, average = outside.ask(outside.reputation, "getSummary(uint256,address)", ["uint64", "int128"], agent, export)
    assert (count, average) == (1 + len(others), PERCENT * 100)

    request = provider.contract("ERC8004Export").read("requestHashOf", bytes.fromhex(job_of(ledger, first)[2:]))
    asking = "validationRequest(address,uint256,string,bytes32)"
    outside.send(sender, outside.validation, asking, export, agent, "", bytes(request))
    answered = command(BUYER, "export", "validate", job_of(ledger, first), "--json")
    assert bytes.fromhex(answered["request"][2:]) == bytes(request)
    status = outside.ask(
        outside.validation,
        "getValidationStatus(bytes32)",
        ["address", "uint256", "uint8", "bytes32", "string", "uint256"],
        bytes(request),
    )
    assert status[2] == PERCENT
