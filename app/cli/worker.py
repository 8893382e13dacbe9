"""``lockstep worker``: a worker alone."""

from __future__ import annotations


def worker() -> None:
    """Work off deliveries and what follows from them, until SIGTERM or Ctrl-C; as many processes as wanted.

    Needs LOCKSTEP_DATABASE_URL and the App's credentials. Migrates the database first.
    """
    from app import logs
    from app.errors import OperatorError
    from app.main import work
    from app.settings import load

    settings = load()
    if settings.database_url is None:
        text = "LOCKSTEP_DATABASE_URL is missing: a worker shares the database of lockstep serve. Set the same one."
        raise OperatorError(text)
    logs.configure(settings.secrets())
    work(settings)
