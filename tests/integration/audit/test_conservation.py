"""The money of a real ledger adds up, and whoever tampers with any part of it is found at the first block that does not."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from tests.integration.ledger_on_chain import BUYER, CREDIT, LedgerOnChain, deploy_ledger

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.chain.log_decoding import RawLog
from computility.domain.errors import ChainReplaced, InvalidMessage, InvalidProof, NodeBusy
from computility.domain.events import Event, JobClosed, JobPaid
from computility.services.conservation import Conservation, ConservationReport
from computility.services.ledger_source import FileSource, RpcSource, SourcedBlock, save_ledger
from computility.services.ledger_walk import LedgerProcess, walk


@pytest.fixture(scope="module")
def traded(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with trades of every kind."""
    ledger = deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))
    ledger.put_rewards_behind_jobs()
    ledger.trade_in_every_way()
    ledger.trade_on_stake()
    return ledger


@pytest.fixture(scope="module")
def saved(traded: LedgerOnChain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "ledger.gz"
    list(save_ledger(RpcSource(traded.rpc, traded.deployments), path))
    return path


def conserve(traded: LedgerOnChain, **options: Any) -> ConservationReport:
    source = RpcSource(traded.rpc, traded.deployments)
    conservation = Conservation(source, ChainConnection(traded.rpc), **options)
    list(conservation.check())
    return conservation.report()


@pytest.mark.parametrize("every_block", [False, True])
def test_real_trades__conserve_every_unit(traded: LedgerOnChain, every_block: bool) -> None:
    report = conserve(traded, every_block=every_block)
    assert report.imbalance is None
    assert report.conserved
    assert report.contracts_asked
    assert report.last_block == traded.rpc.block_number()
    totals = report.totals
    assert totals["locks"] > 0
    assert totals["payouts"] > 0
    assert totals["deposits"] >= 3 * CREDIT
    assert totals["staked"] == totals["unstaked"] + totals["stakes_slashed"]
    assert totals["unstaked"] > 0
    assert totals["stakes_slashed"] > 0
    assert totals["rewards_staked"] == 10 * CREDIT
    assert totals["rewards_taken"] > CREDIT
    assert totals["rewards_slashed"] > 0


def test_ganache__which_knows_no_receipts_by_block__conserves_too(ganache: LocalChain, tmp_path: Path) -> None:
    ledger = deploy_ledger(ganache, tmp_path)
    ledger.attest(ledger.open())
    assert conserve(ledger).imbalance is None


def test_a_donation__is_no_imbalance_and_is_named(traded: LedgerOnChain) -> None:
    before = conserve(traded).donated
    buyer = traded.accounts[BUYER]
    snapshot = traded.snapshot()
    buyer.send(buyer.credit, "transfer", buyer.escrow.address, 5)
    assert conserve(traded).donated == before + 5
    assert traded.rpc.call("evm_revert", snapshot)


def test_a_saved_ledger__says_the_same_offline(traded: LedgerOnChain, saved: Path) -> None:
    conservation = Conservation(FileSource(saved))
    list(conservation.check())
    offline, online = conservation.report(), conserve(traded)
    assert (offline.conserved, offline.totals, offline.events) == (True, online.totals, online.events)
    assert offline.last_hash == online.last_hash
    assert not offline.contracts_asked


@pytest.mark.parametrize(
    ("books", "what"),
    [
        ("in_jobs", "locked against live jobs"),
        ("held", "in less out"),
        ("behind_jobs", "stake behind live jobs against reserved"),
    ],
)
def test_books_that_do_not_add_up__are_noticed_in_the_first_block_with_money__offline_too(
    saved: Path, books: str, what: str
) -> None:
    conservation = Conservation(FileSource(saved))
    (escrow,) = conservation.books
    setattr(conservation.books[escrow], books, 1)
    list(conservation.check())
    imbalance = conservation.report().imbalance
    assert imbalance is not None
    assert imbalance.what == what


def spoil(saved: Path, to: Path, change: Any) -> Path:
    lines = [orjson.loads(line) for line in gzip.decompress(saved.read_bytes()).splitlines()]
    change(lines)
    to.write_bytes(gzip.compress(b"\n".join(orjson.dumps(line) for line in lines) + b"\n"))
    return to


def omit_a_receipt(lines: list[Any]) -> None:
    found = next(line for line in reversed(lines[1:]) if line["receipts"])
    found["receipts"].pop()
    found["transactions"].pop()


def raise_an_amount(lines: list[Any]) -> None:
    found = next(line for line in reversed(lines[1:]) if line["receipts"])
    receipt = found["receipts"][0]
    found["receipts"][0] = receipt[:-2] + ("00" if receipt[-2:] != "00" else "01")


def drop_a_block(lines: list[Any]) -> None:
    del lines[-3]
    lines[0]["last"] -= 1


def change_a_header(lines: list[Any]) -> None:
    header = lines[-2]["header"]
    lines[-2]["header"] = header[:40] + ("0" if header[40] != "0" else "1") + header[41:]


@pytest.mark.parametrize("change", [omit_a_receipt, raise_an_amount, drop_a_block, change_a_header])
def test_a_ledger_file_that_was_tampered_with__is_refused(saved: Path, tmp_path: Path, change: Any) -> None:
    with pytest.raises(InvalidProof):
        list(walk(FileSource(spoil(saved, tmp_path / "spoilt.gz", change))))


def test_a_process_that_proves_ahead__finds_the_same_blocks_and_the_same_lies(saved: Path, tmp_path: Path) -> None:
    assert list(walk(FileSource(saved), process_from=1)) == list(walk(FileSource(saved)))
    for change in (raise_an_amount, drop_a_block):
        with pytest.raises(InvalidProof):
            list(walk(FileSource(spoil(saved, tmp_path / "spoilt.gz", change)), process_from=1))


def test_a_process_that_is_killed_while_it_proves__ends_the_audit_and_says_so(saved: Path) -> None:
    source = FileSource(saved)
    with LedgerProcess(source, source.deployments.generations[0].block, source.last) as ahead:
        for child in psutil.Process().children():
            if "computility.services.ledger_walk" in child.cmdline():
                child.kill()
        with pytest.raises(NodeBusy, match="ended"):
            list(ahead.blocks())


def cut_it_short(lines: list[Any]) -> None:
    del lines[-2:]


def forget_the_head(lines: list[Any]) -> None:
    lines[0] = {}


@pytest.mark.parametrize("change", [cut_it_short, forget_the_head])
def test_what_is_no_whole_ledger_file__is_refused_with_a_reason(saved: Path, tmp_path: Path, change: Any) -> None:
    with pytest.raises(InvalidMessage):
        list(walk(FileSource(spoil(saved, tmp_path / "spoilt.gz", change))))


def test_a_file_of_something_else__is_refused_with_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(b"not gzip at all")
    with pytest.raises(InvalidMessage, match="cannot be read"):
        FileSource(path)


class Skimming:
    """A chain whose escrow, from a block on, says that one account has a credit less: as a contract would that skims."""

    def __init__(self, chain: ChainConnection, victim: str, from_block: int) -> None:
        self._chain, self._victim, self._from = chain, victim, from_block
        self.rpc = chain.rpc

    def contract(self, name: str, address: Any) -> Any:
        real, outer = self._chain.contract(name, address), self

        class Contract:
            def read(self, function: str, *arguments: Any, block: int) -> Any:
                answer = real.read(function, *arguments, block=block)
                if function == "accountOf" and arguments[0] == outer._victim and block >= outer._from:
                    return (answer[0] - 1, *answer[1:])
                return answer

        return Contract()


def test_an_escrow_that_skims__is_named_with_the_first_block(traded: LedgerOnChain) -> None:
    source = RpcSource(traded.rpc, traded.deployments)
    honest = Conservation(source)
    blocks = [
        block.header.number
        for block in honest.check()
        if any(log.address == traded.accounts[BUYER].escrow.address for log in block.logs)
    ]
    victim = traded.accounts[2].address
    skimming = Conservation(source, Skimming(ChainConnection(traded.rpc), victim, blocks[2]))  # type: ignore[arg-type]  # a liar
    list(skimming.check())
    imbalance = skimming.report().imbalance
    assert imbalance is not None
    assert victim in imbalance.where
    assert imbalance.block >= blocks[2]
    assert imbalance.expected - imbalance.found == 1


WORDS_OF = {
    JobPaid: ["result", "attested", "quality_bps", "meter_root", "evidence", "units", "provider_paid", "fee", "refund", "verifier_paid"],
    JobClosed: [
        "cause", "outcome", "units", "provider_paid", "fee", "refund", "verifier_paid", "arbiter_from_escrow", "arbiter_from_bond",
        "bond_returned", "bond_to_buyer", "bond_to_treasury",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "from_leg", "to_leg", "what"),
    [
        (JobPaid, "refund", "provider_paid", "units at their price against payout and fee"),
        (JobPaid, "provider_paid", "fee", "the market's share against the fee"),
        (JobPaid, "verifier_paid", "refund", "the verifier's fee"),
        (JobClosed, "refund", "provider_paid", "units at their price against payout and fee"),
        (JobClosed, "refund", "fee", "units at their price against payout and fee"),
        (JobClosed, "bond_to_buyer", "bond_to_treasury", "the buyer's part of a slash"),
        (JobClosed, "bond_to_buyer", "refund", "legs of the bond"),
    ],
)
def test_an_atom_that_one_party_gets_at_anothers_cost__is_named_with_its_block(
    saved: Path, kind: type[Event], from_leg: str, to_leg: str, what: str
) -> None:
    """As a contract would write it that miscounts: every sum is as it was."""
    source, words = FileSource(saved), WORDS_OF[kind]
    moved: list[int] = []

    def miscounted_log(log: RawLog) -> RawLog:
        if moved or log.topics[0].hex() != kind.EVENT.topic[2:]:
            return log
        data = [int.from_bytes(log.data[at : at + 32], "big") for at in range(0, len(log.data), 32)]
        if not data[words.index(from_leg)]:
            return log
        data[words.index(from_leg)] -= 1
        data[words.index(to_leg)] += 1
        moved.append(log.block_number)
        return replace(log, data=b"".join(word.to_bytes(32, "big") for word in data))

    def miscounted(block: SourcedBlock) -> SourcedBlock:
        return SourcedBlock(block.header, tuple(map(miscounted_log, block.logs)))

    conservation = Conservation(source)
    list(conservation.check(map(miscounted, walk(source))))
    imbalance = conservation.report().imbalance
    assert imbalance is not None
    assert (imbalance.block, imbalance.what) == (moved[0], what)
    assert abs(imbalance.expected - imbalance.found) == 1


def test_a_chain_that_reorganises_while_its_contracts_are_asked__is_no_imbalance(tmp_path: Path) -> None:
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, tmp_path)
        snapshot = ledger.snapshot()
        ledger.accounts[BUYER].deposit(CREDIT)
        source = RpcSource(ledger.rpc, ledger.deployments)
        conservation = Conservation(source, ChainConnection(ledger.rpc))
        with pytest.raises(ChainReplaced, match="while its contracts were asked"):  # noqa: PT012  # it is asked as the walk ends
            for block in conservation.check():
                if block.header.number == source.last:
                    ledger.revert(snapshot)
                    ledger.mine(2)
