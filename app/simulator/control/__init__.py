"""The simulator's own surface, ``/_simulator/…``: for tests and people, not part of GitHub.

Law: bodies are read strictly (an unknown key is a 400 that names it), answers say what came of the call. What the world
refuses by GitHub's rules is answered with GitHub's code and text.
"""

from app.simulator.control import conditions, people, runs, time, views, world
from app.simulator.control.routing import handle

__all__ = ["conditions", "handle", "people", "runs", "time", "views", "world"]
