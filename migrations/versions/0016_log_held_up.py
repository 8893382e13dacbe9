"""Since when the App's delivery log could not be read to its end, and when that was last tried.

Revision: 0016.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery_log", sa.Column("held_up_since", sa.DateTime(timezone=True)))
    op.add_column("delivery_log", sa.Column("held_up_at", sa.DateTime(timezone=True)))
