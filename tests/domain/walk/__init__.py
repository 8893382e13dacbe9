"""The core walked exhaustively: every order in which a small world can happen to it, each state visited once.

Law: what is not told apart is only what cannot matter (names, ages of what nothing asks the age of); every reduction is
named in ``docs/reliability.md``.
"""
