"""The pure core: what a change set is and what it does next.

Law: imports nothing of the other rooms, awaits nothing, reads no clock, rolls no dice (``tests/house_rules`` keeps it).
"""
