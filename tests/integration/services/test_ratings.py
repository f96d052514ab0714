"""Ratings of hardware on a chain, over a node: a verifier challenges what a provider claims, measures, and signs. Without GPUs: processors.

a round
├── answered rightly: each attribute is signed, shown at the provider and its asks, and expires
├── answered with rows that were not computed: no rating
├── while a job holds the devices: the provider passes on it, and keeps its rating
└── of somebody whom no ask names: refused
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.ledger_on_chain import BUYER, OTHER_PROVIDER, PROVIDER, VERIFIER, LedgerOnChain, deploy_ledger
from tests.integration.services.conftest import node_on
from tests.integration.services.offers import offer
from tests.integration.waiting import wait

from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.domain.errors import NodeRefused, StatementExpired
from computility.domain.hardware_claim import Device, DeviceList
from computility.domain.rating import Rating, check_rating
from computility.domain.resource import parse_resource
from computility.execution.gpu.card import NoCards
from computility.execution.gpu.card_leases import CardLeases
from computility.services.claimed_devices import PROCESSORS, worker_on
from computility.services.node_client import NodeClient, NodeContentStore
from computility.services.provider_config import ProviderConfig
from computility.services.provider_role import agent_of
from computility.services.rated_provider import RatedProvider
from computility.services.rater import Rater, RaterSettings, RoundOutcome
from computility.verification.hardware_answer import GemmWorker
from computility.verification.integer_gemm import NumpyGemm

URN = "urn:computility:wasm:wasmtime:1x:1g:local:aurora:0001:mfuel"
TWO_URN = "urn:computility:cpu:x86-64:2x:1g:local:borealis:0001:cpu-s"
SMALL = RaterSettings(rows=128, size=256, answer_within_s=60.0)


class LazyGemm(NumpyGemm):
    """Leaves the last half of the rows out."""

    def multiply(self, left, right):  # type: ignore[no-untyped-def]  # as the one that it spoils
        """Half of the product."""
        product = super().multiply(left, right)
        product[len(product) // 2 :] = 0
        return product


class Market:
    """A chain that goes on, a node, and a provider's agent at work."""

    def __init__(self, ledger: LedgerOnChain, node: NodeClient, folder: Path) -> None:
        self.ledger, self.node, self.folder = ledger, node, folder
        self.provider, self.verifier = ledger.accounts[PROVIDER], ledger.accounts[VERIFIER]
        self.other = ledger.accounts[OTHER_PROVIDER]

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The provider serves."""
        config = ProviderConfig.model_validate(
            {
                "trust": {"verifiers": [self.verifier.address]},
                "work": {"held": str(self.folder / "held")},
                "offer": [{"kind": "wasm", "resource": URN, "price": "0.01"}],
            }
        )
        agent = agent_of(config, self.provider, self.node, None)
        stop = threading.Event()

        def pulse() -> None:
            while not stop.wait(0.5):
                self.ledger.mine()

        threads = [
            threading.Thread(target=agent.run, args=(stop,), daemon=True),
            threading.Thread(target=pulse, daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            wait(lambda: bool(self.node.asks(provider=self.provider.address)))
            wait(lambda: Rater(self.verifier, self.node)._claim(self.provider.address) is not None)
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    def rate_other(self, rated: RatedProvider) -> RoundOutcome:
        """A round with a provider whose side the test moves."""
        stop = threading.Event()

        def serve() -> None:
            while not stop.wait(0.1):
                rated.tick()

        rated.tick()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            return Rater(self.verifier, self.node, SMALL).rate(self.other.address)
        finally:
            stop.set()
            thread.join(30)

    def rated_other(self, leases: CardLeases, gemm: NumpyGemm) -> RatedProvider:
        """Two devices of the other provider."""
        devices = DeviceList(tuple(Device(TWO_URN, name, "a processor", 1 << 30) for name in ("one", "two")))
        return RatedProvider(
            self.other,
            self.node,
            NodeContentStore(self.node),
            devices,
            leases,
            lambda _: GemmWorker(gemm),
            lambda _: True,
        )


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder: Path = tmp_path_factory.mktemp("ratings")
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, folder / "deployments")
        with node_on(ledger, folder) as node:
            market = Market(ledger, node, folder)
            with market.at_work():
                yield market


@pytest.fixture
def trusted(market: Market, monkeypatch: pytest.MonkeyPatch) -> Market:
    """The other provider names the verifier in an ask, and a round may follow another at once."""
    monkeypatch.setattr("computility.services.rating_book.LEAST_BETWEEN_S", 0)
    offer(market.other, market.node, TWO_URN, [market.verifier.address])
    return market


def test_a_round_with_processors__is_signed_by_attribute__and_shown_until_it_expires(market: Market) -> None:
    outcome = Rater(market.verifier, market.node, SMALL).rate(market.provider.address)
    assert outcome.reason == "rows-hold"
    ratings = [statement.message for statement in outcome.ratings]
    assert all(isinstance(rating, Rating) for rating in ratings)
    measured = {rating.attribute: rating for rating in ratings if isinstance(rating, Rating)}
    assert set(measured) == {"int8-gemm", "memory-shown", "devices"}
    assert measured["int8-gemm"].value == 2 * 128 * 256 * 256 * 1_000 // (outcome.elapsed_ms * 10**6)
    assert measured["devices"].value == 1

    shown = market.node.provider(market.provider.address)["ratings"]
    assert {row["attribute"] for row in shown} == set(measured)
    (ask,) = market.node.asks(provider=market.provider.address)
    assert ask["rating_micro_cu"] == str(measured["int8-gemm"].value)

    statement, rating = outcome.ratings[0], ratings[0]
    assert isinstance(rating, Rating)
    assert rating.resource == parse_resource(URN).id
    domain = market.ledger.deployments.domain
    check_rating(rating, statement.signature, domain, rating.measured_at)
    with pytest.raises(StatementExpired):
        check_rating(rating, statement.signature, domain, rating.valid_until + 1)


def test_two_devices__are_challenged_together__and_one_that_leaves_rows_out_costs_the_rating(
    trusted: Market, tmp_path: Path
) -> None:
    leases = CardLeases(("one", "two"), tmp_path)
    honest = trusted.rate_other(trusted.rated_other(leases, NumpyGemm()))
    assert honest.reason == "rows-hold"
    assert {s.message.devices for s in honest.ratings if isinstance(s.message, Rating)} == {2}
    lazy = trusted.rate_other(trusted.rated_other(leases, LazyGemm()))
    assert lazy.reason == "product-wrong"
    assert lazy.ratings == ()


def test_a_job_that_holds_a_device__postpones_the_round__and_costs_no_rating(trusted: Market, tmp_path: Path) -> None:
    leases = CardLeases(("one", "two"), tmp_path)
    before = trusted.node.provider(trusted.other.address)["ratings"]
    with leases.all_of(("two",), "job 0x1"):
        outcome = trusted.rate_other(trusted.rated_other(leases, NumpyGemm()))
    assert (outcome.reason, outcome.ratings) == ("devices-busy", ())
    assert trusted.node.provider(trusted.other.address)["ratings"] == before


def test_somebody_whom_no_ask_names__may_not_challenge(market: Market) -> None:
    with pytest.raises(NodeRefused) as refused:
        Rater(market.ledger.accounts[BUYER], market.node, SMALL).rate(market.provider.address)
    assert refused.value.problem_code == "signer-mismatch"


def test_processors__are_multiplied_on_by_the_processor() -> None:
    assert worker_on(PROCESSORS, NoCards()).name == "numpy"
