"""Mutation testing of ``app/domain``: small faults are planted one by one, and some test has to notice each.

Law: nothing is excused in advance. mutmut's own runner leaves out properties, class bodies and constants, in which a
third of the core lives; so only its mutation operators are used, on everything that runs.
"""
