"""packed jobs

Forty columns cost half of what a job's row did to write, and nobody asks for one of them: now a row has what jobs are searched by, and the rest in
one string of bytes. What is stored is packed as it stands: the folds have not changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

from computility.store.amount import Amount
from computility.store.compact_types import AddressColumn, HashColumn
from computility.store.job_at_rest import JOB_FIELDS, packed_row

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE = 1_000
_JOBS = 1
"""The number by which images of before name the projection."""
_AMOUNTS = {
    "escrow", "from_wallet", "accepted", "pending", "units", "provider_paid", "fee", "refund", "verifier_paid", "arbiter_from_escrow",
    "arbiter_from_bond", "bond_returned", "bond_to_buyer", "bond_to_treasury", "to_wallet",
}  # fmt: skip
_INDEXES: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("ix_jobs_listed", ("ledger", "listed_block", "id"), False),
    ("ix_jobs_buyer", ("ledger", "buyer", "listed_block", "id"), False),
    ("ix_jobs_provider", ("ledger", "provider", "listed_block", "id"), False),
    ("ix_jobs_verifier", ("ledger", "verifier", "listed_block", "id"), False),
    ("ix_jobs_live", ("ledger", "listed_block", "id"), True),
    ("ix_jobs_live_of", ("ledger", "provider", "resource"), True),
)
_IS_LIVE = sa.text("state <> 4")
_INSERT = sa.text(
    "INSERT INTO packed_jobs VALUES (:ledger, :id, :generation, :buyer, :provider, :verifier, :resource, :listed_block, :state, :packed)"
)
_COLUMNS = (
    "ledger",
    "id",
    "generation",
    "buyer",
    "provider",
    "verifier",
    "resource",
    "listed_block",
    "state",
    "packed",
)


def upgrade() -> None:
    bind = op.get_bind()
    postgresql = bind.dialect.name == "postgresql"
    if postgresql:
        # Nothing is added while the jobs are copied; they can be read until the end. What an indexer changed just before makes this begin anew.
        bind.execute(sa.text("LOCK TABLE jobs IN SHARE MODE"))
        bind.execute(sa.text("SELECT number FROM cursors FOR SHARE"))
    op.create_table(
        "packed_jobs",
        sa.Column("ledger", sa.Integer(), nullable=False),
        sa.Column("id", HashColumn(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("buyer", AddressColumn(), nullable=True),
        sa.Column("provider", AddressColumn(), nullable=True),
        sa.Column("verifier", AddressColumn(), nullable=True),
        sa.Column("resource", HashColumn(), nullable=True),
        sa.Column("listed_block", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("ledger", "id"),
    )
    # In the order in which they began: their ids are none.
    old = sa.text(f"SELECT {', '.join(JOB_FIELDS)} FROM jobs ORDER BY ledger, listed_block")  # noqa: S608  # names of our own
    rows = _packed(bind.execute(old.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)), postgresql)
    while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        bind.execute(_INSERT, some)
    _pack_images(bind)
    if postgresql:
        # Beside those of the old table, which answers until the end.
        for name, columns, live in _INDEXES:
            op.create_index(f"{name}_packed", "packed_jobs", list(columns), postgresql_where=_IS_LIVE if live else None)
    op.drop_table("jobs")
    op.rename_table("packed_jobs", "jobs")
    for name, columns, live in _INDEXES:
        if postgresql:
            op.execute(f"ALTER INDEX {name}_packed RENAME TO {name}")
        else:
            op.create_index(name, "jobs", list(columns), sqlite_where=_IS_LIVE if live else None)


def _packed(rows: sa.CursorResult[Any], postgresql: bool) -> Iterator[dict[str, Any]]:
    amounts = [name in _AMOUNTS for name in JOB_FIELDS]
    for row in rows:
        values = [
            None if value is None else _amount(value, postgresql) if amount else _plain(value)
            for amount, value in zip(amounts, row, strict=True)
        ]
        yield dict(zip(_COLUMNS, _at_rest(values), strict=True))


def _at_rest(values: list[Any]) -> tuple[Any, ...]:
    # The places of a job's events have come since.
    return packed_row((*values, b""))[:-1]


def _amount(value: Any, postgresql: bool) -> int:
    return int(value) if postgresql else Amount.from_rest(value)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _pack_images(bind: sa.Connection) -> None:
    """Images of jobs before blocks that are not final: a few."""
    found = bind.execute(
        sa.text("SELECT ledger, block_number, key, before FROM undo WHERE projection = :jobs AND before IS NOT NULL"),
        {"jobs": _JOBS},
    ).all()
    for ledger, number, key, before in found:
        values = [
            int(value) if name in _AMOUNTS and value is not None else value
            for name, value in zip(JOB_FIELDS, msgspec.msgpack.decode(bytes(before)), strict=True)
        ]
        bind.execute(
            sa.text(
                "UPDATE undo SET before = :before WHERE ledger = :ledger AND block_number = :number AND projection = :jobs AND key = :key"
            ),
            {
                "before": msgspec.msgpack.encode(_at_rest(values)), "ledger": ledger, "number": number, "jobs": _JOBS, "key": key,
            },
        )  # fmt: skip


def downgrade() -> None:
    raise NotImplementedError("the ledger's tables are folded from the chain: start from an empty database instead")
