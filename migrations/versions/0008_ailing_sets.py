"""Change sets that went bad and have not recovered, for notifications.

Revision: 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ailing_sets",
        sa.Column("set_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_id"],
            ["change_sets.id"],
            name=op.f("fk_ailing_sets_set_id_change_sets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("set_id", name=op.f("pk_ailing_sets")),
    )
