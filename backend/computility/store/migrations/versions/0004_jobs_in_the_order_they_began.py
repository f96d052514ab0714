"""jobs in the order they began

On SQLite the rows of ``jobs`` rested in the order of their ids, which is none: every new one went into another page of the table, and each page was
written anew for it. Now they go to the end, and only the small index of ids is spread. PostgreSQL always did so.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "sqlite":
        return
    made = sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = 'jobs' AND type = :type AND sql IS NOT NULL")
    table = bind.execute(made, {"type": "table"}).scalar_one()
    indexes = bind.execute(made, {"type": "index"}).scalars().all()
    bind.exec_driver_sql("ALTER TABLE jobs RENAME TO jobs_by_id")
    bind.exec_driver_sql(table.replace("WITHOUT ROWID", ""))
    bind.exec_driver_sql("INSERT INTO jobs SELECT * FROM jobs_by_id ORDER BY listed_block")
    bind.exec_driver_sql("DROP TABLE jobs_by_id")
    for index in indexes:
        bind.exec_driver_sql(index)


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
