"""``python -m app.simulator``: the simulator without the rest of the house."""

import typer

from app.simulator.cli import simulate_github

if __name__ == "__main__":
    typer.run(simulate_github)
