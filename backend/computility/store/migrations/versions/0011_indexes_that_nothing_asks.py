"""indexes that nothing asks

Those of revision 0010 answer in their place, and every statement was written into each. A revision of its own, as to drop one waits until nobody
reads the table: each try would make those of 0010 anew.
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_COLUMNS = ("chain_id", "kind", "signer", "subject", "provider", "valid_until")


def upgrade() -> None:
    for column in _COLUMNS:
        op.drop_index(f"ix_statements_{column}", "statements")
    op.drop_index("ix_disputes_job", "disputes")


def downgrade() -> None:
    op.create_index("ix_disputes_job", "disputes", ["ledger", "job"])
    for column in _COLUMNS:
        op.create_index(f"ix_statements_{column}", "statements", [column])
