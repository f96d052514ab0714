"""compact ledger tables

What they hold is folded from the chain, so they are made anew and the indexer fills them again; the statements stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, ChainColumn, HashColumn

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OF_THE_LEDGER = ("accounts", "fees", "jobs", "providers", "scores", "raw_logs", "event_accounts", "blocks", "cursors")


def upgrade() -> None:
    for table in _OF_THE_LEDGER:
        op.drop_table(table)
    op.create_table(
        "accounts",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("escrow", AddressColumn(), nullable=False),
        sa.Column("free", Amount(), nullable=False),
        sa.Column("locked", Amount(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "account", "escrow"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", HashColumn(), nullable=False),
        sa.Column("parent_hash", HashColumn(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("logs_digest", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("chain_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cursors",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", HashColumn(), nullable=False),
        sa.Column("safe", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=False),
        sa.Column("undo_floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id"),
    )
    op.create_table(
        "event_accounts",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "account", "block_number", "log_index"),
        postgresql_partition_by="RANGE (block_number)",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fees",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("escrow", AddressColumn(), nullable=False),
        sa.Column("amount", Amount(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "escrow"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "jobs",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("id", HashColumn(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("buyer", AddressColumn(), nullable=True),
        sa.Column("provider", AddressColumn(), nullable=True),
        sa.Column("verifier", AddressColumn(), nullable=True),
        sa.Column("resource", HashColumn(), nullable=True),
        sa.Column("listed_block", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.Integer(), nullable=True),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("fee_bps", sa.Integer(), nullable=True),
        sa.Column("escrow", Amount(), nullable=True),
        sa.Column("from_wallet", Amount(), nullable=True),
        sa.Column("accepted", Amount(), nullable=False),
        sa.Column("pending", Amount(), nullable=False),
        sa.Column("quality_bps", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("units", Amount(), nullable=True),
        sa.Column("provider_paid", Amount(), nullable=True),
        sa.Column("fee", Amount(), nullable=True),
        sa.Column("refund", Amount(), nullable=True),
        sa.Column("verifier_paid", Amount(), nullable=True),
        sa.Column("arbiter_from_escrow", Amount(), nullable=True),
        sa.Column("arbiter_from_bond", Amount(), nullable=True),
        sa.Column("bond_returned", Amount(), nullable=True),
        sa.Column("bond_to_buyer", Amount(), nullable=True),
        sa.Column("bond_to_treasury", Amount(), nullable=True),
        sa.Column("to_wallet", Amount(), nullable=True),
        sa.Column("slash_bps", sa.Integer(), nullable=True),
        sa.Column("cost_bps", sa.Integer(), nullable=True),
        sa.Column("result", HashColumn(), nullable=True),
        sa.Column("evidence", HashColumn(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("opened_block", sa.BigInteger(), nullable=True),
        sa.Column("opened_tx", HashColumn(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_block", sa.BigInteger(), nullable=True),
        sa.Column("closed_tx", HashColumn(), nullable=True),
        sa.PrimaryKeyConstraint("ledger", "id"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_buyer", ["ledger", "buyer", "listed_block", "id"], unique=False)
        batch_op.create_index("ix_jobs_listed", ["ledger", "listed_block", "id"], unique=False)
        batch_op.create_index(
            "ix_jobs_live",
            ["ledger", "listed_block", "id"],
            unique=False,
            sqlite_where=sa.text("state <> 4"),
            postgresql_where=sa.text("state <> 4"),
        )
        batch_op.create_index(
            "ix_jobs_live_of",
            ["ledger", "provider", "resource"],
            unique=False,
            sqlite_where=sa.text("state <> 4"),
            postgresql_where=sa.text("state <> 4"),
        )
        batch_op.create_index("ix_jobs_provider", ["ledger", "provider", "listed_block", "id"], unique=False)
        batch_op.create_index("ix_jobs_verifier", ["ledger", "verifier", "listed_block", "id"], unique=False)

    op.create_table(
        "ledgers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", HashColumn(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("ledgers", schema=None) as batch_op:
        batch_op.create_index("ix_ledgers_state", ["chain_id", "state"], unique=False)

    op.create_table(
        "providers",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("registry_address", AddressColumn(), nullable=False),
        sa.Column("address", AddressColumn(), nullable=False),
        sa.Column("stake", Amount(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=True),
        sa.Column("exit_requested_at", sa.BigInteger(), nullable=True),
        sa.Column("exited_at", sa.BigInteger(), nullable=True),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "registry_address", "address"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "raw_logs",
        sa.Column("chain_id", ChainColumn(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.Column("block_hash", HashColumn(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", HashColumn(), nullable=False),
        sa.Column("address", AddressColumn(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("contract", sa.String(32), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("job", HashColumn(), nullable=True),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "block_number", "log_index"),
        postgresql_partition_by="RANGE (block_number)",
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("raw_logs", schema=None) as batch_op:
        batch_op.create_index(
            "ix_raw_logs_job",
            ["chain_id", "job", "block_number", "log_index"],
            unique=False,
            sqlite_where=sa.text("job IS NOT NULL"),
            postgresql_where=sa.text("job IS NOT NULL"),
        )
        batch_op.create_index("ix_raw_logs_name", ["chain_id", "name", "block_number", "log_index"], unique=False)

    op.create_table(
        "scores",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("escrow", AddressColumn(), nullable=False),
        sa.Column("word", HashColumn(), nullable=False),
        sa.Column("job", HashColumn(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "account", "role", "escrow"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "undo",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("projection", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("ledger", "block_number", "projection", "key"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
