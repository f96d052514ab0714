"""rewards

What the registries' stored events say of rewards is folded beside the live build, as the projection's version says. Two events of a new dispute come
before the one that names its job: those that were stored without it get it from there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME_THEIR_JOB = """
    UPDATE raw_logs SET job = (
        SELECT opened.job FROM raw_logs AS opened
        WHERE opened.chain_id = raw_logs.chain_id AND opened.name = 'DisputeOpened'
            AND opened.block_number = raw_logs.block_number AND opened.tx_hash = raw_logs.tx_hash AND opened.address = raw_logs.address
            AND substr(opened.topics, 33, 32) = substr(raw_logs.topics, {at}, 32)
    )
    WHERE raw_logs.name = '{name}' AND raw_logs.job IS NULL
"""
_DISPUTE_AT = {"DisputeCreation": 33, "Dispute": 65}
"""Where in their topics the dispute's number begins; in those of ``DisputeOpened`` at the 33rd byte."""


def upgrade() -> None:
    op.create_table(
        "rewards",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("registry_address", AddressColumn(), nullable=False),
        sa.Column("address", AddressColumn(), nullable=False),
        sa.Column("vested", Amount(), nullable=False),
        sa.Column("unvested", Amount(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("vests_by", sa.BigInteger(), nullable=False),
        sa.Column("staked", Amount(), nullable=False),
        sa.Column("taken", Amount(), nullable=False),
        sa.Column("lost", Amount(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "registry_address", "address"),
        sqlite_with_rowid=False,
    )
    for name, at in _DISPUTE_AT.items():
        op.execute(sa.text(_NAME_THEIR_JOB.format(name=name, at=at)))


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
