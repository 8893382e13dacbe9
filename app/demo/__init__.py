"""``lockstep demo``: the story of CONTRACT §7 with real processes on loopback, told live, judged by what GitHub shows.

Law: it uses the product from outside only, through its commands and the simulator's HTTP; nothing here is a hook.
"""
