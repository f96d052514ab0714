"""Deploys one generation of contracts and writes down where they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import rlp
from eth_utils.crypto import keccak

from computility.chain.connection import ChainConnection
from computility.chain.deployments import Deployments, Generation, read_deployments, write_deployments
from computility.chain.transaction_sender import Receipt, TransactionSender
from computility.domain.errors import ChainMisbehaved, ChainNotAllowed, DeploymentMissing
from computility.domain.identifiers import ZERO_ADDRESS, Address, address_from_bytes

DEVELOPMENT_CHAINS: Final = (31337, 1337)
_DAY_S: Final = 86_400

# What is deployed, in this order; the escrow's address has to be known to the registry and the scores, which come before it.
_ORDER: Final = (
    "DevReserve",
    "ComputeCredit",
    "Timelock",
    "ProviderRegistry",
    "CreditScores",
    "JobEscrow",
    "Arbitration",
    "VerifierCommittee",
    "ERC8183Adapter",
)
# Only where the plan names what they stand before.
_WITH_COURT: Final = "CourtArbiter"
_WITH_AGENTS: Final = "ERC8004Export"
_STEPS_TO_ESCROW: Final = {"ProviderRegistry": 2, "CreditScores": 1}

Progress = Callable[[str], None]


@dataclass(frozen=True)
class DeploymentPlan:
    """What the contracts are deployed with. Amounts in atoms of credit, ``max_locked`` in whole credits (0: no cap), times in seconds; rates by tier,
    newcomer first.

    The defaults are for development chains: short windows, small stakes.
    """

    proposers: Sequence[Address]
    treasury: Address
    guardian: Address
    committee: Sequence[Address]
    arbiters: Sequence[Address] = ()
    threshold: int = 2
    panel_size: int = 3
    timelock_delay_s: int = 2 * _DAY_S
    fee_bps: tuple[int, int, int, int] = (100, 80, 60, 40)
    bond_bps: tuple[int, int, int, int] = (2_000, 1_500, 1_000, 500)
    max_locked: tuple[int, int, int, int] = (0, 0, 0, 0)
    min_dispute_window_s: int = 1
    provider_stake: int = 10 * 10**18
    provider_unbonding_s: int = 60
    verifier_stake: int = 10 * 10**18
    verifier_rotation_s: int = 0
    verifier_unbonding_s: int = 60
    verifier_claim_window_s: int = 1
    arbiter_stake: int = 10 * 10**18
    arbiter_fee_per_seat: int = 10**17
    arbiter_penalty: int = 10**18
    arbiter_panel: int = 3
    arbiter_appeals: int = 1
    arbiter_commit_s: int = 600
    arbiter_reveal_s: int = 600
    arbiter_appeal_s: int = 300
    arbiter_execution_s: int = 300
    arbiter_unbonding_s: int = 600
    meta_evidence: str = "https://eips.ethereum.org/EIPS/eip-1497"
    court: Address | None = None
    """A court of ERC-792 that may be named as arbiter, by a ``CourtArbiter``."""
    court_extra_data: bytes = b""
    agent_registries: tuple[Address, Address] | None = None
    """ERC-8004's reputation and validation registries, to which settled jobs can be exported."""


@dataclass
class DeploymentResult:
    """Where everything is, and what each contract cost in gas."""

    deployments: Deployments
    file: Path
    gas: dict[str, int] = field(default_factory=dict)


def deploy_generation(
    chain: ChainConnection,
    sender: TransactionSender,
    plan: DeploymentPlan,
    folder: Path,
    progress: Progress = lambda _: None,
) -> DeploymentResult:
    """Deploy all contracts as a new generation of the chain and record it in ``folder``.

    Raises:
        ChainNotAllowed: not a development chain.
        ChainError: the endpoint or a transaction fails; nothing is recorded then.
    """
    chain_number = chain.rpc.chain_number()
    if chain_number not in DEVELOPMENT_CHAINS:
        raise ChainNotAllowed(
            f"this version deploys to development chains (31337 and 1337) only, and {chain.rpc.name} serves chain {chain_number}: "
            "start one with `anvil`, and name its URL"
        )
    known = _generations(folder, chain_number, chain)
    addresses: dict[str, Address] = {}
    receipts: dict[str, Receipt] = {}
    for name in _named(plan):
        progress(f"deploying {name}")
        arguments = _arguments(name, chain, sender, plan, addresses)
        code = str(chain.codec(name).constructor(*arguments).data_in_transaction)
        receipt = sender.send(None, code)
        if receipt.contract is None:
            raise ChainMisbehaved(f"{chain.rpc.name} names no address for {name}")
        addresses[name], receipts[name] = receipt.contract, receipt
    for name in _STEPS_TO_ESCROW:
        if chain.contract(name, addresses[name]).read("escrow") != addresses["JobEscrow"]:
            raise ChainMisbehaved(
                f"another transaction of the deployer came between {name} and JobEscrow; deploy again"
            )
    first = receipts[_ORDER[0]]
    generation = Generation(
        number=len(known) + 1,
        block=first.block_number,
        block_hash=first.block_hash,
        deployed_at=int(time.time()),
        contracts=addresses,
    )
    deployments = Deployments(chain_number, (*known, generation))
    file = write_deployments(folder, deployments)
    return DeploymentResult(deployments, file, {name: receipt.gas_used for name, receipt in receipts.items()})


def _named(plan: DeploymentPlan) -> tuple[str, ...]:
    optional = ((_WITH_COURT, plan.court), (_WITH_AGENTS, plan.agent_registries))
    return _ORDER + tuple(name for name, wanted in optional if wanted is not None)


def _generations(folder: Path, chain_number: int, chain: ChainConnection) -> tuple[Generation, ...]:
    """Generations that are still there: a development chain that was started anew has none."""
    try:
        known = read_deployments(folder, chain_number).generations
    except DeploymentMissing:
        return ()
    headers = ((generation, chain.rpc.header(generation.block)) for generation in known)
    return tuple(generation for generation, header in headers if header and header.hash == generation.block_hash)


def _arguments(
    name: str, chain: ChainConnection, sender: TransactionSender, plan: DeploymentPlan, at: dict[str, Address]
) -> list[Any]:
    match name:
        case "DevReserve":
            return []
        case "ComputeCredit":
            return [at["DevReserve"]]
        case "Timelock":
            return [plan.timelock_delay_s, list(plan.proposers), [ZERO_ADDRESS]]
        case "ProviderRegistry":
            entry = (plan.provider_stake, plan.provider_unbonding_s, True)
            return [at["ComputeCredit"], at["Timelock"], entry, _escrow_to_be(name, chain, sender)]
        case "CreditScores":
            return [_escrow_to_be(name, chain, sender)]
        case "JobEscrow":
            rates = (plan.fee_bps, plan.bond_bps, plan.max_locked, plan.min_dispute_window_s)
            parameters = (*rates, plan.treasury, plan.guardian)
            return [at["ComputeCredit"], at["ProviderRegistry"], at["Timelock"], parameters]
        case "Arbitration":
            arbitration = (
                plan.arbiter_stake,
                plan.arbiter_fee_per_seat,
                plan.arbiter_penalty,
                plan.arbiter_panel,
                plan.arbiter_appeals,
                plan.arbiter_commit_s,
                plan.arbiter_reveal_s,
                plan.arbiter_appeal_s,
                plan.arbiter_execution_s,
                plan.arbiter_unbonding_s,
            )
            return [at["JobEscrow"], at["Timelock"], arbitration, list(plan.arbiters), plan.meta_evidence]
        case "VerifierCommittee":
            rules = (
                plan.threshold,
                max(plan.panel_size, plan.threshold),
                plan.verifier_stake,
                plan.verifier_rotation_s,
                plan.verifier_unbonding_s,
                plan.verifier_claim_window_s,
                at["Arbitration"],
            )
            return [at["JobEscrow"], at["Timelock"], rules, list(plan.committee)]
        case "ERC8183Adapter":
            return [at["JobEscrow"]]
        case "CourtArbiter":
            return [at["JobEscrow"], plan.court, plan.court_extra_data, plan.meta_evidence]
        case "ERC8004Export":
            return [at["JobEscrow"], *(plan.agent_registries or ())]
    raise AssertionError(f"no plan for {name}")


def _escrow_to_be(name: str, chain: ChainConnection, sender: TransactionSender) -> Address:
    """Where the escrow will be, if ``name`` is deployed next and nothing comes between."""
    nonce = chain.rpc.quantity(chain.rpc.call("eth_getTransactionCount", sender.address, "latest"))
    return created_address(sender.address, nonce + _STEPS_TO_ESCROW[name])


def created_address(creator: Address, nonce: int) -> Address:
    """Where a CREATE of ``creator`` at ``nonce`` puts a contract (Ethereum yellow paper, equation 79)."""
    return address_from_bytes(keccak(rlp.encode([bytes.fromhex(creator[2:]), nonce]))[12:])
