"""When each owner was swept, and indexes by age for the hourly forgetting of old rows.

Revision: 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGES = {
    "attempts": "planned_at",
    "build_times": "finished_at",
    "effects": "created_at",
    "history": "at",
    "results": "finished_at",
    "signs": "shown_at",
}


def upgrade() -> None:
    op.create_table(
        "sweeps",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("owner = lower(owner)", name=op.f("ck_sweeps_owner_lower")),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_sweeps")),
    )
    for table, column in AGES.items():
        op.create_index(f"ix_{table}_{column}", table, [column])
