"""What the checker knows: how to read the simulator's log, what the world was at each moment, and what is promised.

Law: nothing here imports the service. What a pipeline means is written a second time, from the contract alone.
"""
