"""Whatever is changed in whatever column of what a node reads its ledger from, an audit names its table.

Branches: each column of each table; a row that is gone; a row more under a key that reads like another's; a build that is elsewhere, or nowhere.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from tests.integration.audit.test_proofs_of_disputes import MEMBERS, ruled_on
from tests.integration.ledger_on_chain import BUYER, VERIFIER, LedgerOnChain, deploy_ledger, index_all

from computility.chain.connection import ChainConnection
from computility.chain.keystore import development_account
from computility.chain.local_chain import DEVELOPMENT_MNEMONIC, LocalChain, LocalChainSettings
from computility.chain.rpc import RpcClient
from computility.domain.errors import InvalidMessage
from computility.domain.identifiers import Address, keccak_bytes32
from computility.services.arbiter_seat import ArbiterSeat
from computility.services.auditor import Auditor, AuditReport
from computility.services.indexer import Indexer
from computility.services.ledger_source import FileSource, RpcSource, save_ledger
from computility.store.engine import open_database, open_to_read


@dataclass(frozen=True)
class Stored:
    """A ledger with rows in every table: saved, and indexed into a database."""

    file: Path
    database: Path


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("full")
    with LocalChain(LocalChainSettings("anvil", block_time_s=0)) as chain:
        arbiters = [Address(development_account(DEVELOPMENT_MNEMONIC, index).address) for index in MEMBERS]
        ledger = deploy_ledger(chain, folder / "deployments", MEMBERS, arbiters=arbiters, timelock_delay_s=60)
        for index in MEMBERS:
            ArbiterSeat(ledger.accounts[index]).join()
        ledger.put_rewards_behind_jobs()
        ledger.trade_in_every_way()
        ruled_on(ledger)
        govern(ledger)
        file, path = folder / "ledger.gz", folder / "node.sqlite"
        list(save_ledger(RpcSource(ledger.rpc, ledger.deployments), file))
        database = open_database(f"sqlite:///{path}")
        index_all(Indexer(ledger.rpc, database, ledger.deployments))
        database.close()
    return Stored(file, path)


def govern(ledger: LedgerOnChain) -> None:
    """One operation that is carried out, and one that is scheduled."""
    proposer = ledger.accounts[0]
    timelock = proposer.contract("Timelock")
    role = bytes.fromhex(keccak_bytes32(b"PROPOSER_ROLE")[2:])
    data = bytes.fromhex(timelock.encode("grantRole", role, ledger.accounts[VERIFIER].address)[2:])
    for salt in (bytes(32), b"\x01" * 32):
        proposer.send(timelock, "schedule", timelock.address, 0, data, bytes(32), salt, 60)
    ledger.pass_time(61)
    ledger.accounts[BUYER].send(timelock, "execute", timelock.address, 0, data, bytes(32), bytes(32))


def audit(stored: Stored, path: Path) -> AuditReport:
    source = FileSource(stored.file)
    database = open_to_read(f"sqlite:///{path}")
    try:
        return Auditor(ChainConnection(RpcClient("http://127.0.0.1:9")), database, source.deployments, source).audit()
    finally:
        database.close()


def changed(value: Any, kind: str) -> list[Any]:
    """Other values for a column that holds one."""
    if value is None:
        return [b"\x01" * 32 if kind == "BLOB" else 1]
    if isinstance(value, bytes):
        return [value[:-1] + bytes([value[-1] ^ 1]), bytes([value[0] ^ 0x80]) + value[1:]] if value else [b"\x01"]
    if kind == "BOOLEAN":
        return [1 - value]
    if isinstance(value, int):
        return [value + 1]
    if kind == "JSON":
        return [json.dumps([*json.loads(value), ["0x" + "11" * 20, "0x"]])]
    return [value + "x"]


def alike(value: Any, kind: str) -> list[Any]:
    """Other keys, some of which read like this one: what a number or an address is padded with is easily dropped."""
    if not isinstance(value, bytes):
        return changed(value, kind)
    padded = (b"\0" + value, value[-20:], value.lstrip(b"\0"))
    return [*changed(value, kind), *(other for other in padded if other != value)]


@dataclass(frozen=True)
class Change:
    """One row of one table, and what was done to it."""

    what: str
    statement: str
    values: tuple[Any, ...]


def changes_of(connection: sqlite3.Connection, table: str) -> Iterator[Change]:
    """Every change of one column of the table's last row, the row gone, and a row more for each part of its key."""
    columns = {name: (kind, key) for _, name, kind, _, _, key in connection.execute(f'PRAGMA table_info("{table}")')}
    keys = [name for name, (_, key) in columns.items() if key]
    last = ", ".join(f'"{key}" DESC' for key in keys)
    row = dict(
        zip(columns, connection.execute(f'SELECT * FROM "{table}" ORDER BY {last} LIMIT 1').fetchone(), strict=True)
    )
    here, at = " AND ".join(f'"{key}" IS ?' for key in keys), tuple(row[key] for key in keys)
    for name, (kind, key) in columns.items():
        for value in changed(row[name], kind):
            yield Change(f"{name} = {value!r}", f'UPDATE "{table}" SET "{name}" = ? WHERE {here}', (value, *at))
        # A row more of another build, or of another chain, is no row of this ledger.
        for value in alike(row[name], kind) if key and name not in ("ledger", "chain_id") else ():
            values = tuple({**row, name: value}.values())
            marks = ", ".join("?" * len(values))
            yield Change(f"one more, {name} = {value!r}", f'INSERT INTO "{table}" VALUES ({marks})', values)
    yield Change("gone", f'DELETE FROM "{table}" WHERE {here}', at)


TABLES: Final = (
    "accounts", "block_logs", "blocks", "dispute_votes", "disputes", "emitters", "event_accounts", "event_names", "fees", "jobs", "members",
    "operations", "providers", "rewards", "score_history", "scores", "statistics", "timelock_roles",
)  # fmt: skip
NOT_AUDITED: Final = frozenset({"alembic_version", "statements", "undo", "cursors", "ledgers", "event_jobs"})
"""What others signed, what only a reorganisation reads, and how far the node has come, which has tests of its own below. A job's events are listed
in its row, and beside it only where it has none."""


def test_every_table__is_looked_at_or_left_out_on_purpose(stored: Stored) -> None:
    with sqlite3.connect(stored.database) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert there == {*TABLES, *NOT_AUDITED}
    assert audit(stored, stored.database).differences == ()


@pytest.mark.parametrize("table", TABLES)
def test_whatever_is_changed_in_a_table__is_named(stored: Stored, tmp_path: Path, table: str) -> None:
    with sqlite3.connect(stored.database) as connection:
        changes = list(changes_of(connection, table))
    unseen = {}
    for change in changes:
        tampered = tmp_path / "node.sqlite"
        shutil.copy(stored.database, tampered)
        with sqlite3.connect(tampered) as connection:
            connection.execute(change.statement, change.values)
        connection.close()
        found = {difference.table for difference in audit(stored, tampered).differences}
        # The events that a job's row lists are compared with those beside it.
        if table not in found and not ("event_jobs" in found and table == "jobs"):
            unseen[change.what] = found
    assert unseen == {}


@pytest.mark.parametrize(
    ("column", "value"), [("number", 1), ("hash", b"\x11" * 32), ("hash", None)], ids=["number", "hash", "nothing"]
)
def test_a_build_that_is_said_to_be_folded_elsewhere_than_the_cursor__is_named(
    stored: Stored, tmp_path: Path, column: str, value: Any
) -> None:
    tampered = tmp_path / "node.sqlite"
    shutil.copy(stored.database, tampered)
    with sqlite3.connect(tampered) as connection:
        connection.execute(f"UPDATE ledgers SET {column} = ?", (value,))
    connection.close()
    assert [found.table for found in audit(stored, tampered).differences] == ["ledgers"]


def test_a_store_without_a_live_build__is_nothing_to_compare(stored: Stored, tmp_path: Path) -> None:
    tampered = tmp_path / "node.sqlite"
    shutil.copy(stored.database, tampered)
    with sqlite3.connect(tampered) as connection:
        connection.execute("UPDATE ledgers SET state = 'retired'")
    connection.close()
    with pytest.raises(InvalidMessage, match="no live build"):
        audit(stored, tampered)
