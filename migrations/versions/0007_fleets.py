"""Runs of fleets, their targets as change sets of a kind of their own, and two more kinds of timers.

Revision: 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fleet_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("fleet", sa.Text(), nullable=False),
        sa.Column("doc", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("owner = lower(owner)", name=op.f("ck_fleet_runs_owner_lower")),
        sa.CheckConstraint(
            "state IN ('waiting', 'building', 'passed', 'failed', 'error', 'cancelled')",
            name=op.f("ck_fleet_runs_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_runs")),
    )
    op.create_index("ix_fleet_runs_owner_fleet_number", "fleet_runs", ["owner", "fleet", "number"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index("ix_fleet_runs_unfinished", "fleet_runs", ["owner", "fleet"], postgresql_where=unfinished)
    op.create_index("ix_fleet_runs_created_at", "fleet_runs", ["created_at"])
    fleet = sa.text("kind = 'fleet'")
    op.create_index("ix_change_sets_fleet_run", "change_sets", ["base_line"], postgresql_where=fleet)
    _renew("change_sets", "kind", "kind IN ('change_set', 'alone', 'branch', 'fleet')")
    _renew("timers", "kind", "kind IN ('set', 'effect', 'upkeep', 'fleet', 'schedule')")


def _renew(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
