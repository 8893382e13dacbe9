"""Mutation testing of ``app/domain``: small faults are planted one by one, and some test has to notice each.

Law: nothing is excused in advance. mutmut's own runner leaves out properties, class bodies and constants, where nearly
a fifth of the mutants are; so only its mutation operators are used, on everything that runs.
"""
