"""``python -m app`` is ``lockstep``."""

from app.cli import main

main()
