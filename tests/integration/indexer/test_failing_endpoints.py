"""Endpoints that fail, stall, refuse or disagree: each is survived or said, once, and the store ends as with an endpoint that never failed."""

from __future__ import annotations

import itertools
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.integration.distorting_endpoint import distorted
from tests.integration.faulty_endpoint import TRICKLES, Fault, faulty
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger, index_all, rows_of

from computility.chain.endpoint import ChainEndpoint
from computility.chain.local_chain import LocalChain
from computility.chain.rpc import RpcClient
from computility.domain.errors import (
    ChainError,
    ChainMisbehaved,
    ChainSilent,
    ChainUnavailable,
    EndpointsDisagree,
    RpcRefused,
)
from computility.services.indexer import Indexer
from computility.store.blocks import CursorRow
from computility.store.engine import Database, open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow


@pytest.fixture(scope="module")
def traded(own_anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with a few trades and some blocks above them."""
    ledger = deploy_ledger(own_anvil, tmp_path_factory.mktemp("deployments"))
    ledger.attest(ledger.open())
    ledger.open()
    ledger.mine(8)
    return ledger


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def truth(traded: LedgerOnChain, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The rows of a store that was indexed without any failure."""
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('truth')}/node.sqlite")
    index_all(Indexer(traded.rpc, opened, traded.deployments))
    rows = [rows_of(opened, table) for table in (JobRow, BlockLogsRow)]
    opened.close()
    return rows


def assert_true(database: Database, truth: list[Any]) -> None:
    assert [rows_of(database, table) for table in (JobRow, BlockLogsRow)] == truth


def persist(indexer: Indexer) -> None:
    """Step on, over failures, as ``run`` does but without its pauses."""
    for _ in range(60):
        try:
            if not indexer.step():
                return
        except ChainError:
            continue
    raise AssertionError("it never came to the head")


NO_UPSTREAM = "http://127.0.0.1:1"
TOO_MANY = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32005, "message": "query returned more than 10000 results"}}
).encode()
FAULTS = {
    "429": Fault(429, b"slow down"),
    "429 in JSON": Fault(429, b'{"error": "rate limit"}'),
    "500": Fault(500, b"<html>oops</html>"),
    "503": Fault(503, b""),
    "truncated JSON": Fault(body=b'[{"jsonrpc":"2.0","id":1,"result":"0x'),
    "an answer that breaks off": Fault(keep=40),
    "no JSON": Fault(body=b"hello"),
    "JSON that is no text": Fault(body=b'[{"jsonrpc":"2.0","id":1,"result":{"number":"\xff"}}]'),
    "an error that is no text": Fault(body=b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"\xff"}}'),
    "JSON nested without end": Fault(body=b'[{"jsonrpc":"2.0","id":1,"result":' + b"[" * 100_000),
    "a batch refused as one": Fault(body=TOO_MANY),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fourth_answer_fails__and_the_store_is_as_without(
    traded: LedgerOnChain, database: Database, truth: list[Any], fault: str
) -> None:
    requests = itertools.count()
    with faulty(traded.rpc.url, lambda _: FAULTS[fault] if next(requests) % 4 == 1 else None) as url:
        persist(Indexer(RpcClient(url), database, traded.deployments, most_blocks=8))
    assert_true(database, truth)


def test_an_endpoint_that_hangs__is_given_up_and_another_asked(
    traded: LedgerOnChain, database: Database, truth: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with faulty(traded.rpc.url, lambda _: Fault(silent=True)) as hanging:
        alone = Indexer(RpcClient(hanging), database, traded.deployments, timeout_s=0.3)
        with pytest.raises(ChainUnavailable, match=r"within 0\.3 s"):
            alone.step()
        caplog.clear()
        both = Indexer(RpcClient(hanging), database, traded.deployments, more_endpoints=[traded.rpc.url], timeout_s=0.3)
        index_all(both)
    assert_true(database, truth)
    assert len([record for record in caplog.records if "asking another endpoint" in record.message]) == 1


def test_an_endpoint_that_hangs_at_logs_alone__is_asked_once_and_not_for_fewer_where_there_is_another(
    traded: LedgerOnChain, database: Database, truth: list[Any]
) -> None:
    asked = 0

    def hang_at_logs(calls: list[dict[str, Any]]) -> Fault | None:
        nonlocal asked
        at_logs = any(call["method"] == "eth_getLogs" for call in calls)
        asked += at_logs
        return Fault(silent=True) if at_logs else None

    # The first block comes by itself, and cannot be halved.
    Indexer(traded.rpc, database, traded.deployments).step()
    with faulty(traded.rpc.url, hang_at_logs) as url:
        index_all(Indexer(RpcClient(url), database, traded.deployments, more_endpoints=[traded.rpc.url], timeout_s=0.5))
    assert_true(database, truth)
    assert asked == 1


@pytest.mark.parametrize("part", TRICKLES)
def test_an_answer_that_trickles_in__takes_no_longer_than_the_call_may(traded: LedgerOnChain, part: str) -> None:
    # A header may have 65,536 bytes, at one in 20 ms: without a limit of the whole call this lasts longer than a test may.
    with (
        faulty(traded.rpc.url, lambda _: Fault(trickle=part)) as trickling,
        pytest.raises(ChainSilent, match=r"within 0\.3 s"),
    ):
        ChainEndpoint(trickling, timeout_s=0.3).call("eth_blockNumber")


KEY = "c0ffee00c0ffee00"


@pytest.mark.parametrize("where", [f"/v3/{KEY}", f"/rpc?key={KEY}"])
def test_an_endpoints_own_words__show_no_key_and_stay_in_their_line(where: str) -> None:
    said = {"code": -32000, "message": f"project {KEY}\n2026-11-27 ERROR is over its limit\x1b[2J"}
    refused = Fault(body=json.dumps({"jsonrpc": "2.0", "id": 1, "error": said}).encode())
    with faulty(NO_UPSTREAM, lambda _: refused) as url:
        for ask in (ChainEndpoint(url + where).call, RpcClient(url + where).call):
            with pytest.raises(RpcRefused, match="is over its limit") as told:
                ask("eth_blockNumber")
            assert KEY not in str(told.value)
            assert str(told.value).isprintable()


def test_an_endpoint_that_ends_each_connection__is_asked_over_new_ones(traded: LedgerOnChain) -> None:
    # It speaks HTTP/1.0.
    with distorted(traded.rpc.url) as closing:
        endpoint = ChainEndpoint(closing)
        assert len({bytes(endpoint.call("eth_chainId")) for _ in range(3)}) == 1


def echo(call: dict[str, Any]) -> Fault:
    return Fault(body=json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": call["params"][0]}).encode())


def test_threads_that_share_an_endpoint__each_get_their_own_answers() -> None:
    asked = [hex(number) for number in range(200)]
    with faulty(NO_UPSTREAM, lambda calls: echo(calls[0])) as url, ThreadPoolExecutor(8) as threads:
        endpoint = ChainEndpoint(url)
        answers = list(threads.map(lambda word: bytes(endpoint.call("echo", word)), asked))
    assert answers == [f'"{word}"'.encode() for word in asked]


def test_an_answer_to_the_call_of_another_thread__is_refused_by_both() -> None:
    arrived: dict[str, dict[str, Any]] = {}
    both = threading.Barrier(2, timeout=60)

    def swapped(calls: list[dict[str, Any]]) -> Fault:
        word = calls[0]["params"][0]
        arrived[word] = calls[0]
        both.wait()
        return echo(arrived["0x2" if word == "0x1" else "0x1"])

    with faulty(NO_UPSTREAM, swapped) as url, ThreadPoolExecutor(2) as threads:
        endpoint = ChainEndpoint(url, timeout_s=60)
        for answer in [threads.submit(endpoint.call, "echo", word) for word in ("0x1", "0x2")]:
            with pytest.raises(ChainMisbehaved, match="no answer to the call"):
                answer.result()


def test_too_many_results__are_asked_for_in_smaller_ranges(
    traded: LedgerOnChain, database: Database, truth: list[Any]
) -> None:
    asked: list[int] = []

    def refuse_wide(calls: list[dict[str, Any]]) -> Fault | None:
        for call in calls:
            if call["method"] == "eth_getLogs":
                width = int(call["params"][0]["toBlock"], 16) - int(call["params"][0]["fromBlock"], 16) + 1
                asked.append(width)
                if width > 3:
                    return Fault(body=TOO_MANY)
        return None

    with faulty(traded.rpc.url, refuse_wide) as url:
        index_all(Indexer(RpcClient(url), database, traded.deployments))
    assert_true(database, truth)
    assert max(asked) > 3
    assert min(asked) <= 3


def reversed_logs(method: str, result: Any) -> Any:
    return result[::-1] if method == "eth_getLogs" else result


def test_logs_out_of_order__are_put_in_order(traded: LedgerOnChain, database: Database, truth: list[Any]) -> None:
    with distorted(traded.rpc.url, reversed_logs) as url:
        index_all(Indexer(RpcClient(url), database, traded.deployments))
    assert_true(database, truth)


def test_a_head_that_moves_backwards__takes_nothing_back(
    traded: LedgerOnChain, database: Database, truth: list[Any]
) -> None:
    index_all(Indexer(traded.rpc, database, traded.deployments))

    def backwards(method: str, result: Any) -> Any:
        return hex(int(result, 16) - 5) if method == "eth_blockNumber" else result

    with distorted(traded.rpc.url, backwards) as url:
        assert Indexer(RpcClient(url), database, traded.deployments).step() is False
    assert_true(database, truth)


def another_hash(number: int) -> Callable[[str, Any], Any]:
    def change(method: str, result: Any) -> Any:
        if method == "eth_getBlockByNumber" and result and int(result["number"], 16) >= number:
            return {**result, "hash": "0x" + "ee" * 32}
        return result

    return change


def test_two_endpoints_that_disagree_on_a_final_block__take_nothing_in(
    traded: LedgerOnChain, database: Database, truth: list[Any]
) -> None:
    first = traded.deployments.generations[0].block
    with distorted(traded.rpc.url, another_hash(first + 1)) as url:
        indexer = Indexer(traded.rpc, database, traded.deployments, more_endpoints=[url])
        indexer.step()
        before = rows_of(database, CursorRow)
        with pytest.raises(EndpointsDisagree, match="remove it"):
            indexer.step()
        assert rows_of(database, CursorRow) == before
        # A third one makes a majority.
        index_all(
            Indexer(
                traded.rpc,
                database,
                traded.deployments,
                more_endpoints=[url, traded.rpc.url.replace("127.0.0.1", "localhost")],
            )
        )
    assert_true(database, truth)


def test_receipts_of_another_block__prove_nothing(traded: LedgerOnChain, database: Database) -> None:
    def other_root(method: str, result: Any) -> Any:
        if method == "eth_getBlockByNumber" and result:
            return {**result, "receiptsRoot": "0x" + "ab" * 32}
        return result

    with distorted(traded.rpc.url, other_root) as url:
        indexer = Indexer(RpcClient(url), database, traded.deployments)
        index_all(indexer)
        with pytest.raises(ChainMisbehaved, match="does not hash"):
            indexer.seal()
    cursor = rows_of(database, CursorRow)[0]
    assert cursor["sealed"] < cursor["final"]
