"""Alembic's entry. ``app.store.migrate`` hands over an open connection and owns the transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
