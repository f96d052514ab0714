"""On a chain that is no development chain its own words for safe and final blocks count: held against what can be true, and never taken back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.distorting_endpoint import distorted
from tests.integration.faulty_endpoint import Fault, faulty
from tests.integration.ledger_on_chain import LedgerOnChain, index_all, rows_of

from computility.chain.endpoint import ChainEndpoint
from computility.chain.endpoint_pool import EndpointPool
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainMisbehaved, ChainReplaced, ChainUnavailable, EndpointsDisagree, WrongChain
from computility.services.indexer import Indexer
from computility.store.blocks import CursorRow
from computility.store.engine import Database, open_database

CHAIN = 424_242
Change = Callable[[dict[str, Any], Any], Any]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def as_another_chain(
    ledger: LedgerOnChain, change: Change = lambda call, result: result
) -> AbstractContextManager[str]:
    """The anvil, under a number that is no development chain's."""

    def answer(call: dict[str, Any], result: Any) -> Any:
        return hex(CHAIN) if call["method"] == "eth_chainId" else change(call, result)

    return distorted(ledger.rpc.url, distort_call=answer)


def indexer_at(url: str, ledger: LedgerOnChain, database: Database, *more: str) -> Indexer:
    deployments = dataclasses.replace(ledger.deployments, chain_number=CHAIN)
    return Indexer(RpcClient(url), database, deployments, more_endpoints=more)


def behind(ledger: LedgerOnChain, blocks: int) -> Change:
    """As an endpoint that has not heard of the newest blocks."""
    head = ledger.rpc.block_number() - blocks

    def change(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "eth_blockNumber":
            return hex(head)
        if call["method"] == "eth_getBlockByNumber" and result and int(result["number"], 16) > head:
            return None
        return result

    return change


def tagged(ledger: LedgerOnChain, tag: str) -> int:
    return int(ledger.rpc.call("eth_getBlockByNumber", tag, False)["number"], 16)


def test_the_blocks_that_the_chain_calls_safe_and_final__are_so_here(ledger: LedgerOnChain, database: Database) -> None:
    ledger.open()
    ledger.mine(70)
    with as_another_chain(ledger) as url:
        index_all(indexer_at(url, ledger, database))
    cursor = rows_of(database, CursorRow)[0]
    assert (cursor["safe"], cursor["final"]) == (tagged(ledger, "safe"), tagged(ledger, "finalized"))
    assert cursor["final"] < cursor["safe"] < cursor["number"]


@pytest.mark.parametrize("tag", ["safe", "finalized"])
def test_a_block_above_the_head__is_neither_safe_nor_final(ledger: LedgerOnChain, database: Database, tag: str) -> None:
    def far_above(call: dict[str, Any], result: Any) -> Any:
        return {**result, "number": hex(10**9)} if call["params"][:1] == [tag] else result

    with as_another_chain(ledger, far_above) as url:
        with pytest.raises(ChainMisbehaved, match="at head"):
            indexer_at(url, ledger, database).step()
        assert rows_of(database, CursorRow) == []
        # Another one is asked.
        with as_another_chain(ledger) as truthful:
            index_all(indexer_at(url, ledger, database, truthful))
    assert rows_of(database, CursorRow)[0]["final"] == tagged(ledger, "finalized")


def test_an_endpoint_that_is_behind__reorganises_nothing_and_another_is_asked(
    ledger: LedgerOnChain, database: Database
) -> None:
    ledger.open()
    ledger.mine(70)
    with as_another_chain(ledger) as truthful:
        index_all(indexer_at(truthful, ledger, database))
        before = rows_of(database, CursorRow)
        # Above the final blocks, and below them.
        for blocks in (3, 69):
            with as_another_chain(ledger, behind(ledger, blocks)) as late:
                with pytest.raises(ChainUnavailable, match="is behind"):
                    indexer_at(late, ledger, database).step()
                assert rows_of(database, CursorRow) == before
                ledger.mine(1)
                both = indexer_at(late, ledger, database, truthful)
                index_all(both)
                assert both.metrics.reorganisations._value.get() == 0
            before = rows_of(database, CursorRow)
            assert before[0]["number"] == ledger.rpc.block_number()


def test_a_chain_that_takes_a_final_block_back__is_not_followed(ledger: LedgerOnChain, database: Database) -> None:
    snapshot = ledger.control.call("evm_snapshot")
    ledger.mine(80)
    with as_another_chain(ledger) as url:
        index_all(indexer_at(url, ledger, database))
        before = rows_of(database, CursorRow)
        ledger.control.call("evm_revert", snapshot)
        ledger.pass_time(1_000)
        ledger.mine(90)
        with pytest.raises(ChainReplaced, match="which it had called final"):
            indexer_at(url, ledger, database).step()
    assert rows_of(database, CursorRow) == before


def of_another_history(call: dict[str, Any], result: Any) -> Any:
    """As an endpoint whose every block is another one."""
    if call["method"] == "eth_getBlockByNumber" and result:
        return {**result, "hash": "0x" + "ee" * 32}
    return result


@pytest.mark.parametrize("begun", [False, True])
def test_an_endpoint_alone_in_having_other_final_blocks__ends_nothing_where_another_has_ours(
    ledger: LedgerOnChain, database: Database, begun: bool
) -> None:
    ledger.mine(80)
    with as_another_chain(ledger) as truthful, as_another_chain(ledger, of_another_history) as lying:
        if begun:
            index_all(indexer_at(truthful, ledger, database))
            ledger.mine(3)
        # Two are right: without a majority no final block is taken in.
        several = indexer_at(lying, ledger, database, truthful, truthful)
        with pytest.raises(EndpointsDisagree, match="still there"):
            several.step()
        # It is asked last for a while.
        index_all(several)
        with pytest.raises(ChainReplaced):
            indexer_at(lying, ledger, database).step()
    assert rows_of(database, CursorRow)[0]["number"] == ledger.rpc.block_number()


def test_an_endpoint_of_another_chain_beside_the_right_one__is_said(ledger: LedgerOnChain, database: Database) -> None:
    ledger.mine(70)
    with as_another_chain(ledger) as url:
        both = indexer_at(url, ledger, database, ledger.rpc.url)
        with pytest.raises(WrongChain, match="serves chain 31337, not 424242"):
            index_all(both)


def test_an_endpoint_that_fails__is_asked_last_and_others_of_its_host_are_not() -> None:
    asked: list[str] = []

    def question(endpoint: ChainEndpoint) -> str:
        asked.append(endpoint.url)
        if endpoint.url.endswith("/first"):
            raise ChainUnavailable("it rests")
        return endpoint.url

    def chain_id(calls: list[dict[str, Any]]) -> Fault:
        return Fault(body=json.dumps({"jsonrpc": "2.0", "id": calls[0]["id"], "result": hex(CHAIN)}).encode())

    with faulty("", chain_id) as url:
        pool = EndpointPool([ChainEndpoint(f"{url}/{each}") for each in ("first", "second")], CHAIN)
        assert {pool.ask(question) for _ in range(2)} == {f"{url}/second"}
        # So does a process that fetches for this one.
        assert pool.urls == (f"{url}/second", f"{url}/first")
    assert asked == [f"{url}/first", f"{url}/second", f"{url}/second"]
