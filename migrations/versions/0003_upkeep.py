"""Indexes by age, for the hourly forgetting of old rows.

Revision: 0003.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AGES = {
    "attempts": "planned_at",
    "build_times": "finished_at",
    "commands": "received_at",
    "effects": "created_at",
    "history": "at",
    "results": "finished_at",
    "signs": "shown_at",
}


def upgrade() -> None:
    for table, column in AGES.items():
        op.create_index(f"ix_{table}_{column}", table, [column])
