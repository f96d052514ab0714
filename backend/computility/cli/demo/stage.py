"""Sets the demo up: chain, contracts, money, node, agents; each in a process of its own, as on real machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments
from computility.chain.local_chain import Backend, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.chain.transaction_sender import TransactionSender
from computility.cli.demo.cast import (
    ARBITERS,
    COMMAND_PROVIDER,
    COMMAND_VERIFIER,
    PROVIDERS,
    VERIFIERS,
    Player,
    gather_cast,
    password_file,
)
from computility.cli.demo.processes import COMMAND_LINE, Processes, warm_up
from computility.cli.demo.sandboxed_offer import COMMAND_RESOURCE, has_bubblewrap, offer_commands
from computility.domain.content_id import digest_of_content_id, parse_content_id
from computility.domain.errors import NodeUnavailable
from computility.domain.identifiers import ZERO_BYTES32, Address
from computility.domain.resource import Resource
from computility.domain.statements import Ask
from computility.execution.wasm.executor import WasmExecutor
from computility.services.committee_seat import CommitteeSeat
from computility.services.deployer import DeploymentPlan, deploy_generation
from computility.services.node_client import NodeClient, wait_for_node
from computility.services.trading_account import Ledger, TradingAccount

Say = Callable[[str], None]

CREDIT: Final = 10**18
RESERVE: Final = 10**6
DISPUTE_WINDOW_S: Final = 2
# How long a provider waits for the verifier that never answers. For the committee it waits as long as agents do by themselves.
PATIENCE_WITH_THE_SLEEPER_S: Final = 2
_CHEAT: Final = "computility.cli.demo.cheating_provider"
_BLOCK_TIME_S: Final = 1
_READY_WITHIN_S: Final = 60.0
_ASK_VALID_S: Final = 7 * 86_400
_PRICES: Final = {"provider-aurora": 5 * CREDIT // 10_000, "provider-borealis": 6 * CREDIT // 10_000}


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    url: str
    rpc_url: str
    chain_number: int
    folder: Path
    cast: dict[str, Player]
    accounts: dict[str, TradingAccount]
    node: NodeClient
    deployments: Deployments
    processes: Processes
    asks: dict[str, str]
    """Id of each provider's ask."""

    @property
    def committee(self) -> Address:
        """The verifier that three processes answer for."""
        return self.deployments.newest.address_of("VerifierCommittee")

    def offer_commands(self) -> dict[str, str]:
        """Have the provider of commands and its verifier join. What their toolset has, by name and version.

        Raises:
            ExecutorUnfit: no command can be offered on this machine.
        """
        examples = self.node.config()["commands"]
        files = [file["cid"] for example in examples for file in example["artifacts"]]
        known = sorted({digest_of_content_id(parse_content_id(cid)).removeprefix("0x") for cid in files})
        return offer_commands(self.processes, self.cast, self.folder, self.url, self.rpc_url, DISPUTE_WINDOW_S, known)


@contextmanager
def set_stage(folder: Path, checkout: Path, port: int, backend: Backend, say: Say) -> Iterator[Stage]:
    """Start everything, and end it with the block."""
    warm_up()
    with ExitStack() as stack:
        cast = gather_cast(folder / "keys")
        say("starting a local chain")
        chain = LocalChain(LocalChainSettings(backend, block_time_s=0, log_file=folder / "chain.log"))
        stack.enter_context(chain)
        rpc = RpcClient(chain.rpc_url)
        stack.callback(rpc.close)
        say("deploying the contracts")
        deployments = _deploy(rpc, cast, folder)
        processes = Processes(folder)
        stack.callback(processes.stop)
        say("starting the node: indexer, order book, API, web app")
        url = f"http://127.0.0.1:{port}"
        processes.start("node", COMMAND_LINE, ["node", "serve"], _node_environment(folder, checkout, port, chain, cast))
        # The one that the first trade waits for starts beside the node, the others while the chain makes its first blocks.
        _start_provider(processes, cast, "provider-aurora", folder, url, chain.rpc_url)
        say("handing out play money: stakes, bonds, reserve tokens")
        accounts = _accounts(rpc, cast, deployments)
        _hand_out(accounts, at_once=backend == "anvil")
        chain.mine_every(_BLOCK_TIME_S)
        node = NodeClient(url)
        stack.callback(node.close)
        _wait_for_node(node, processes)
        say("starting the providers and three verifiers")
        _start_agents(processes, cast, folder, url, chain.rpc_url)
        asks = {name: _publish_ask(accounts[name], node, deployments, cast) for name in PROVIDERS}
        yield Stage(url, chain.rpc_url, chain.chain_id, folder, cast, accounts, node, deployments, processes, asks)


def _deploy(rpc: RpcClient, cast: dict[str, Player], folder: Path) -> Deployments:
    deployer = cast["deployer"]
    plan = DeploymentPlan(
        proposers=[deployer.address],
        treasury=deployer.address,
        guardian=deployer.address,
        committee=[cast[name].address for name in VERIFIERS],
        arbiters=[cast[name].address for name in ARBITERS],
    )
    sender = TransactionSender(rpc, deployer.account, rpc.chain_number())
    return deploy_generation(ChainConnection(rpc), sender, plan, folder / "deployments").deployments


def _accounts(rpc: RpcClient, cast: dict[str, Player], deployments: Deployments) -> dict[str, TradingAccount]:
    ledger = Ledger(deployments.newest.contracts, deployments.domain)
    return {name: TradingAccount(rpc, player.account, ledger) for name, player in cast.items()}


def _hand_out(accounts: dict[str, TradingAccount], at_once: bool) -> None:
    """Reserve tokens for all; stakes and bonds for providers; stakes for verifiers. The buyer's credits are part of the trade.

    ``at_once`` not on a Ganache: it never answers an estimate during which it makes a block.
    """

    providers = (*PROVIDERS, COMMAND_PROVIDER) if has_bubblewrap() else PROVIDERS

    def equip(name: str) -> None:
        account = accounts[name]
        reserve = account.reserve()
        account.send(reserve, "mint", account.address, 1_000 * RESERVE)
        if name in providers:
            account.swap_reserve(200 * CREDIT)
            account.register_provider()
            account.list_resource(resource_of(name).id)
            account.deposit(100 * CREDIT)
        elif name in VERIFIERS:
            account.swap_reserve(20 * CREDIT)
            CommitteeSeat(account).join()

    names = ("buyer", *providers, *VERIFIERS)
    with ThreadPoolExecutor(len(names) if at_once else 1) as pool:
        list(pool.map(equip, names))


def _node_environment(
    folder: Path, checkout: Path, port: int, chain: LocalChain, cast: dict[str, Player]
) -> dict[str, str]:
    shown = ("buyer", *PROVIDERS, COMMAND_PROVIDER, *VERIFIERS, COMMAND_VERIFIER, *ARBITERS)
    return {
        "COMPUTILITY_DEVELOPMENT_ACCOUNTS": ",".join(f"{name}={cast[name].address}" for name in shown),
        "DATABASE_URL": f"sqlite:///{folder}/node.sqlite",
        "COMPUTILITY_RPC_URL": chain.rpc_url,
        "COMPUTILITY_CHAIN_NUMBER": str(chain.chain_id),
        "COMPUTILITY_PORT": str(port),
        "COMPUTILITY_DEPLOYMENTS_DIR": str(folder / "deployments"),
        "COMPUTILITY_CONTENT_URL": str(folder / "content"),
        "COMPUTILITY_WEB_DIST": str(checkout / "frontend" / "dist"),
        "COMPUTILITY_EXAMPLES_DIR": str(checkout / "examples"),
        "COMPUTILITY_POLL_INTERVAL_S": "0.25",
        # One of its providers cheats for show, again and again: elsewhere it would be shut out after the first time.
        "COMPUTILITY_EXCLUSION_DAYS": "0",
    }


def _wait_for_node(node: NodeClient, processes: Processes) -> None:
    give_up = time.monotonic() + _READY_WITHIN_S
    while True:
        processes.check()
        try:
            wait_for_node(node, 1.0)
        except NodeUnavailable:
            if time.monotonic() > give_up:
                raise
        else:
            return


def _start_agents(processes: Processes, cast: dict[str, Player], folder: Path, url: str, rpc_url: str) -> None:
    _start_provider(processes, cast, "provider-borealis", folder, url, rpc_url)
    for name in VERIFIERS:
        processes.start(name, COMMAND_LINE, _agent("verifier", cast[name], folder, url, rpc_url))


def _start_provider(
    processes: Processes, cast: dict[str, Player], name: str, folder: Path, url: str, rpc_url: str
) -> None:
    player = cast[name]
    if name == "provider-borealis":
        secret = password_file(folder / "keys")
        processes.start(name, _CHEAT, [url, rpc_url, str(player.keystore), str(secret)])
    else:
        patience = f"{cast['verifier-asleep'].address}={PATIENCE_WITH_THE_SLEEPER_S}"
        processes.start(
            name, COMMAND_LINE, [*_agent("provider", player, folder, url, rpc_url), "--patience-for", patience]
        )


def _agent(role: str, player: Player, folder: Path, url: str, rpc_url: str) -> list[str]:
    secret = password_file(folder / "keys")
    return [
        role, "serve",
        "--node", url,
        "--rpc", rpc_url,
        "--keystore", str(player.keystore),
        "--password-file", str(secret),
    ]  # fmt: skip


def _publish_ask(account: TradingAccount, node: NodeClient, deployments: Deployments, cast: dict[str, Player]) -> str:
    name = next(name for name in PROVIDERS if cast[name].address == account.address)
    now = account.chain_time()
    ask = Ask(
        provider=account.address,
        resource=str(resource_of(name)),
        environment=WasmExecutor().environment,
        unit_price=_PRICES[name],
        min_units=1,
        max_units=100_000,
        bond_bps=2_000,
        max_concurrent=4,
        # One that no process answers for: with it the demo shows what happens when no verifier does.
        verifiers=(deployments.newest.address_of("VerifierCommittee"), cast["verifier-asleep"].address),
        arbiters=(),
        dispute_window=DISPUTE_WINDOW_S,
        sla=ZERO_BYTES32,
        valid_until=now + _ASK_VALID_S,
        nonce=now,
    )
    signed = account.sign(ask)
    node.publish(signed)
    return signed.id


def resource_of(name: str) -> Resource:
    """What a provider of the demo offers."""
    if name == COMMAND_PROVIDER:
        return COMMAND_RESOURCE
    operator = name.removeprefix("provider-")
    return Resource("wasm", "wasmtime", 2, 1024, "local", operator, "0001", "mfuel")
