"""The chain that the benches read: what they count on, at a thousandth of its length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console
from scripts.bench.traded_chain import CHAIN, TradedChain, fill, start_ledger

from computility.chain.local_chain import LocalChain, LocalChainSettings, LocalChainUnavailable
from computility.domain.events import Deposited, JobAttested, JobOpened, JobPaid, JobProposed, Withdrawn

BLOCKS = 10
EVENTS_A_BLOCK = 200


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradedChain]:
    """Its blocks are the chain's last ones."""
    with LocalChain(CHAIN) as chain:
        traded = start_ledger(chain, tmp_path_factory.mktemp("deployments"))
        fill(traded, BLOCKS * EVENTS_A_BLOCK, BLOCKS, Console(quiet=True))
        yield traded


def blocks_of(traded: TradedChain) -> list[list[dict[str, Any]]]:
    head = traded.rpc.block_number()
    return list(traded.log_ranges(head - BLOCKS + 1, head, 1))


def test_a_block_holds_about_as_many_events_as_asked_for(traded: TradedChain) -> None:
    # The first block has no trade of one before it to settle.
    assert [len(logs) for logs in blocks_of(traded)[1:]] == [pytest.approx(EVENTS_A_BLOCK, rel=0.03)] * (BLOCKS - 1)


def test_the_events_are_of_six_kinds_in_the_proportions_of_trades(traded: TradedChain) -> None:
    found = [log["topics"][0] for logs in blocks_of(traded)[1:] for log in logs]
    shares = {JobOpened: 0.39, JobPaid: 0.39, JobAttested: 0.1, JobProposed: 0.1, Deposited: 0.005, Withdrawn: 0.005}
    assert set(found) == {event.EVENT.topic for event in shares}
    for event, share in shares.items():
        assert found.count(event.EVENT.topic) / len(found) == pytest.approx(share, abs=0.01)


def test_of_nine_trades_eight_are_opened_and_paid_in_batches_of_dozens(traded: TradedChain) -> None:
    for event in (JobOpened, JobPaid):
        logs = [log for block in blocks_of(traded)[1:] for log in block if log["topics"][0] == event.EVENT.topic]
        transactions = [log["transactionHash"] for log in logs]
        sizes = [transactions.count(transaction) for transaction in dict.fromkeys(transactions)]
        assert sizes.count(1) / len(logs) == pytest.approx(1 / 9, abs=0.02)
        assert all(24 <= size <= 50 for size in sizes if size > 1)


def test_a_forgetful_chain_still_answers_for_every_block_and_for_its_newest_state(traded: TradedChain) -> None:
    logs = [log for block in blocks_of(traded) for log in block]
    receipts = [
        log
        for number in dict.fromkeys(log["blockNumber"] for log in logs)
        for receipt in traded.rpc.call("eth_getBlockReceipts", number)
        for log in receipt["logs"]
        if log["address"] == logs[0]["address"]
    ]
    assert [(log["topics"], log["data"]) for log in receipts] == [(log["topics"], log["data"]) for log in logs]
    assert sum(traded.accounts[buyer].balance().locked for buyer in range(1, 5)) > 0
    assert traded.rpc.header(1) is not None


def test_a_job_that_a_batch_skips_ends_the_script(traded: TradedChain) -> None:
    buyers = [traded.accounts[index] for index in range(1, 5)]
    traded.automine(True)
    for buyer in buyers:
        buyer.withdraw(buyer.balance().free)
    with pytest.raises(SystemExit, match=r"JobSkipped.: .0, [1-9]"):
        fill(traded, EVENTS_A_BLOCK, 1, Console(quiet=True))


def test_only_an_anvil_is_forgetful() -> None:
    with pytest.raises(LocalChainUnavailable, match="only an anvil"):
        LocalChain(LocalChainSettings("ganache", forgetful=True)).start()
