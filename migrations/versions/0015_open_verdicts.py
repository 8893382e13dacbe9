"""Open change sets by verdict, for the list's counts.

Revision: 0015.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("ix_change_sets_open_verdicts"),
        "change_sets",
        ["verdict_state", "created_at", "id"],
        postgresql_where=sa.text("state = 'open' AND kind IN ('change_set', 'alone')"),
    )
