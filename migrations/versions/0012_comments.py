"""The comment on each member of a change set.

Revision: 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("repository_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.BigInteger()),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("cause", sa.Text()),
        sa.Column("ended", sa.Boolean()),
        sa.Column("round", sa.Text()),
        sa.Column("success", sa.Boolean()),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(cause, ended, round, success) IN (0, 4)",
            name=op.f("ck_comments_shown_is_whole"),
        ),
        sa.PrimaryKeyConstraint("repository_id", "number", "pipeline", name=op.f("pk_comments")),
    )
    op.create_index(op.f("ix_comments_comment_id"), "comments", ["comment_id"])
