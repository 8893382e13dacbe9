"""What the App's delivery log lists and could not be shown yet.

Revision: 0019.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unread_payloads",
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("action", sa.Text()),
        sa.Column("installation_id", sa.BigInteger()),
        sa.Column("repository_id", sa.BigInteger()),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redelivery", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tries >= 0", name=op.f("ck_unread_payloads_tries")),
        sa.PrimaryKeyConstraint("guid", name=op.f("pk_unread_payloads")),
    )
