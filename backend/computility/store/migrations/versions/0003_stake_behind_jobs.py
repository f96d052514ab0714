"""stake behind jobs

Providers tell what of their stake is reserved. The folds' version rose with it, so the indexer builds all projections anew from the stored logs.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from computility.store.amount import Amount

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = "0" if op.get_bind().dialect.name == "postgresql" else "1" + "0" * 39
    with op.batch_alter_table("providers") as table:
        table.add_column(sa.Column("reserved", Amount(), nullable=False, server_default=nothing))
        table.add_column(sa.Column("suspended", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
