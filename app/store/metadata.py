"""The one ``MetaData`` of all tables, with names for every constraint, and the types they share.

Law: a table says all that must hold of its rows (CHECK, unique and partial unique indexes); the migrations are compared
with it in a test. Times are ``timestamptz`` in UTC and come from the injected clock, never from ``now()`` in SQL.
"""

from __future__ import annotations

from sqlalchemy import DateTime, MetaData

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Time = DateTime(timezone=True)
