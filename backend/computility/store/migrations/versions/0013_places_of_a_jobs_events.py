"""places of a job's events

Which logs are listed among the events of a job stands with the job now (decision 104). Rows get them from the rebuild that the new version of the
projections begins; until it is done, ``event_jobs`` answers as before. A constant default needs no look at the rows: it is there at once.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    nothing = "''" if op.get_bind().dialect.name == "postgresql" else "x''"
    op.add_column("jobs", sa.Column("event_places", sa.LargeBinary(), nullable=False, server_default=sa.text(nothing)))


def downgrade() -> None:
    op.drop_column("jobs", "event_places")
