"""A ledger folded by packed blocks, of which jobs are let go as they close, says what it says folded log by log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.ledger_on_chain import LedgerOnChain, deploy_ledger

from computility.chain.local_chain import LocalChain
from computility.chain.log_decoding import RawLog, decode_log
from computility.domain.errors import ChainMisbehaved, InvalidProof
from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobRecord, JobState
from computility.services.contract_directory import ContractDirectory
from computility.services.ledger_replay import LedgerReplay
from computility.services.ledger_source import RpcSource, SourcedBlock
from computility.services.ledger_walk import walk
from computility.services.packed_blocks import PackedBlock, pack_block, unpack_block


@pytest.fixture(scope="module")
def traded(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with trades of every kind."""
    ledger = deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))
    ledger.put_rewards_behind_jobs()
    ledger.trade_in_every_way()
    ledger.trade_on_stake()
    return ledger


@pytest.fixture(scope="module")
def blocks(traded: LedgerOnChain) -> list[SourcedBlock]:
    return list(walk(RpcSource(traded.rpc, traded.deployments)))


def replay_of(traded: LedgerOnChain) -> LedgerReplay:
    return LedgerReplay(traded.deployments.chain_id, ContractDirectory(traded.deployments))


def packed(block: SourcedBlock, logs: Sequence[RawLog]) -> PackedBlock:
    return pack_block(replace(block, logs=tuple(logs)))


def test_block_by_block__letting_jobs_go__is_the_same_as_log_by_log(
    traded: LedgerOnChain, blocks: Sequence[SourcedBlock]
) -> None:
    plain, sparing = replay_of(traded), replay_of(traded)
    closed: list[tuple[int, JobRecord]] = []
    for block in blocks:
        for log in block.logs:
            plain.fold(log, block.header.timestamp)
        folded = sparing.fold_block(pack_block(block))
        assert folded.logs == pack_block(block).logs
        assert [index for index, _, _ in folded.events] == [log.log_index for log in block.logs]
        closed += sparing.let_go()
    assert {record.id: (generation, record) for generation, record in closed} == {
        job: known for job, known in plain.jobs.items() if known[1].state is JobState.CLOSED
    }
    assert list(sparing.live_jobs()) == [
        known for known in plain.jobs.values() if known[1].state is not JobState.CLOSED
    ]
    assert closed
    assert list(sparing.live_jobs())
    for kept in ("events", "balances", "fees", "scores", "providers", "rewards", "score_history", "disputes"):
        assert getattr(sparing, kept) == getattr(plain, kept), kept
    for kept in ("members", "disputes", "votes", "operations"):
        assert getattr(sparing.institutions, kept) == getattr(plain.institutions, kept), kept
    assert sparing.statistics() == plain.statistics()
    assert sparing.jobs.keys() == plain.jobs.keys()


def test_events_of_a_job_that_was_let_go__do_not_follow(traded: LedgerOnChain, blocks: Sequence[SourcedBlock]) -> None:
    replay = replay_of(traded)
    for block in blocks:
        replay.fold_block(pack_block(block))
        list(replay.let_go())
    names = ("JobOpened", "JobPaid", "JobClosed", "JobAttested", "JobDisputed")
    for name in names:
        block, log = next((block, log) for block in blocks for log in block.logs if name_of(traded, log) == name)
        with pytest.raises(ChainMisbehaved, match="came twice" if name == "JobOpened" else "does not follow"):
            replay.fold_block(packed(block, [log]))


def name_of(traded: LedgerOnChain, log: RawLog) -> str:
    _, contract = ContractDirectory(traded.deployments).owner_of(log.address)
    return type(decode_log(contract, log.topics, log.data)).__name__


def a_deposit(traded: LedgerOnChain, blocks: Sequence[SourcedBlock]) -> tuple[SourcedBlock, list[RawLog]]:
    """The first block with a deposit, which needs nothing before it."""
    return next((block, [log]) for block in blocks for log in block.logs if name_of(traded, log) == "Deposited")


def test_logs_of_events_that_the_ledger_does_not_know__are_left_out(
    traded: LedgerOnChain, blocks: Sequence[SourcedBlock]
) -> None:
    block, (log,) = a_deposit(traded, blocks)
    unknown = replace(log, topics=(b"\x07" * 32,), log_index=log.log_index + 1)
    # Without a topic, where the data begin as that of a known event would.
    bare = replace(log, topics=(), data=log.topics[0] + log.data)
    alone = packed(block, [log])
    for logs in ([unknown, log], [log, unknown], [bare, log, unknown, unknown]):
        folded = replay_of(traded).fold_block(packed(block, logs))
        assert (folded.logs, len(folded.events)) == (alone.logs, 1)
    nothing = replay_of(traded).fold_block(packed(block, [unknown, bare]))
    assert (nothing.logs, nothing.events) == (b"", [])


def test_logs_that_no_contract_of_ours_writes__are_refused(
    traded: LedgerOnChain, blocks: Sequence[SourcedBlock]
) -> None:
    block, (log,) = a_deposit(traded, blocks)
    changes: list[tuple[dict[str, Any], str]] = [
        ({"topics": log.topics[:-1]}, "has 2 topics, not 3"),
        ({"topics": (*log.topics, log.topics[-1])}, "has 4 topics, not 3"),
        ({"address": Address("0x" + "77" * 20)}, "was not asked for"),
        ({"data": log.data + bytes(32)}, "bytes of words"),
    ]
    for change, reason in changes:
        with pytest.raises(ChainMisbehaved, match=reason):
            replay_of(traded).fold_block(packed(block, [replace(log, **change)]))


def test_a_packed_block__unpacks_to_itself(blocks: Sequence[SourcedBlock]) -> None:
    assert [unpack_block(pack_block(block)) for block in blocks] == list(blocks)


@pytest.mark.parametrize("text", ["0x12", "", "0x" + "zz" * 32, None])
def test_what_is_no_hash_of_a_transaction__is_refused(blocks: Sequence[SourcedBlock], text: Any) -> None:
    block = next(block for block in blocks if block.logs)
    with pytest.raises(InvalidProof, match="transaction whose hash is none"):
        packed(block, [replace(block.logs[0], tx_hash=Bytes32(text))])
