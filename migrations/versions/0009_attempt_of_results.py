"""Which attempt of its run a result is of: deliveries have no order, and the highest attempt counts.

Revision: 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("results", sa.Column("run_attempt", sa.Integer(), server_default="1", nullable=False))
