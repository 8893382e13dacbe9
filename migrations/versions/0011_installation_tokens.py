"""Tokens of installations, sealed, shared by all processes.

Revision: 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "installation_tokens",
        sa.Column("installation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token_class", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("turn", sa.Text()),
        sa.Column("turn_until", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(sealed IS NULL) = (expires_at IS NULL)", name=op.f("ck_installation_tokens_sealed_expires")
        ),
        sa.CheckConstraint("(turn IS NULL) = (turn_until IS NULL)", name=op.f("ck_installation_tokens_turn_ends")),
        sa.PrimaryKeyConstraint("installation_id", "token_class", name=op.f("pk_installation_tokens")),
    )
