"""The whole service on one stage with the simulated GitHub: how stories begin, how time passes, what can be seen.

Law: stories act by the simulator's control surface and judge by what the simulator shows. Only this package knows that
there is a service, and it hooks into nothing: it composes the service as a program of its own would.
"""
