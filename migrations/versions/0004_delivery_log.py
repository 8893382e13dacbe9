"""How far the App's delivery log has been read.

Revision: 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_log",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("read_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.Text()),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_delivery_log_one_row")),
        sa.CheckConstraint("taken >= 0", name=op.f("ck_delivery_log_taken")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_log")),
    )
