"""From a provider's settings to its agent."""

from __future__ import annotations

import logging
import secrets
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Final

from computility.domain.content_id import content_id_of
from computility.domain.errors import ExecutorUnfit
from computility.domain.identifiers import ZERO_BYTES32, Address, bytes32, parse_address
from computility.domain.job_specification import InputFile, Limits
from computility.domain.quoting import ProviderPolicy
from computility.domain.statements import Ask
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.domain.units import parse_credits
from computility.execution.content_store import FileContentStore
from computility.execution.executor import AttemptId, Executor, Prepared
from computility.execution.executor_set import ExecutorSet, offer_what_holds
from computility.execution.gpu.card import NoCards
from computility.execution.gpu.card_leases import CardLeases
from computility.execution.gpu.nvml_cards import find_cards
from computility.execution.reader_key import ReaderKey
from computility.execution.sealed_executor import reading
from computility.services.ask_keeper import AskKeeper, KeptAsk
from computility.services.claimed_devices import claimed_devices, worker_on
from computility.services.committee_seat import CommitteeSeat
from computility.services.executor_makers import maker_of, name_of
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.payout_keeper import PayoutKeeper, PayoutPolicy
from computility.services.planted_results import planting
from computility.services.provider_agent import ProviderAgent, ProviderSettings
from computility.services.provider_config import ProviderConfig
from computility.services.provider_metrics import ProviderMetrics
from computility.services.rated_provider import RatedProvider
from computility.services.trading_account import TradingAccount

_log = logging.getLogger(__name__)

_MIB: Final = 1024**2
_EMPTY_PROGRAM: Final = bytes.fromhex("0061736d0100000001040160000003020100070a01065f737461727400000a040102000b")
"""A WebAssembly module whose ``_start`` does nothing."""


def executors_of(config: ProviderConfig, reader: ReaderKey | None = None) -> ExecutorSet:
    """What this machine offers of what the settings ask for: each made, and tested. With a reader key they take jobs that are sealed to it."""
    makers: dict[str, Callable[[], Executor]] = {}
    for offer in config.offer:
        makers.setdefault(name_of(offer), maker_of(config, offer))
    return reading(offer_what_holds(makers), reader)


def agent_of(config: ProviderConfig, account: TradingAccount, node: NodeClient, committee: str | None) -> ProviderAgent:
    """The agent that the settings describe.

    Raises:
        ExecutorUnfit: nothing of what it should offer works on this machine.
    """
    executors = executors_of(config, account.reader_key())
    for name, reason in executors.left_out.items():
        _log.warning("not offered: %s: %s", name, reason)
    if not executors:
        raise ExecutorUnfit(
            "nothing that the settings offer runs on this machine: look at `computility provider bench`"
        )
    if config.work.plant_for:
        executors = planting(executors, account, node, [parse_address(buyer) for buyer in config.work.plant_for])
    verifiers = config.verifiers or ((Address(committee),) if committee else ())
    metrics = ProviderMetrics()
    if config.metrics.port:
        metrics.serve(config.metrics.host, config.metrics.port)
    above = config.collect.withdraw_above
    agent: ProviderAgent
    cards = find_cards() if any(offer.gpus for offer in config.offer) else NoCards()
    devices = claimed_devices([offer for offer in config.offer if name_of(offer) in executors.names], cards)
    rated = None
    if devices is not None:
        rated = RatedProvider(
            account,
            node,
            NodeContentStore(node),
            devices,
            CardLeases(devices.ids),
            lambda device: worker_on(device, cards),
            lambda verifier: trusts(account, verifiers, verifier),
            lambda: not cards.found() and agent.runs_jobs,
        )
    agent = ProviderAgent(
        account,
        node,
        executors,
        ProviderPolicy(
            verifiers=verifiers,
            arbiters=config.arbiters,
            leases_by_buyers=config.trust.leases_by_buyers,
            attests=config.work.attests,
            deterministic=config.trust.deterministic,
            max_memory_bytes=config.max_memory_bytes,
            max_input_bytes=config.work.input_mib * _MIB,
            max_output_bytes=config.work.output_mib * _MIB,
        ),
        ProviderSettings(
            confirmations=config.connection.confirmations,
            parallel_jobs=config.work.parallel,
            patience_s=config.collect.patience_s,
            propose_before_end_s=config.collect.propose_before_end_s,
            # What was planted comes out wrong when it is run again, too.
            contest_fails=config.collect.contest_fails and not config.work.plant_for,
        ),
        asks=AskKeeper(account, node, kept_asks(config, executors, account.address, verifiers)),
        payouts=PayoutKeeper(
            account, PayoutPolicy(parse_credits(above) if above else None, parse_credits(config.collect.keep))
        ),
        metrics=metrics,
        held=FileContentStore(str(config.work.held.expanduser()), config.work.output_mib * _MIB),
        rated=rated,
    )
    return agent


def trusts(account: TradingAccount, verifiers: tuple[Address, ...], signer: Address) -> bool:
    """Whether a signer is an accepted verifier, or serves in an accepted committee."""
    if signer in verifiers:
        return True
    committee = account.ledger.contracts.get("VerifierCommittee")
    return committee in verifiers and signer in CommitteeSeat(account).members()


def kept_asks(
    config: ProviderConfig, executors: ExecutorSet, provider: Address, verifiers: tuple[Address, ...]
) -> list[KeptAsk]:
    """The asks of every offer whose executor holds."""
    return [
        KeptAsk(
            Ask(
                provider=provider,
                resource=offer.resource,
                environment=executors.names[name_of(offer)],
                unit_price=parse_credits(offer.price),
                min_units=offer.min_units,
                max_units=offer.max_units,
                bond_bps=offer.bond_bps,
                max_concurrent=offer.max_concurrent,
                verifiers=verifiers,
                arbiters=config.arbiters,
                dispute_window=offer.dispute_window_s,
                sla=ZERO_BYTES32,
                valid_until=0,
                nonce=0,
            ),
            offer.valid_for_s,
        )
        for offer in config.offer
        if name_of(offer) in executors.names
    ]


def least_job_ms(executor: Executor, runs: int) -> float:
    """Median milliseconds of a job that does nothing, from start to collected result."""
    has = executor.capabilities()
    if has.kind == "wasm":
        module = InputFile("empty.wasm", content_id_of(_EMPTY_PROGRAM), len(_EMPTY_PROGRAM))
        limits = Limits(fuel=1_000_000, memory_bytes=65_536, output_bytes=0, output_files=0)
        files: Mapping[str, bytes] = {module.path: _EMPTY_PROGRAM}
        specification = TaskSpecification("wasm", has.environment, (module,), (), (), limits, 0, ZERO_BYTES32)
    else:
        small = CommandLimits(10, 60, 64 * _MIB, _MIB, 8, _MIB, 8)
        files = {}
        specification = TaskSpecification(
            has.kind, has.environment, (), ("true",), (), small, 0, ZERO_BYTES32, image=has.image
        )
    times = []
    for _ in range(runs):
        attempt = AttemptId(bytes32(secrets.token_bytes(32)), 0)
        started = time.perf_counter()
        executor.start(attempt, Prepared(specification, files))
        executor.collect(attempt)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 2)
