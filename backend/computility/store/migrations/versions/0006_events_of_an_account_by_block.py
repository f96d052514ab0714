"""events of an account by block

One row an event and account cost as much as the events themselves: now one row an account and block names all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from computility.store.compact_types import AddressColumn, ChainColumn
from computility.store.stored_log import packed

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 5_000
_INSERT = sa.text("INSERT INTO event_accounts_by_block VALUES (:chain_id, :account, :block_number, :log_indexes)")


def upgrade() -> None:
    bind = op.get_bind()
    postgresql = bind.dialect.name == "postgresql"
    if postgresql:
        # Nothing is added while the rows are copied; they can be read until the tables change places.
        bind.execute(sa.text("LOCK TABLE event_accounts IN SHARE MODE"))
    parts = _partitions(bind) if postgresql else []
    op.create_table(
        "event_accounts_by_block",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_indexes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "account", "block_number"),
        postgresql_partition_by="RANGE (block_number)",
        sqlite_with_rowid=False,
    )
    for name, bound in parts:
        op.execute(f"CREATE TABLE {name}_by_block PARTITION OF event_accounts_by_block {bound}")
    old = sa.text("SELECT chain_id, account, block_number, log_index FROM event_accounts ORDER BY 1, 2, 3, 4")
    rows = _by_block(bind.execute(old.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)))
    while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        bind.execute(_INSERT, some)
    op.drop_table("event_accounts")
    op.rename_table("event_accounts_by_block", "event_accounts")
    for name, _ in parts:
        op.rename_table(f"{name}_by_block", name)


def _by_block(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for (chain, account, number), group in itertools.groupby(rows, key=lambda row: tuple(row[:3])):
        indexes = packed([row[3] for row in group])
        yield {"chain_id": chain, "account": account, "block_number": number, "log_indexes": indexes}


def _partitions(bind: sa.Connection) -> list[tuple[str, str]]:
    """Names and bounds."""
    found = bind.execute(
        sa.text(
            "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = 'event_accounts'::regclass"
        )
    )
    return [(str(name), str(bound)) for name, bound in found]


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
