"""Buttons of pages are causes of decisions.

Revision: 0013.
"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = "('delivery', 'effect', 'timer', 'command', 'api', 'page', 'scan', 'config')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_history_cause_kind"), "history", type_="check")
    op.create_check_constraint(op.f("ck_history_cause_kind"), "history", f"cause_kind IN {KINDS}")
