"""Metered leases on a chain, over a node, in the sandbox: the provider meters, the buyer co-signs, and the last reading alone reaches the chain.

a lease
├── whose job ends by itself: is paid for the seconds of its last reading, in two transactions, and an auditor confirms it
├── whose buyer ends it: is paid for what was signed
├── whose buyer contests a reading: is paid for what was signed before
├── whose buyer falls silent: stops within one interval, and is paid for what was signed
└── whose provider falls silent: costs what was signed, and the rest comes back
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.execution.sandbox_bench import MIB, SEED, needs_bubblewrap
from tests.integration.ledger_on_chain import BUYER, PROVIDER, VERIFIER, LedgerOnChain, deploy_ledger
from tests.integration.services.conftest import node_on
from tests.integration.waiting import wait

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.domain.attestation import Attestation
from computility.domain.errors import ContractReverted
from computility.domain.identifiers import Bytes32
from computility.domain.job import JobState
from computility.domain.metered_lease import MeterReading
from computility.domain.statements import read_statement
from computility.domain.task_specification import CommandLimits, TaskSpecification
from computility.domain.terms import Terms
from computility.services.buyer import Buyer
from computility.services.lease_meter import readings_of
from computility.services.lease_replay import Meter
from computility.services.lease_watch import LeaseStatus, LeaseWatch
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.proof_builder import ProofBuilder
from computility.services.provider_agent import ProviderAgent
from computility.services.provider_config import ProviderConfig
from computility.services.provider_role import agent_of, executors_of
from computility.services.verdict_replay import Agreement, replay_verdicts

pytestmark = needs_bubblewrap

MOST_S = 200
INTERVAL_S = 16
"""Long enough that a loaded machine co-signs in time."""
LIMITS = CommandLimits(MOST_S, 250, 64 * MIB, MIB, 8, MIB, 8)
ENDLESS = ("sleep", "240")


class Lease:
    """A provider's agent at work, a lease that is open, and its buyer's hand."""

    def __init__(self, ledger: LedgerOnChain, node: NodeClient, folder: Path) -> None:
        self.ledger, self.node = ledger, node
        self.buyer, self.provider = ledger.accounts[BUYER], ledger.accounts[PROVIDER]
        self.config = ProviderConfig.model_validate(
            {
                # Not the buyer, who co-signs all the same.
                "trust": {"verifiers": [ledger.accounts[VERIFIER].address]},
                "work": {"held": str(folder / "held")},
                "collect": {"patience_s": 100_000, "propose_before_end_s": 1},
                "offer": [
                    {
                        "kind": "process",
                        "resource": "urn:computility:cpu:x86-64:1x:1g:local:aurora:0003:cpu-s",
                        "price": "0.01",
                        "max_units": MOST_S,
                        "dispute_window_s": 60,
                    }
                ],
            }
        )
        self._silent = threading.Event()
        self._agent: threading.Thread | None = None

    @contextlib.contextmanager
    def market(self) -> Iterator[None]:
        """The chain goes on, and whatever serves ends with it."""
        stop = threading.Event()

        def pulse() -> None:
            while not stop.wait(1.0):
                self.ledger.mine()

        pulsing = threading.Thread(target=pulse, daemon=True)
        pulsing.start()
        try:
            yield
        finally:
            stop.set()
            pulsing.join(30)
            self.fall_silent()

    def serve(self) -> None:
        """Have the provider serve, anew where it fell silent."""
        if self._agent is not None and not self._silent.is_set():
            return
        self.fall_silent()
        self._silent = threading.Event()
        agent: ProviderAgent = agent_of(self.config, self.provider, self.node, None)
        self._agent = threading.Thread(target=agent.run, args=(self._silent,), daemon=True)
        self._agent.start()
        wait(lambda: bool(self.node.asks(provider=self.provider.address)))

    def fall_silent(self) -> None:
        """End the provider's agent, and wait until it has ended."""
        self._silent.set()
        if self._agent is not None:
            self._agent.join(30)

    def open(self, command: tuple[str, ...], interval_s: int) -> Bytes32:
        """Lease the provider for a command, the buyer being the verifier."""
        buyer = Buyer(self.buyer, self.node)
        offer = buyer.offers()[0]
        policy = {"method": "lease-heartbeat", "interval_s": interval_s}
        specification = TaskSpecification(
            "process", offer.ask.environment, (), command, (), LIMITS, 0, SEED, verification=policy
        )
        self.node.put_content(specification.to_bytes())
        quoted = buyer.request_quote(offer, specification, verifier=self.buyer.address, max_units=MOST_S)
        buyer.open(quoted)
        wait(lambda: bool(self.node.job(quoted.job)))
        return quoted.job

    def readings(self, job: Bytes32) -> list[MeterReading]:
        """The meter."""
        found = [statement.message for statement in readings_of(self.node, self.buyer, job)]
        return [message for message in found if isinstance(message, MeterReading)]

    def signed(self, job: Bytes32) -> list[int]:
        """The units of each of the buyer's words, in the order of arrival."""
        rows = self.node.attestations(job)["items"]
        return [Attestation.from_json(row["message"]).units for row in rows]

    def audited(self, job: Bytes32) -> list[tuple[Agreement, str]]:
        """What an auditor makes of each of the buyer's words that reached the chain."""
        domain = self.ledger.deployments.domain
        _, trade = ProofBuilder(ChainConnection(self.ledger.rpc), self.ledger.deployments).build(job)
        found = replay_verdicts(
            trade,
            executors_of(self.config),
            NodeContentStore(self.node),
            lambda _: None,
            meter=Meter(
                lambda wanted: readings_of(self.node, self.buyer, wanted),
                lambda wanted: [read_statement(row, domain) for row in self.node.meter_contests(wanted)],
            ),
        )
        return [(verdict.agreement, verdict.reason) for verdict in found]

    def service(self) -> tuple[int, int, int]:
        """How many leases of the provider the node has seen, how many were contested, and how many never began."""
        found = self.node.lease_service(self.provider.address)
        return found["leases"], found["contested"], found["never_began"]

    def closed(self, job: Bytes32) -> dict[str, str]:
        """The job's row, once it is closed, whatever windows have to pass."""

        def over() -> bool:
            on_chain = self.buyer.job(job)
            if on_chain.state is JobState.PENDING and self.buyer.chain_time() <= on_chain.deadline:
                self.ledger.pass_time(61)
            if on_chain.state is JobState.PENDING and self.buyer.chain_time() > on_chain.deadline:
                with contextlib.suppress(ContractReverted):
                    self.buyer.finalize(Terms.from_json(self.node.job(job)["terms"]))
            return str(self.node.job(job)["state"]) == "closed"

        wait(over)
        return dict(self.node.job(job))


def watch(lease: LeaseWatch, until: Callable[[LeaseStatus], bool]) -> LeaseStatus:
    """Step until the lease is as wanted."""
    last: list[LeaseStatus] = []

    def reached() -> bool:
        last[:] = [lease.step()]
        return until(last[0])

    wait(reached)
    return last[0]


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lease]:
    """One market for all, as it takes seconds to set up."""
    folder: Path = tmp_path_factory.mktemp("leases")
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, folder / "deployments")
        with node_on(ledger, folder) as node:
            market = Lease(ledger, node, folder)
            with market.market():
                yield market


@pytest.fixture
def lease(market: Lease) -> Lease:
    """The market with a provider that serves: each test has a lease of its own, and may end the provider."""
    market.serve()
    return market


def test_a_lease_whose_job_ends__is_paid_by_its_last_reading__in_two_transactions__and_an_auditor_confirms_it(
    lease: Lease,
) -> None:
    job = lease.open(("sh", "-c", "sleep 7; echo done"), interval_s=INTERVAL_S)
    watch(LeaseWatch(lease.buyer, lease.node, job), lambda status: status.over)
    row = lease.closed(job)
    readings = lease.readings(job)
    assert len(readings) >= 2
    assert readings[-1].is_last
    assert (row["outcome"], row["closed_by"], int(row["units"])) == ("pass", "attested", readings[-1].units)
    assert len({event["tx_hash"] for event in lease.node.job_events(job)}) == 2
    _, outputs = Buyer(lease.buyer, lease.node).outputs(Bytes32(row["result"]))
    assert outputs["stdout"] == b"done\n"

    assert lease.audited(job) == [(Agreement.CONFIRMED, "same-evidence")]


def test_a_buyer_who_ends_a_lease__pays_for_what_it_signed(lease: Lease) -> None:
    job = lease.open(ENDLESS, interval_s=INTERVAL_S)
    watching = LeaseWatch(lease.buyer, lease.node, job)
    signed = watch(watching, lambda status: status.signed > 0).signed
    watching.end()
    row = lease.closed(job)
    assert (row["outcome"], int(row["units"])) == ("pass", signed)
    assert lease.audited(job) == [(Agreement.CONFIRMED, "meter-holds")]


def test_a_buyer_who_contests_a_reading__pays_for_what_it_signed_before(lease: Lease) -> None:
    leases, contested, _ = lease.service()
    job = lease.open(ENDLESS, interval_s=INTERVAL_S)
    watching = LeaseWatch(lease.buyer, lease.node, job)
    signed = watch(watching, lambda status: status.signed > 0).signed
    # A watch that began this very moment has seen no time pass for what the meter claims.
    doubting = LeaseWatch(lease.buyer, lease.node, job)
    doubting._began_ms = int(time.time() * 1000)
    status = watch(doubting, lambda status: status.contested is not None)
    assert status.contested in ("clock-fell", "faster-than-time")
    row = lease.closed(job)
    assert (row["outcome"], int(row["units"])) == ("claim", signed)
    assert lease.node.meter_contests(job)[0]["message"]["reason"] == status.contested
    assert lease.service() == (leases + 1, contested + 1, 0)
    # This buyer's second thought is about what it had signed for already, and an auditor says so.
    assert lease.audited(job) == [(Agreement.CONTRADICTED, "co-signed-what-it-contested")]


def test_a_buyer_who_falls_silent__has_the_lease_stop_within_an_interval(lease: Lease) -> None:
    job = lease.open(ENDLESS, interval_s=INTERVAL_S)
    signed = watch(LeaseWatch(lease.buyer, lease.node, job), lambda status: status.signed > 0).signed
    row = lease.closed(job)
    assert lease.audited(job) == [(Agreement.CONFIRMED, "meter-holds")]
    assert int(row["units"]) == signed == max(lease.signed(job))
    assert max(reading.units for reading in lease.readings(job)) - signed <= INTERVAL_S
    assert int(row["bond_returned"]) > 0


def test_a_provider_that_falls_silent__costs_no_more_than_what_was_signed(lease: Lease) -> None:
    leases, contested, _ = lease.service()
    job = lease.open(ENDLESS, interval_s=INTERVAL_S)
    watching = LeaseWatch(lease.buyer, lease.node, job)
    signed = watch(watching, lambda status: status.signed > 0).signed
    lease.fall_silent()
    signed = watch(watching, lambda status: status.silent).signed
    watching.end()
    watch(watching, lambda _: lease.buyer.job(job).state is JobState.PENDING)
    row = lease.closed(job)
    assert int(row["units"]) == signed
    assert int(row["refund"]) == (MOST_S - signed) * 10**16
    # What the meters of all of its leases add up to, this one's silence included.
    assert lease.service() == (leases + 1, contested, 0)
    service = lease.node.lease_service(lease.provider.address)
    assert 0 <= service["start_latency_ms"] <= service["longest_start_latency_ms"]
    assert 0 < service["uptime_bps"] <= 10_000
