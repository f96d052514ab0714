"""rows in the order they are asked for

Open asks were searched for among all that were ever posted, pages of one kind among the statements of all, and on SQLite a job's disputes among all
disputes. Each of these indexes answers a whole question, and in its order (decision 107). On PostgreSQL they are made before, beside whoever posts
(``indexes_beside``); here what is missing then: readers go on, whoever posts waits for as long as the table is read. A store that ran this revision
as it was before has the same indexes.
"""

from __future__ import annotations

from alembic import op

from computility.store.indexes_beside import IndexBeside, make_missing

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = (
    IndexBeside("ix_statements_open", "statements", ("chain_id", "kind", "valid_until")),
    IndexBeside("ix_statements_of_kind", "statements", ("chain_id", "kind", "sequence")),
    *(
        IndexBeside(f"ix_statements_of_{of}", "statements", ("chain_id", of, "kind", "sequence"))
        for of in ("subject", "provider", "signer")
    ),
    IndexBeside("ix_disputes_of_job", "disputes", ("ledger", "job", "opened_at", "institution", "id")),
)


def upgrade() -> None:
    make_missing(op.get_bind(), INDEXES)


def downgrade() -> None:
    for index in reversed(INDEXES):
        op.drop_index(index.name, index.table)
