"""The fault suite: seeded misfortune over the whole service, and a checker that sees nothing but the simulator's log.

Law: ``check`` and what it stands on import nothing of ``app``; the driver acts on the world by the simulator's control
surface and on processes by signals, and hooks into nothing.
"""
