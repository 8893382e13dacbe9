"""When the answer to a command was sent, from which on a lost one is looked for.

Revision: 0018.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("commands", sa.Column("begun_at", sa.DateTime(timezone=True)))
