"""Since when each repository that a sweep could not read has not been compared.

Revision: 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sweeps", sa.Column("owed", postgresql.JSONB(), server_default="{}", nullable=False))
