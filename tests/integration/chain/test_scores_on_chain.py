"""The scores that Python folds are the words that a deployed contract stores, whatever happened and whenever."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from computility.chain.artifacts import artifact
from computility.chain.connection import ChainConnection, DeployedContract
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.domain.identifiers import Address, address_from_bytes, parse_address
from computility.domain.job import ClosedBy, Outcome
from computility.domain.score_slot import EPOCH_S, ScoreSlot, epoch_of, share_bps
from computility.domain.scores import ClosedJob, Role, score_close

ACCOUNTS = [address_from_bytes(bytes([number]) * 20) for number in range(1, 9)]
RECORDS = 150
WORDS_AT_THE_EDGE = [0, 1, 10**12 - 1, 10**12, 10**18, 2**104 - 1]


@dataclass
class Scores:
    """The escrow's words without the escrow, the contract that reads them, and its twin."""

    chain: ChainConnection
    us: Address
    standings: DeployedContract
    contract: DeployedContract
    words: dict[tuple[Address, Role], ScoreSlot] = field(default_factory=lambda: defaultdict(ScoreSlot))

    def record(self, closed: ClosedJob, time_s: int) -> None:
        data = self.standings.encode("record", closed.buyer, closed.payer, closed.provider, closed.to_word())
        self.chain.rpc.call("evm_setNextBlockTimestamp", time_s)
        sent = self.chain.rpc.call(
            "eth_sendTransaction", {"from": self.us, "to": self.standings.address, "data": data, "gas": "0x30000"}
        )
        assert receipt_of(self.chain, sent)["status"] == "0x1"
        parties = (closed.buyer, Role.BUYER), (closed.provider, Role.PROVIDER)
        after = score_close(self.words[parties[0]], self.words[parties[1]], closed, time_s)
        for party, word in zip(parties, after, strict=True):
            if word is not None:
                self.words[party] = word


def receipt_of(chain: ChainConnection, sent: str) -> dict[str, Any]:
    """Once it is mined: a busy chain answers before."""
    deadline = time.monotonic() + 60
    while (found := chain.rpc.call("eth_getTransactionReceipt", sent)) is None:
        assert time.monotonic() < deadline, "anvil mines nothing"
        time.sleep(0.01)
    receipt: dict[str, Any] = found
    return receipt


@pytest.fixture
def scores() -> Iterator[Scores]:
    """Fresh ones, on a chain of their own, whose clock the test turns."""
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        connection = ChainConnection(RpcClient(chain.rpc_url))
        us = parse_address(connection.rpc.call("eth_accounts")[0])
        standings = deployed(connection, us, "DevStandings", us)
        yield Scores(connection, us, standings, deployed(connection, us, "CreditScores", standings.address))


def deployed(chain: ChainConnection, us: Address, name: str, argument: Address) -> DeployedContract:
    """A contract whose constructor takes one address."""
    creation = artifact(name).bytecode + argument[2:].rjust(64, "0")
    sent = chain.rpc.call("eth_sendTransaction", {"from": us, "data": creation, "gas": "0x300000"})
    return chain.contract(name, parse_address(receipt_of(chain, sent)["contractAddress"]))


def a_close(dice: random.Random) -> ClosedJob:
    """Any job, and often one with a usual fee."""
    buyer, payer, provider = dice.choices(ACCOUNTS, k=3)

    def amount() -> int:
        return dice.choice([dice.choice(WORDS_AT_THE_EDGE), dice.randrange(10**19), dice.randrange(10**22)])

    return ClosedJob(
        buyer=buyer,
        payer=dice.choice([buyer, buyer, payer]),
        provider=provider,
        fee=amount(),
        undelivered=amount(),
        quality_bps=dice.choice([10_000, 10_000, dice.randrange(10_001)]),
        cause=dice.choice(list(ClosedBy)),
        outcome=dice.choice([Outcome.PASS, *Outcome]),
        failed=dice.random() < 0.1,
        buyer_lost=dice.random() < 0.05,
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_any_history__gives_the_words_that_the_contract_stores(scores: Scores, seed: int) -> None:
    dice = random.Random(seed)
    header = scores.chain.rpc.header("latest")
    assert header is not None
    time_s = header.timestamp
    for _ in range(RECORDS):
        time_s += dice.choice([1, 3_600, 86_400, dice.randrange(1, 3 * EPOCH_S), dice.randrange(1, 40 * EPOCH_S)])
        scores.record(a_close(dice), time_s)

    tiers = set()
    for account in ACCOUNTS:
        for role in Role:
            word = scores.words[account, role].decayed_to(epoch_of(time_s))
            assert scores.contract.read("slotOf", account, int(role)) == word.to_word()
            assert ScoreSlot.from_word(word.to_word()) == word
            assert scores.contract.read("scoreOf", account, int(role)) == word.score_bps
            assert scores.contract.read("tierIn", account, int(role)) == word.tier
            assert list(scores.contract.read("componentsOf", account, int(role))) == [
                share_bps(word.credit, debit)
                for debit in (word.fulfilment_debit, word.quality_debit, word.behaviour_debit)
            ]
            tiers.add(word.tier)
    assert any(word.credit for word in scores.words.values())


def test_steady_trade__lifts_everybody_through_all_tiers_alike(scores: Scores) -> None:
    """Three buyers and three providers who trade with each other each day."""
    header = scores.chain.rpc.header("latest")
    assert header is not None
    time_s, seen = header.timestamp, {scores.contract.read("tierOf", ACCOUNTS[3])}
    for day in range(240):
        time_s += 86_400
        buyer, provider = ACCOUNTS[day % 3], ACCOUNTS[3 + day // 3 % 3]
        closed = ClosedJob(
            buyer, buyer, provider, 10 * 10**18, 0, 10_000, ClosedBy.ATTESTED, Outcome.PASS, False, False
        )
        scores.record(closed, time_s)
        tier = scores.words[provider, Role.PROVIDER].tier
        assert scores.contract.read("tierOf", provider) == tier
        seen.add(tier)
    assert seen == {0, 1, 2, 3}
