"""A store whose tables are as full as a busy year leaves them: planners decide by how many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, String, Table
from sqlmodel import Session, SQLModel, select
from tests.integration.ledger_on_chain import LedgerOnChain, index_all

from computility.domain.identifiers import Address, Bytes32
from computility.domain.job import JobState
from computility.domain.statements import StatementKind
from computility.domain.statistics import Scope
from computility.services.indexer import Indexer
from computility.store import raw_logs
from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn, chain_number
from computility.store.engine import Database
from computility.store.job_at_rest import place_of
from computility.store.ledgers import LIVE, ledger_in_state
from computility.store.raw_logs import BlockLogsRow
from computility.store.stored_log import packed

ROWS: Final = 8_000
"""Of each table; of statements three times as many."""
NOW: Final = 3 * ROWS
"""The second at which the last statement came: each lives for a hundred, so that the last hundred are open."""
FIRST_BLOCK: Final = 100_000
_PARTIES: Final = 397
_KINDS: Final = [*StatementKind, *[StatementKind.ASK] * len(StatementKind)]
"""Half of all are asks."""
_NAMES: Final = ("JobOpened", "JobClosed", "Deposited", "Withdrawn", "Attested")


def account(number: int) -> bytes:
    """An address."""
    return (0xA0000000 + number).to_bytes(20, "big")


def digest(number: int) -> bytes:
    """The id of a job, an operation or a statement."""
    return (number * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big") * 4


ACCOUNT: Final = Address("0x" + account(7).hex())
"""Whom the queries ask about: a party to one trade in 397."""
JOB: Final = Bytes32("0x" + digest(7).hex())

Fields = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class _Log:
    """A real block's logs, of which each made-up block holds a copy."""

    block: dict[str, Any]
    index: bytes


def _job(n: int) -> dict[str, Any]:
    return {
        "id": digest(n), "buyer": account(n % _PARTIES), "provider": account(n % _PARTIES), "verifier": account(n % _PARTIES),
        "resource": digest(n % 50), "listed_block": FIRST_BLOCK + n, "state": int(JobState.OPEN if n % 4 == 3 else JobState.CLOSED),
        "packed": bytes(400),
        "event_places": place_of(FIRST_BLOCK + n, 0) + place_of(FIRST_BLOCK + n + 1, 0),
    }  # fmt: skip


def _statement(n: int) -> dict[str, Any]:
    kind = _KINDS[n % len(_KINDS)]
    return {
        "sequence": n + 1, "kind": kind.value, "id": "0x" + digest(n).hex(), "signer": _checksummed(n % _PARTIES),
        "subject": "0x" + digest(n % 4_999).hex(), "provider": _checksummed(n % _PARTIES), "slot": f"answer:{n}",
        "valid_until": n + 100, "resource_kind": "cpu", "environment": "e", "price": str(n).zfill(39),
        "message": {"resource": "urn:x"}, "signature": "0x", "received_at": n,
    }  # fmt: skip


def _checksummed(number: int) -> str:
    return "0x" + account(number).hex()


_FULL: Final[dict[str, Fields]] = {
    "jobs": _job,
    "accounts": lambda n: {"account": account(n)},
    "providers": lambda n: {"registry_address": account(7), "address": account(n)},
    "rewards": lambda n: {"registry_address": account(7), "address": account(n)},
    "scores": lambda n: {"account": account(n), "role": 1, "escrow": account(7)},
    "statistics": lambda n: {
        "scope": int(Scope.PROVIDER if n % 2 else Scope.MARKET),
        "day": 10_000 + n // 100 if n % 2 else n,
        "subject": bytes(12) + account(n % 100) if n % 2 else bytes(32),
    },
    "score_history": lambda n: {"account": account(n % _PARTIES), "role": 0, "escrow": account(7), "day": n // _PARTIES},
    "members": lambda n: {"institution": account(7), "account": account(n)},
    "disputes": lambda n: {
        "institution": account(7), "id": n.to_bytes(32, "big"), "job": digest(n), "opened_at": n, "status": n % 3,
    },
    "dispute_votes": lambda n: {
        "institution": account(7), "dispute": (n // 5).to_bytes(32, "big"), "round": 0, "arbiter": account(n % 5),
    },
    "operations": lambda n: {"institution": account(7), "id": digest(n), "scheduled_at": n},
    "timelock_roles": lambda n: {"institution": account(7), "role": digest(n % 4), "account": account(n), "by": account(7)},
    "blocks": lambda n: {"number": FIRST_BLOCK + n},
    "event_accounts": lambda n: {"account": account(n % _PARTIES), "block_number": FIRST_BLOCK + n},
    "event_jobs": lambda n: {"job": digest(n // 2), "block_number": FIRST_BLOCK + n},
    "event_names": lambda n: {"name": _NAMES[n % len(_NAMES)], "block_number": FIRST_BLOCK + n},
    "block_logs": lambda n: {"block_number": FIRST_BLOCK + n},
}  # fmt: skip
GROWING: Final = frozenset({*_FULL, "statements", "undo"})
"""Tables that no request may read as a whole."""
NOT_GROWING: Final = frozenset({"cursors", "emitters", "fees", "ledgers"})
"""A row a chain, a contract, an escrow, a build."""


def filled(ledger: LedgerOnChain, database: Database, only: Collection[str] = GROWING) -> None:
    """Index one trade, and put many made-up rows beside what came of it, into all tables or ``only`` some."""
    ledger.open()
    index_all(Indexer(ledger.rpc, database, ledger.deployments))
    chain_id = ledger.deployments.chain_id
    with database.bulk_work() as (session, writer):
        live = ledger_in_state(session, chain_id, LIVE)
        assert live is not None
        log = _log(session, ledger)
        common = {"ledger": live.id, "chain_id": chain_number(chain_id)}
        writer.make_room(raw_logs.PARTITIONED, FIRST_BLOCK, FIRST_BLOCK + ROWS)
        for name in _FULL.keys() & set(only):
            fields = _FULL[name]
            table = SQLModel.metadata.tables[name]
            more = log.block if name == "block_logs" else {"log_indexes": log.index}
            writer.insert(table, [_row(table, {**common, **more, **fields(n)}) for n in range(ROWS)])
        statements = SQLModel.metadata.tables["statements"]
        some = {"chain_id": chain_id}
        writer.insert(statements, [_row(statements, {**some, **_statement(n)}) for n in range(3 * ROWS)])
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _log(session: Session, ledger: LedgerOnChain) -> _Log:
    found = raw_logs.page_of_logs(session, ledger.deployments.chain_id, name="JobOpened", limit=1)[0]
    row = session.exec(select(BlockLogsRow).where(BlockLogsRow.block_number == found.block_number)).one()
    block = {"count": row.count, "timestamp": row.timestamp, "told": row.told, "logs": row.logs}
    return _Log(block, packed([found.log_index]))


def _row(table: Table, fields: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(fields[column.name] if column.name in fields else _some(column) for column in table.columns)


def _some(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    match column.type:
        case AddressColumn():
            return bytes(20)
        case HashColumn() | LargeBinary():
            return bytes(32)
        case Amount() | Integer():
            return 1
        case Boolean():
            return False
        case JSON():
            return []
        case String():
            return "x"
    raise AssertionError(column)
