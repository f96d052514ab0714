"""The auditor finds whatever in a store is not what the chain says, and names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select
from tests.integration.ledger_on_chain import BUYER, CREDIT, LedgerOnChain, deploy_ledger, index_all

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.domain.errors import ChainReplaced, DeploymentMissing, InvalidMessage, NodeBusy, RpcRefused, StoreError
from computility.domain.identifiers import Address
from computility.services.auditor import Auditor, AuditReport
from computility.services.conservation import Conservation, Imbalance
from computility.services.indexer import Indexer
from computility.services.ledger_source import FileSource, RpcSource, SourcedBlock, save_ledger
from computility.store.accounts import AccountRow, FeesRow
from computility.store.engine import Database, open_database, open_to_read
from computility.store.job_at_rest import PACKED, job_row, packed_row
from computility.store.jobs import JobRow
from computility.store.providers import ProviderRow
from computility.store.raw_logs import BlockLogsRow, EventAccountRow, EventNameRow
from computility.store.rewards import RewardRow
from computility.store.scores import ScoreRow


@pytest.fixture(scope="module")
def traded(anvil: LocalChain, tmp_path_factory: pytest.TempPathFactory) -> LedgerOnChain:
    """A ledger with trades of every kind."""
    ledger = deploy_ledger(anvil, tmp_path_factory.mktemp("deployments"))
    ledger.put_rewards_behind_jobs()
    ledger.trade_in_every_way()
    return ledger


@pytest.fixture
def database(traded: LedgerOnChain, tmp_path: Path) -> Iterator[Database]:
    """The store of that ledger."""
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    index_all(Indexer(traded.rpc, opened, traded.deployments))
    yield opened
    opened.close()


def audit(traded: LedgerOnChain, database: Database) -> AuditReport:
    return Auditor(ChainConnection(traded.rpc), database, traded.deployments).audit()


def test_an_untouched_store__matches(traded: LedgerOnChain, database: Database) -> None:
    report = audit(traded, database)
    assert (report.store_matches_chain, report.differences) == (True, ())
    assert report.checked_block is not None
    assert report.checked_block.number == traded.rpc.block_number()


def test_a_saved_ledger__says_the_same_of_the_store_offline(
    traded: LedgerOnChain, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.gz"
    list(save_ledger(RpcSource(traded.rpc, traded.deployments), path))
    offline = Auditor(ChainConnection(RpcClient("http://127.0.0.1:9")), database, traded.deployments, FileSource(path))
    assert offline.audit().store_matches_chain is True
    with database.unit_of_work() as session:
        raise_a_balance(session)
    assert [found.field for found in offline.audit().differences] == ["free"]


def change_job(row: JobRow, **changes: Any) -> None:
    row.packed = packed_row(job_row(row.ledger, row.generation, replace(row.record(), **changes)))[PACKED]


def spoil_a_job(session: Session) -> None:
    session.exec(select(JobRow)).first().packed = b"\x91\x07"


def raise_payment(session: Session) -> None:
    row = next(row for row in session.exec(select(JobRow)) if row.record().provider_paid)
    change_job(row, provider_paid=(row.record().provider_paid or 0) + 1)


def change_terms(session: Session) -> None:
    row = next(row for row in session.exec(select(JobRow)) if row.record().terms)
    terms = row.record().terms
    assert terms is not None
    change_job(row, terms=replace(terms, unit_price=1))


def forget_a_job(session: Session) -> None:
    session.delete(session.exec(select(JobRow)).first())


def invent_an_account(session: Session) -> None:
    known = session.exec(select(AccountRow)).first()
    session.add(AccountRow(**{**known.model_dump(), "account": "0x" + "11" * 20, "free": 5}))


def raise_a_balance(session: Session) -> None:
    session.exec(select(AccountRow)).first().free += 1


def lower_fees(session: Session) -> None:
    session.exec(select(FeesRow)).first().amount += 1


def flatter_a_score(session: Session) -> None:
    session.exec(select(ScoreRow)).first().word = "0x" + "00" * 31 + "ff"


def raise_a_stake(session: Session) -> None:
    session.exec(select(ProviderRow)).first().stake += 1


def alter_a_log(session: Session) -> None:
    row = session.exec(select(BlockLogsRow)).first()
    row.logs = row.logs[:-1] + bytes([row.logs[-1] ^ 1])


def forget_a_blocks_logs(session: Session) -> None:
    session.delete(session.exec(select(BlockLogsRow)).first())


def hide_an_account_from_an_event(session: Session) -> None:
    session.delete(session.exec(select(EventAccountRow)).first())


def list_an_event_with_another_job(session: Session) -> None:
    one, other = session.exec(select(JobRow).limit(2)).all()
    last = other.event_places[-12:]
    one.event_places, other.event_places = one.event_places + last, other.event_places[:-12]


def misname_an_event(session: Session) -> None:
    row = session.exec(select(EventNameRow)).first()
    known = row.model_dump()
    session.delete(row)
    session.flush()
    session.add(EventNameRow(**{**known, "name": "JobPayed"}))


def hasten_a_reward(session: Session) -> None:
    session.exec(select(RewardRow)).first().vests_by -= 1


@pytest.mark.parametrize(
    ("tamper", "table", "field"),
    [
        (raise_payment, "jobs", "provider_paid"),
        (change_terms, "jobs", "terms"),
        (spoil_a_job, "jobs", "packed"),
        (invent_an_account, "accounts", "row"),
        (raise_a_balance, "accounts", "free"),
        (lower_fees, "fees", "amount"),
        (flatter_a_score, "scores", "word"),
        (raise_a_stake, "providers", "stake"),
        (hasten_a_reward, "rewards", "vests_by"),
        (alter_a_log, "block_logs", "content"),
        (forget_a_blocks_logs, "block_logs", "rows"),
        (hide_an_account_from_an_event, "event_accounts", "rows"),
        (list_an_event_with_another_job, "event_jobs", "content"),
        (misname_an_event, "event_names", "content"),
    ],
)
def test_a_store_that_was_tampered_with__is_found_out(
    traded: LedgerOnChain, database: Database, tamper: Callable[[Session], None], table: str, field: str
) -> None:
    with database.unit_of_work() as session:
        tamper(session)
    report = audit(traded, database)
    assert report.store_matches_chain is False
    assert [(difference.table, difference.field) for difference in report.differences] == [(table, field)]


def test_a_job_that_is_missing__is_missed_with_its_events(traded: LedgerOnChain, database: Database) -> None:
    with database.unit_of_work() as session:
        forget_a_job(session)
    found = [(difference.table, difference.field) for difference in audit(traded, database).differences]
    assert found.count(("jobs", "row")) == 1
    assert set(found) == {("jobs", "row"), ("event_jobs", "rows")}


def test_many_calls_at_once__answer_what_each_alone_does(traded: LedgerOnChain) -> None:
    escrow = ChainConnection(traded.rpc).contract("JobEscrow", traded.deployments.newest.address_of("JobEscrow"))
    accounts = [(account.address,) for account in traded.accounts.values()] * 30
    assert list(escrow.read_all("accountOf", accounts)) == [escrow.read("accountOf", *each) for each in accounts]
    jobs = [(bytes([number]) * 32,) for number in range(3)]
    assert list(escrow.read_all("jobOf", jobs)) == [escrow.read("jobOf", *each) for each in jobs]
    assert list(escrow.read_all("fees", [()])) == [escrow.read("fees")]
    nowhere = ChainConnection(traded.rpc).contract("JobEscrow", traded.accounts[BUYER].address)
    with pytest.raises(DeploymentMissing, match="is this the right chain"):
        list(nowhere.read_all("fees", [()]))


def test_a_chain_that_reorganises_while_its_contracts_are_asked__is_no_difference(tmp_path: Path) -> None:
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        ledger = deploy_ledger(chain, tmp_path / "deployments")
        snapshot = ledger.snapshot()
        ledger.accounts[BUYER].deposit(CREDIT)
        ledger.mine()
        store = open_database(f"sqlite:///{tmp_path}/node.sqlite")
        index_all(Indexer(ledger.rpc, store, ledger.deployments))

        def reorganise(done: int, of: int) -> None:
            if done == of:
                ledger.revert(snapshot)
                ledger.mine(2)

        with pytest.raises(ChainReplaced, match="while its contracts were asked"):
            Auditor(ChainConnection(ledger.rpc), store, ledger.deployments).audit(reorganise)
        store.close()


def test_an_endpoint_that_forgot_what_was_then__is_told_from_a_difference(tmp_path: Path) -> None:
    with LocalChain(LocalChainSettings("anvil", block_time_s=0, forgetful=True)) as chain:
        ledger = deploy_ledger(chain, tmp_path / "deployments")
        ledger.attest(ledger.open())
        store = open_database(f"sqlite:///{tmp_path}/node.sqlite")
        index_all(Indexer(ledger.rpc, store, ledger.deployments))
        ledger.mine(20)
        with pytest.raises(RpcRefused, match="archive node; or bring a ledger"):
            audit(ledger, store)
        store.close()
        every_block = Conservation(
            RpcSource(ledger.rpc, ledger.deployments), ChainConnection(ledger.rpc), every_block=True
        )
        with pytest.raises(RpcRefused, match="archive node; or bring a ledger"):
            list(every_block.check())


def test_two_audits_at_once__are_one_too_many(traded: LedgerOnChain, database: Database) -> None:
    auditor = Auditor(ChainConnection(traded.rpc), database, traded.deployments)

    def again(_done: int, _of: int) -> None:
        with pytest.raises(NodeBusy, match="going on"):
            auditor.audit()

    assert auditor.audit(again).store_matches_chain is True
    assert auditor.audit().store_matches_chain is True


def test_an_empty_store__is_nothing_to_compare(traded: LedgerOnChain, tmp_path: Path) -> None:
    empty = open_database(f"sqlite:///{tmp_path}/empty.sqlite")
    with pytest.raises(InvalidMessage, match="nothing to compare"):
        audit(traded, empty)
    empty.close()


def test_a_database_to_look_at__is_neither_made_nor_migrated_nor_written(tmp_path: Path, database: Database) -> None:
    path = tmp_path / "mistyped.sqlite"
    with pytest.raises(StoreError, match="there is no database at"):
        open_to_read(f"sqlite:///{path}")
    assert not path.exists()
    path.touch()
    with pytest.raises(StoreError, match="start its node"):
        open_to_read(f"sqlite:///{path}")
    looked_at = open_to_read(str(database.engine.url))
    with pytest.raises(OperationalError, match="readonly"), looked_at.unit_of_work() as session:
        raise_a_balance(session)
    looked_at.close()


def test_one_pass__compares_the_store_and_balances_the_money(traded: LedgerOnChain, database: Database) -> None:
    chain = ChainConnection(traded.rpc)
    source = RpcSource(traded.rpc, traded.deployments)
    alone = Conservation(source, chain)
    list(alone.check())
    beside = Conservation(source, chain)
    report = Auditor(chain, database, traded.deployments).audit(conservation=beside)
    assert report.store_matches_chain
    assert beside.report() == alone.report()
    assert beside.report().conserved
    elsewhere = Conservation(source, chain)
    assert Auditor(chain, database, traded.deployments, process_from=1).audit(conservation=elsewhere) == replace(
        report, checked_at=ANY
    )
    assert elsewhere.report() == alone.report()


def test_books_that_another_process_found_wrong__are_reported_wrong(
    traded: LedgerOnChain, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.gz"
    list(save_ledger(RpcSource(traded.rpc, traded.deployments), path))
    source = FileSource(path)
    books = Conservation(source)
    # As if something had been reserved of stakes that no job holds.
    next(iter(books.stakes.values())).reserved = 1
    report = Auditor(ChainConnection(traded.rpc), database, traded.deployments, source, process_from=1).audit(
        conservation=books
    )
    imbalance = books.report().imbalance
    assert report.store_matches_chain
    assert imbalance is not None
    assert imbalance.what == "stake behind live jobs against reserved"
    assert books.report().last_block == imbalance.block


def test_one_pass_over_books_that_do_not_balance__compares_the_store_to_the_end_nevertheless(
    traded: LedgerOnChain, database: Database
) -> None:
    class Skimming(Conservation):
        def _fold(self, block: SourcedBlock, touched: dict[Address, set[Address]]) -> Iterator[Imbalance]:
            if block.logs:
                yield Imbalance(block.header.number, "here", "a unit", 1, 0)

    books = Skimming(RpcSource(traded.rpc, traded.deployments))
    report = Auditor(ChainConnection(traded.rpc), database, traded.deployments).audit(conservation=books)
    assert report.store_matches_chain
    assert not books.report().conserved
