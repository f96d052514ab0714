"""Endpoints that differ on the newest blocks are noticed, told of once and counted; neither that nor a reorganisation or lag stops the indexer.

Branches: nobody differs; one differs once (a fork that passes); twice in a row (told, once); agrees again (told); lags; is silent; the block
taken in was orphaned everywhere; all differ.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.distorting_endpoint import distorted
from tests.integration.indexer.test_failing_endpoints import another_hash
from tests.integration.ledger_on_chain import LedgerOnChain, rows_of
from tests.integration.waiting import wait

from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.services.indexer import Indexer
from computility.services.tip_agreement import TipAgreement
from computility.store.blocks import CursorRow
from computility.store.engine import Database, open_database

LOGGER = "computility.services.tip_agreement"
OTHER = "0x" + "ee" * 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


class Noted:
    """What the metrics would be told, and a way to switch a distortion on."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.lies = True

    def differs(self, name: str, differs: bool) -> None:
        self.told.append((name, differs))

    def if_lying(self, distort: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
        return lambda method, result: distort(method, result) if self.lies else result


def agreement(noted: Noted, ledger: LedgerOnChain, *urls: str) -> TipAgreement:
    endpoints = [ChainEndpoint(url, timeout_s=2.0) for url in (ledger.rpc.url, *urls)]
    return TipAgreement(EndpointPool(endpoints, ledger.deployments.chain_number), noted.differs)


def newest(ledger: LedgerOnChain) -> tuple[int, str]:
    header = ledger.rpc.header("latest")
    assert header is not None
    return header.number, header.hash


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.levelname for record in caplog.records if record.name == LOGGER]


def test_an_endpoint_that_differs_at_two_blocks_in_a_row__is_told_of_once__until_it_agrees_again(
    ledger: LedgerOnChain, caplog: pytest.LogCaptureFixture
) -> None:
    noted = Noted()
    with caplog.at_level(logging.INFO, LOGGER), distorted(ledger.rpc.url, noted.if_lying(another_hash(0))) as url:
        compared = agreement(noted, ledger, url)
        name = ChainEndpoint(url).name
        assert compared.check(*newest(ledger)) == (name,)
        assert said(caplog) == []  # a fork that may pass
        for _ in range(3):
            ledger.mine()
            assert compared.check(*newest(ledger)) == (name,)
        assert said(caplog) == ["WARNING"]
        assert "follows another fork, or one of the endpoints is wrong" in caplog.text
        noted.lies = False
        assert compared.check(*newest(ledger)) == ()
        assert said(caplog) == ["WARNING", "INFO"]
        noted.lies = True
        for _ in range(2):
            ledger.mine()
            compared.check(*newest(ledger))
        assert said(caplog) == ["WARNING", "INFO", "WARNING"]
    assert [differs for each, differs in noted.told if each == name] == [True] * 4 + [False] + [True] * 2
    assert not any(differs for each, differs in noted.told if each != name)


def test_endpoints_that_agree__lag_or_are_silent__do_not_differ(
    ledger: LedgerOnChain, caplog: pytest.LogCaptureFixture
) -> None:
    number, block_hash = newest(ledger)

    def lags(method: str, result: Any) -> Any:
        return None if method == "eth_getBlockByNumber" else result

    noted = Noted()
    with distorted(ledger.rpc.url, lags) as lagging:
        compared = agreement(noted, ledger, lagging, "http://127.0.0.1:9")
        assert compared.check(number, block_hash) == ()
    assert noted.told == [(ChainEndpoint(ledger.rpc.url).name, False)]
    assert said(caplog) == []


def test_a_block_that_was_orphaned_everywhere__is_no_difference(ledger: LedgerOnChain) -> None:
    noted = Noted()
    compared = agreement(noted, ledger, ledger.rpc.url.replace("127.0.0.1", "localhost"))
    assert compared.check(newest(ledger)[0], "0x" + "cd" * 32) == ()
    assert noted.told == []


def test_endpoints_that_all_have_another_block__differ(ledger: LedgerOnChain) -> None:
    with distorted(ledger.rpc.url, another_hash(0)) as url:
        assert len(agreement(Noted(), ledger, url).check(newest(ledger)[0], "0x" + "cd" * 32)) == 2


def test_one_endpoint_alone__is_compared_with_nobody(ledger: LedgerOnChain) -> None:
    assert not agreement(Noted(), ledger).is_needed
    assert agreement(Noted(), ledger, ledger.rpc.url).is_needed


def test_an_indexer_at_the_tip__goes_on__and_shows_the_difference_in_its_metrics(
    ledger: LedgerOnChain, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    tip = ledger.rpc.block_number()
    # Of blocks that nobody calls final while this test lasts.
    with caplog.at_level(logging.INFO, LOGGER), distorted(ledger.rpc.url, another_hash(tip + 1)) as url:
        indexer = Indexer(
            ledger.rpc, database, ledger.deployments, more_endpoints=[url], poll_interval_s=0.05, finality_depth=1_000
        )
        name, stop = ChainEndpoint(url).name, threading.Event()
        thread = threading.Thread(target=indexer.run, args=(stop,))
        thread.start()
        try:
            for wanted in (1.0, 2.0, 3.0):
                ledger.mine()
                wait(lambda wanted=wanted: (counted(indexer, "differences_total", name) or 0) >= wanted)
            assert counted(indexer, "endpoint_differs", name) == 1.0
            assert counted(indexer, "endpoint_differs", ChainEndpoint(ledger.rpc.url).name) == 0.0
            wait(lambda: rows_of(database, CursorRow)[0]["number"] == tip + 3)
        finally:
            stop.set()
            thread.join(30)
    assert said(caplog) == ["WARNING"]


def counted(indexer: Indexer, name: str, endpoint: str) -> float | None:
    return indexer.metrics.registry.get_sample_value(f"computility_rpc_{name}", {"endpoint": endpoint})
