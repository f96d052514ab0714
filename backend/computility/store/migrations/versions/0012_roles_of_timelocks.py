"""roles of timelocks

What the timelocks' stored events say of them is folded beside the live build, as the projection's version says.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from computility.store.compact_types import AddressColumn, HashColumn

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "timelock_roles",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("institution", AddressColumn(), nullable=False),
        sa.Column("role", HashColumn(), nullable=False),
        sa.Column("account", AddressColumn(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", AddressColumn(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "institution", "role", "account"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("timelock_roles")
