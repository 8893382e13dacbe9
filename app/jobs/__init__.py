"""The river: deliveries are taken in, sets decide, effects are performed, timers turn into events.

Law: the queue is wired once; nothing here knows payload shapes or HTTP; GitHub is never called inside a transaction.
"""
