"""rows in the order they are asked for

Open asks were searched for among all that were ever posted, pages of one kind among the statements of all, and on SQLite a job's disputes among all
disputes. Each of these indexes answers a whole question, and in its order. Readers go on while they are made; whoever posts waits for as long as the
table is read (decision 107).
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_statements_open", "statements", ["chain_id", "kind", "valid_until"])
    op.create_index("ix_statements_of_kind", "statements", ["chain_id", "kind", "sequence"])
    for of in ("subject", "provider", "signer"):
        op.create_index(f"ix_statements_of_{of}", "statements", ["chain_id", of, "kind", "sequence"])
    op.create_index("ix_disputes_of_job", "disputes", ["ledger", "job", "opened_at", "institution", "id"])


def downgrade() -> None:
    op.drop_index("ix_disputes_of_job", "disputes")
    op.drop_index("ix_statements_open", "statements")
    for of in ("kind", "subject", "provider", "signer"):
        op.drop_index(f"ix_statements_of_{of}", "statements")
