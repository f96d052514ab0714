"""statistics and institutions

Committees, panels and timelocks are read from now on, whose events the stored logs lack: what is folded from the chain is emptied, and the indexer
reads it again. The statements stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OF_THE_LEDGER = (
    "accounts",
    "fees",
    "jobs",
    "providers",
    "scores",
    "undo",
    "raw_logs",
    "event_accounts",
    "blocks",
    "cursors",
    "ledgers",
)


def upgrade() -> None:
    op.create_table(
        "dispute_votes",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("institution", AddressColumn(), nullable=False),
        sa.Column("dispute", sa.LargeBinary(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("arbiter", AddressColumn(), nullable=False),
        sa.Column("committed_at", sa.BigInteger(), nullable=True),
        sa.Column("revealed_at", sa.BigInteger(), nullable=True),
        sa.Column("units", Amount(), nullable=True),
        sa.Column("slash_bps", sa.Integer(), nullable=True),
        sa.Column("penalty", Amount(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "institution", "dispute", "round", "arbiter"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "disputes",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("institution", AddressColumn(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("job", HashColumn(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("commit_by", sa.BigInteger(), nullable=False),
        sa.Column("reveal_by", sa.BigInteger(), nullable=False),
        sa.Column("appeal_by", sa.BigInteger(), nullable=False),
        sa.Column("seats_drawn", sa.Integer(), nullable=False),
        sa.Column("commitments", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.Integer(), nullable=False),
        sa.Column("penalties", Amount(), nullable=False),
        sa.Column("units", Amount(), nullable=True),
        sa.Column("slash_bps", sa.Integer(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "institution", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_disputes_job", "disputes", ["ledger", "job"])
    op.create_index("ix_disputes_listed", "disputes", ["ledger", "opened_at", "institution", "id"])

    op.create_table(
        "members",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("institution", AddressColumn(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("seat", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("stake", Amount(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("fees_withdrawn", Amount(), nullable=False),
        sa.Column("lost", Amount(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "institution", "account"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "operations",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("institution", AddressColumn(), nullable=False),
        sa.Column("id", HashColumn(), nullable=False),
        sa.Column("calls", sa.JSON(), nullable=False),
        sa.Column("scheduled_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        sa.Column("executed_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "institution", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_operations_listed", "operations", ["ledger", "scheduled_at", "institution", "id"])

    op.create_table(
        "score_history",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("role", sa.Integer(), nullable=False),
        sa.Column("escrow", AddressColumn(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("word", HashColumn(), nullable=False),
        sa.Column("job", HashColumn(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "account", "role", "escrow", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "statistics",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=False),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.Column("excused", sa.BigInteger(), nullable=False),
        sa.Column("disputed", sa.BigInteger(), nullable=False),
        sa.Column("ruled", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.BigInteger(), nullable=False),
        sa.Column("reclaimed", sa.BigInteger(), nullable=False),
        sa.Column("units", Amount(), nullable=False),
        sa.Column("ordered_units", Amount(), nullable=False),
        sa.Column("volume", Amount(), nullable=False),
        sa.Column("fees", Amount(), nullable=False),
        sa.Column("refunds", Amount(), nullable=False),
        sa.Column("slashed", Amount(), nullable=False),
        sa.Column("live_s", Amount(), nullable=False),
        sa.Column("price_low", Amount(), nullable=False),
        sa.Column("price_high", Amount(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "scope", "day", "subject"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_statistics_subject", "statistics", ["ledger", "scope", "subject", "day"])
    for table in _OF_THE_LEDGER:
        op.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608  # our own names


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
