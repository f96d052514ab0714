"""logs by block

A row a log and two indexes of it cost a back-fill more than the folds: now one row a block holds its logs as they came, and two tables, like that of
the accounts, say which of them concern a job or are events of a name. What an address is stands once.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from computility.domain.logs_digest import digested
from computility.domain.packed_logs import packed_logs
from computility.store.compact_types import AddressColumn, ChainColumn, HashColumn
from computility.store.stored_log import packed, packed_jobs

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1_000
_BLOCK = sa.Column("block_number", sa.BigInteger(), nullable=False)
_PARTS = ("block_logs", "event_jobs", "event_names")
_INSERT_BLOCK = sa.text("INSERT INTO block_logs VALUES (:chain, :number, :hash, :timestamp, :count, :told, :logs)")
_INSERT_JOB = sa.text("INSERT INTO event_jobs VALUES (:chain, :subject, :number, :indexes)")
_INSERT_NAME = sa.text("INSERT INTO event_names VALUES (:chain, :subject, :number, :indexes)")
_NAME_NO_JOB = {
    "AppealDecision", "ArbiterPenalised", "Dispute", "DisputeCreation", "DisputeVoid", "Evidence", "PanelDrawn", "RoundBegun", "Ruling",
    "VoteCommitted", "VoteRevealed",
}  # fmt: skip
"""Events of a dispute, whose job stands beside them."""


def upgrade() -> None:
    bind = op.get_bind()
    postgresql = bind.dialect.name == "postgresql"
    if postgresql:
        # Nothing is added while the logs are copied; they can be read until the end. What an indexer added just before makes this begin anew.
        bind.execute(sa.text("LOCK TABLE raw_logs IN SHARE MODE"))
        bind.execute(sa.text("SELECT number FROM cursors FOR SHARE"))
    parts = _partitions(bind) if postgresql else []
    _create_tables()
    for name, bound in parts:
        for table in _PARTS:
            op.execute(f"CREATE TABLE {name.replace('raw_logs', table)} PARTITION OF {table} {bound}")
    if postgresql:
        # Hashes and numbers do not shrink, and to try takes long.
        for name in ("block_logs", *(name.replace("raw_logs", "block_logs") for name, _ in parts)):
            op.execute(f"ALTER TABLE {name} ALTER COLUMN logs SET STORAGE EXTERNAL")
    bind.execute(
        sa.text(
            "INSERT INTO emitters SELECT chain_id, address, max(generation), max(contract) FROM raw_logs GROUP BY chain_id, address"
        )
    )
    old = sa.text(
        "SELECT chain_id, block_number, log_index, block_hash, timestamp, tx_hash, address, name, job, topics, data "
        "FROM raw_logs ORDER BY chain_id, block_number, log_index"
    )
    rows = bind.execute(old.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE))
    for (chain, number), group in itertools.groupby(rows, key=lambda row: (row.chain_id, row.block_number)):
        _move(bind, chain, number, list(group))
    op.drop_table("raw_logs")


def _create_tables() -> None:
    by_block: dict[str, Any] = {"postgresql_partition_by": "RANGE (block_number)", "sqlite_with_rowid": False}
    op.create_table(
        "emitters",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("address", AddressColumn(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "address"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "block_logs",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", HashColumn(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("logs", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number"),
        **by_block,
    )
    for table, name, kind in (("event_jobs", "job", HashColumn()), ("event_names", "name", sa.String(32))):
        op.create_table(
            table,
            sa.Column("chain_id", ChainColumn(), nullable=False),
            sa.Column(name, kind, nullable=False),
            sa.Column("block_number", sa.BigInteger(), nullable=False),
            sa.Column("log_indexes", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("chain_id", name, "block_number"),
            **by_block,
        )


def _move(bind: sa.Connection, chain: int, number: int, logs: list[Any]) -> None:
    jobs: dict[bytes, list[int]] = defaultdict(list)
    names: dict[str, list[int]] = defaultdict(list)
    told: dict[int, bytes] = {}
    for row in logs:
        names[row.name].append(row.log_index)
        if row.job is not None:
            jobs[bytes(row.job)].append(row.log_index)
            if row.name in _NAME_NO_JOB:
                told[row.log_index] = bytes(row.job)
    parts = [
        digested(row.log_index, bytes(row.tx_hash), bytes(row.address), bytes(row.topics), bytes(row.data))
        for row in logs
    ]
    bind.execute(
        _INSERT_BLOCK,
        {
            "chain": chain, "number": number, "hash": bytes(logs[0].block_hash), "timestamp": logs[0].timestamp, "count": len(logs),
            "told": packed_jobs(told), "logs": packed_logs(parts),
        },
    )  # fmt: skip
    for insert, subjects in ((_INSERT_JOB, jobs), (_INSERT_NAME, names)):
        rows = _rows(chain, number, subjects.items())
        if rows:
            bind.execute(insert, rows)


def _rows(chain: int, number: int, subjects: Iterable[tuple[Any, list[int]]]) -> list[dict[str, Any]]:
    return [
        {"chain": chain, "subject": subject, "number": number, "indexes": packed(indexes)}
        for subject, indexes in subjects
    ]


def _partitions(bind: sa.Connection) -> list[tuple[str, str]]:
    """Names and bounds."""
    found = bind.execute(
        sa.text(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'raw_logs'::regclass"
        )
    )
    return [(str(name), str(bound)) for name, bound in found]


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
