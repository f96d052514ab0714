"""Roles of the timelock as its events tell: granted at its deployment, granted and revoked by operations later, orphaned, held against the contract.

Branches: of the constructor; granted; revoked; granted again; of a reorganisation; a store that lies of one; a page and the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import col, select
from tests.integration.ledger_on_chain import BUYER, VERIFIER, LedgerOnChain, deploy_ledger, index_all, rows_of

from computility.chain.connection import ChainConnection
from computility.chain.local_chain import LocalChain, LocalChainSettings
from computility.domain.identifiers import ZERO_ADDRESS, ZERO_BYTES32, Address, Bytes32, keccak_bytes32
from computility.domain.institutions import ROLE_NAMES
from computility.services.auditor import Auditor
from computility.services.indexer import Indexer
from computility.services.stored_institutions import StoredInstitutions
from computility.store.engine import Database, open_database
from computility.store.institutions import RoleRow

PROPOSER = keccak_bytes32(b"PROPOSER_ROLE")
CANCELLER = keccak_bytes32(b"CANCELLER_ROLE")
DELAY_S = 60


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[LedgerOnChain]:
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        yield deploy_ledger(chain, tmp_path / "deployments", timelock_delay_s=DELAY_S)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/node.sqlite")
    yield opened
    opened.close()


def carry_out(ledger: LedgerOnChain, function: str, role: Bytes32, account: Address) -> None:
    """Schedule a call of the timelock to itself, and execute it when it is due."""
    proposer = ledger.accounts[0]
    timelock = proposer.contract("Timelock")
    data = timelock.encode(function, bytes.fromhex(role[2:]), account)
    salt = bytes.fromhex(keccak_bytes32(f"{function} {ledger.rpc.block_number()}".encode())[2:])
    call = (timelock.address, 0, bytes.fromhex(data[2:]), bytes(32), salt)
    proposer.send(timelock, "schedule", *call, DELAY_S)
    ledger.pass_time(DELAY_S + 1)
    ledger.accounts[BUYER].send(timelock, "execute", *call)


def held(database: Database) -> set[tuple[str | None, str, bool]]:
    with database.unit_of_work() as session:
        records = [row.record() for row in session.exec(select(RoleRow))]
    return {(record.name, record.account, record.held) for record in records}


def at_deployment(ledger: LedgerOnChain) -> set[tuple[str | None, str, bool]]:
    deployer = ledger.accounts[0].address
    timelock = ledger.deployments.newest.address_of("Timelock")
    return {
        ("admin", timelock, True),
        ("proposer", deployer, True),
        ("canceller", deployer, True),
        ("executor", ZERO_ADDRESS, True),
    }


def audit(ledger: LedgerOnChain, database: Database) -> list[tuple[str, str]]:
    report = Auditor(ChainConnection(ledger.rpc), database, ledger.deployments).audit()
    return [(difference.table, difference.field) for difference in report.differences]


def test_roles__follow_their_events__and_fall_back_with_a_reorganisation(
    ledger: LedgerOnChain, database: Database
) -> None:
    indexer, before = Indexer(ledger.rpc, database, ledger.deployments, finality_depth=500), at_deployment(ledger)
    index_all(indexer)
    assert held(database) == before
    second = ledger.accounts[VERIFIER].address
    snapshot = ledger.snapshot()
    carry_out(ledger, "grantRole", PROPOSER, second)
    index_all(indexer)
    assert held(database) == before | {("proposer", second, True)}
    carry_out(ledger, "revokeRole", PROPOSER, second)
    carry_out(ledger, "grantRole", CANCELLER, second)
    index_all(indexer)
    after = before | {("proposer", second, False), ("canceller", second, True)}
    assert held(database) == after
    assert audit(ledger, database) == []
    timelock = ledger.deployments.newest.address_of("Timelock")
    (revoked,) = [row for row in rows_of(database, RoleRow) if not row["held"]]
    assert revoked["by"] == timelock
    ledger.revert(snapshot)
    ledger.mine(12)
    index_all(indexer)
    assert held(database) == before
    assert audit(ledger, database) == []


def test_a_store_that_lies_of_a_role__is_found_out(ledger: LedgerOnChain, database: Database) -> None:
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    with database.unit_of_work() as session:
        row = session.exec(select(RoleRow).where(col(RoleRow.role) == PROPOSER)).one()
        row.account = Address("0x" + "11" * 20)
    assert sorted(audit(ledger, database)) == [("timelock_roles", "row"), ("timelock_roles", "row")]


def test_the_contract_itself__is_asked_who_has_a_role(ledger: LedgerOnChain, database: Database) -> None:
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    timelock = ledger.deployments.newest.address_of("Timelock")
    # OpenZeppelin keeps roles in slot 0: mapping(role => (mapping(account => bool), admin)).
    of_role = keccak_bytes32(bytes.fromhex(PROPOSER[2:]) + bytes(32))
    account = ledger.accounts[0].address
    slot = keccak_bytes32(bytes(12) + bytes.fromhex(account[2:]) + bytes.fromhex(of_role[2:]))
    ledger.control.call("anvil_setStorageAt", timelock, slot, ZERO_BYTES32)
    assert audit(ledger, database) == [("timelock_roles", "hasRole")]


def test_pages_of_roles__have_each_once(ledger: LedgerOnChain, database: Database) -> None:
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    stored = StoredInstitutions(database, ledger.deployments)
    first = stored.roles(limit=3, cursor=None)
    second = stored.roles(limit=3, cursor=first.next)
    assert (len(first.items), len(second.items), second.next) == (3, 1, None)
    found = {(role.record.name, role.record.account, role.record.held) for role in (*first.items, *second.items)}
    assert found == at_deployment(ledger)


def test_the_names_of_roles__are_the_contracts(ledger: LedgerOnChain) -> None:
    timelock = ledger.accounts[0].contract("Timelock")
    named = {"admin": "DEFAULT_ADMIN_ROLE"} | {
        name: f"{name.upper()}_ROLE" for name in ("proposer", "canceller", "executor")
    }
    assert {"0x" + timelock.read(constant).hex(): name for name, constant in named.items()} == dict(ROLE_NAMES)
