"""An endpoint that lies, or is caught in the middle of a reorganisation, changes nothing in the store; the truth afterwards is taken in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.distorting_endpoint import distorted
from tests.integration.ledger_on_chain import LedgerOnChain, index_all, rows_of

from computility.chain.receipt_trie import encode_header
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainError, ChainMisbehaved, ChainReplaced, WrongChain
from computility.domain.events import Event, JobAttested, JobClosed
from computility.domain.keccak import keccak256
from computility.domain.statistics import DAY_S
from computility.services.indexer import Indexer
from computility.store.accounts import AccountRow
from computility.store.blocks import BlockRow, CursorRow
from computility.store.engine import Database, open_database
from computility.store.jobs import JobRow
from computility.store.raw_logs import BlockLogsRow
from computility.store.statistics import StatisticsRow

FOREIGN = "0x" + "11" * 20
OTHER_HASH = "0x" + "ee" * 32
Distort = Callable[[str, Any], Any]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def logs(change: Callable[[list[dict[str, Any]]], Any]) -> Distort:
    """Distort the logs, where there are any."""
    return lambda method, result: change(result) if method == "eth_getLogs" and result else result


def headers(change: Callable[[dict[str, Any]], Any]) -> Distort:
    """Distort headers."""
    return lambda method, result: change(result) if method == "eth_getBlockByNumber" and result else result


LIES: dict[str, Distort] = {
    "a log of a foreign contract": logs(lambda found: [*found, {**found[0], "address": FOREIGN, "logIndex": "0x63"}]),
    "a log of a block that is not on the chain": logs(
        lambda found: [{**found[0], "blockHash": OTHER_HASH}, *found[1:]]
    ),
    "one log twice": logs(lambda found: [*found, found[0]]),
    "a removed log": logs(lambda found: [{**found[0], "removed": True}, *found[1:]]),
    "logs cut short": logs(lambda found: [{**entry, "data": entry["data"][:-64]} for entry in found]),
    "a log whose word is too wide": logs(
        lambda found: [{**entry, "data": "0x" + "ff" * 32 + entry["data"][66:]} for entry in found]
    ),
    "logs that lack a topic": logs(lambda found: [{**entry, "topics": entry["topics"][:-1]} for entry in found]),
    "logs with a topic too many": logs(
        lambda found: [{**entry, "topics": [*entry["topics"], OTHER_HASH]} for entry in found]
    ),
    "logs that are no list": logs(lambda found: {"logs": found}),
    "logs out of nowhere": logs(lambda found: [{"hello": "there"}]),
    "a header of another block": headers(lambda header: {**header, "number": hex(int(header["number"], 16) + 1)}),
    "a header without a parent": headers(lambda header: {**header, "parentHash": None}),
    "a header that follows no other": headers(lambda header: {**header, "parentHash": OTHER_HASH}),
    "a header whose hash is none": headers(lambda header: {**header, "hash": "0xnothex"}),
    "a header whose hash is too short": headers(lambda header: {**header, "hash": header["hash"][:-2]}),
    "a header whose number is none": headers(lambda header: {**header, "number": "0xzz"}),
    "a header whose number is below zero": headers(lambda header: {**header, "number": "-0x1"}),
    "a header whose time fits no column": headers(lambda header: {**header, "timestamp": "0x" + "f" * 17}),
    "a header whose time no contract could hold": headers(lambda header: {**header, "timestamp": hex(1 << 40)}),
    "no header": lambda method, result: None if method == "eth_getBlockByNumber" else result,
    "a head below zero": lambda method, result: "-0x5" if method == "eth_blockNumber" else result,
    "a head that is no number": lambda method, result: "soon" if method == "eth_blockNumber" else result,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie__changes_nothing_and_the_truth_is_taken_in_afterwards(
    ledger: LedgerOnChain, database: Database, lie: str
) -> None:
    truthful = Indexer(ledger.rpc, database, ledger.deployments)
    truthful.step()
    ledger.attest(ledger.open())
    before = [rows_of(database, table) for table in (CursorRow, JobRow, BlockLogsRow)]
    with distorted(ledger.rpc.url, LIES[lie]) as url, pytest.raises(ChainError) as told:
        Indexer(RpcClient(url), database, ledger.deployments).step()
    assert isinstance(told.value, ChainMisbehaved | ChainReplaced)
    assert [rows_of(database, table) for table in (CursorRow, JobRow, BlockLogsRow)] == before
    index_all(truthful)
    assert [row["state"] for row in rows_of(database, JobRow)] == [4]


def without_the_last(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return found[:-1]


def of_another_name(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**found[0], "topics": [OTHER_HASH, *found[0]["topics"][1:]]}, *found[1:]]


def of_another_amount(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**found[0], "data": found[0]["data"][:-1] + ("1" if found[0]["data"][-1] == "0" else "0")}, *found[1:]]


def of_another_transaction(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**found[0], "transactionHash": OTHER_HASH}, *found[1:]]


@pytest.mark.parametrize("lie", [without_the_last, of_another_name, of_another_amount, of_another_transaction])
def test_a_lie_that_looks_like_the_truth__is_found_before_a_row_is_final_and_put_right(
    ledger: LedgerOnChain, database: Database, lie: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
) -> None:
    ledger.attest(ledger.open())
    ledger.mine(6)
    last_trade = hex(ledger.rpc.block_number() - 6)

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lied_of = [each for each in found if each["blockNumber"] == last_trade]
        return [each for each in found if each not in lied_of] + (lie(lied_of) if lied_of else [])

    truthful = open_database(f"sqlite:///{database.engine.url.database}.true")
    index_all(Indexer(ledger.rpc, truthful, ledger.deployments))
    with distorted(ledger.rpc.url, logs(change)) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments)
        index_all(indexer)
        assert rows_of(database, BlockLogsRow) != rows_of(truthful, BlockLogsRow)
        while indexer.seal():
            index_all(indexer)
    cursor = rows_of(database, CursorRow)[0]
    assert cursor["sealed"] == cursor["final"] >= int(last_trade, 16)
    for table in (JobRow, BlockLogsRow):
        assert rows_of(database, table) == rows_of(truthful, table)
    truthful.close()


def persist(indexer: Indexer) -> None:
    """Step on, over failures, as ``run`` does but without its pauses."""
    for _ in range(40):
        try:
            if not indexer.step():
                return
        except (ChainError, ValueError):
            continue
    raise AssertionError("it never came to the head")


@pytest.mark.parametrize("blocks_above", [0, 20, 200])
def test_events_that_follow_from_one_that_was_withheld__are_folded_once_it_was_read_by_its_receipts(
    ledger: LedgerOnChain, database: Database, blocks_above: int
) -> None:
    # As of an endpoint that knows a block before its logs. With many blocks above, that is called final when it is noticed.
    terms = ledger.open()
    opened = hex(ledger.rpc.block_number())
    asked: list[str] = []

    def lie(call: dict[str, Any], result: Any) -> Any:
        asked.append(call["method"])
        if call["method"] != "eth_getLogs":
            return result
        return [each for each in result if each["blockNumber"] != opened]

    with distorted(ledger.rpc.url, distort_call=lie) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments)
        ledger.mine(blocks_above)
        index_all(indexer)
        assert rows_of(database, JobRow) == []
        ledger.attest(terms)
        persist(indexer)
        ledger.mine(10)
        asked.clear()
        index_all(indexer)
    # What comes above is believed again, until its proof.
    assert "eth_getLogs" in asked
    truthful = open_database(f"sqlite:///{database.engine.url.database}.true")
    index_all(Indexer(ledger.rpc, truthful, ledger.deployments))
    for table in (JobRow, BlockLogsRow, AccountRow, StatisticsRow):
        assert rows_of(database, table) == rows_of(truthful, table)
    truthful.close()


@pytest.mark.parametrize("event", [JobAttested, JobClosed])
def test_an_outcome_that_no_job_has__is_read_again_by_its_receipts(
    ledger: LedgerOnChain, database: Database, event: type[Event]
) -> None:
    ledger.trade_in_every_way()
    names = [field.name for field in event.EVENT.data]
    at = 2 + 64 * (names.index("outcome") + 1)

    def change(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**each, "data": each["data"][: at - 2] + "c8" + each["data"][at:]} if each["topics"][0] == event.EVENT.topic else each
            for each in found
        ]  # fmt: skip

    with distorted(ledger.rpc.url, logs(change)) as url:
        persist(Indexer(RpcClient(url), database, ledger.deployments))
    truthful = open_database(f"sqlite:///{database.engine.url.database}.true")
    index_all(Indexer(ledger.rpc, truthful, ledger.deployments))
    assert rows_of(database, JobRow) == rows_of(truthful, JobRow)
    truthful.close()


@pytest.mark.parametrize("empty", [False, True])
def test_a_block_of_another_time__is_found_before_a_row_is_final_and_put_right(
    ledger: LedgerOnChain, database: Database, empty: bool
) -> None:
    ledger.attest(ledger.open())
    ledger.mine(6)
    lied_of = hex(ledger.rpc.block_number() - (5 if empty else 6))

    def a_day_later(header: dict[str, Any]) -> dict[str, Any]:
        return (
            {**header, "timestamp": hex(int(header["timestamp"], 16) + DAY_S)}
            if header["number"] == lied_of
            else header
        )

    truthful = open_database(f"sqlite:///{database.engine.url.database}.true")
    honest = Indexer(ledger.rpc, truthful, ledger.deployments)
    index_all(honest)
    # Not to the one that proves: whoever lies there too gives a header that does not hash to what it should.
    with distorted(ledger.rpc.url, headers(a_day_later)) as url:
        index_all(Indexer(RpcClient(url), database, ledger.deployments))
    assert rows_of(database, BlockRow) != rows_of(truthful, BlockRow)
    indexer = Indexer(ledger.rpc, database, ledger.deployments)
    for each in (indexer, honest):
        while each.seal():
            index_all(each)
    for table in (JobRow, BlockLogsRow, BlockRow, CursorRow, StatisticsRow):
        assert rows_of(database, table) == rows_of(truthful, table)
    truthful.close()


def test_receipts_that_are_withheld_too__leave_every_row_unproven(ledger: LedgerOnChain, database: Database) -> None:
    ledger.attest(ledger.open())
    ledger.mine(6)

    def withhold(method: str, result: Any) -> Any:
        if method == "eth_getLogs":
            return []
        if method == "eth_getBlockReceipts" and result:
            return [{**receipt, "logs": []} for receipt in result]
        return result

    with distorted(ledger.rpc.url, withhold) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments)
        index_all(indexer)
        with pytest.raises(ChainMisbehaved, match="receipts root"):
            indexer.seal()
    assert rows_of(database, CursorRow)[0]["sealed"] < ledger.rpc.block_number() - 6


def test_logs_that_are_withheld__are_found_by_the_auditor(ledger: LedgerOnChain, database: Database) -> None:
    from computility.chain.connection import ChainConnection
    from computility.services.auditor import Auditor

    ledger.open()
    with distorted(ledger.rpc.url, logs(lambda found: [])) as url:
        index_all(Indexer(RpcClient(url), database, ledger.deployments))
    report = Auditor(ChainConnection(ledger.rpc), database, ledger.deployments).audit()
    assert report.store_matches_chain is False
    assert "jobs" in {difference.table for difference in report.differences}


def test_another_chain__is_never_indexed(ledger: LedgerOnChain, database: Database) -> None:
    def pretend(method: str, result: Any) -> Any:
        return "0x1" if method == "eth_chainId" else result

    with distorted(ledger.rpc.url, pretend) as url, pytest.raises(WrongChain, match="serves chain 1, not 31337"):
        Indexer(RpcClient(url), database, ledger.deployments).step()
    assert rows_of(database, CursorRow) == []


def test_a_chain_that_comes_back__is_followed_on(ledger: LedgerOnChain, database: Database) -> None:
    down = threading.Event()
    down.set()

    def sometimes(method: str, result: Any) -> Any:
        return "out of order" if down.is_set() else result

    stop = threading.Event()
    with distorted(ledger.rpc.url, sometimes) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments, poll_interval_s=0.02)
        follower = threading.Thread(target=indexer.run, args=(stop,))
        follower.start()
        ledger.open()
        stop.wait(0.3)
        assert rows_of(database, JobRow) == []
        down.clear()
        for _ in range(200):
            if rows_of(database, JobRow):
                break
            stop.wait(0.05)
        stop.set()
        follower.join(10)
    assert not follower.is_alive()
    assert len(rows_of(database, JobRow)) == 1


def seal_all(indexer: Indexer) -> None:
    """Prove until there is nothing left to prove."""
    while indexer.seal():
        pass


def test_headers_made_up_around_a_log_that_was_withheld__prove_nothing_where_empty_blocks_are_forgotten(
    ledger: LedgerOnChain, database: Database
) -> None:
    ledger.open()
    withheld = ledger.rpc.block_number()
    ledger.mine(100)
    made_up: dict[str, dict[str, Any]] = {}

    def make_up() -> None:
        parent = None
        for number in range(withheld, ledger.rpc.block_number() + 1):
            header = ledger.rpc.call("eth_getBlockByNumber", hex(number), False)
            header = {**header, "transactions": [], "logsBloom": "0x" + "00" * 256} if parent is None else header
            header["parentHash"] = parent or header["parentHash"]
            parent = header["hash"] = "0x" + keccak256(encode_header(header)).hex()
            made_up[hex(number)] = header

    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_getLogs":
            return [log for log in result if log["blockNumber"] != hex(withheld)]
        return made_up.get(call["params"][0], result) if call["method"] == "eth_getBlockByNumber" else result

    with distorted(ledger.rpc.url, distort_call=lie) as url:
        indexer = Indexer(RpcClient(url), database, ledger.deployments, keep_blocks=10)
        index_all(indexer)
        make_up()
        with pytest.raises(ChainMisbehaved, match="is not the one that is stored"):
            seal_all(indexer)
    assert rows_of(database, CursorRow)[0]["sealed"] < withheld
    assert rows_of(database, JobRow) == []
    honest = Indexer(ledger.rpc, database, ledger.deployments, keep_blocks=10)
    while honest.seal():
        index_all(honest)
    cursor = rows_of(database, CursorRow)[0]
    assert cursor["sealed"] == cursor["final"] == ledger.rpc.block_number() - 5
    assert len(rows_of(database, JobRow)) == 1
