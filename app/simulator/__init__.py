"""A pretend GitHub behind real HTTP, for tests, demonstrations and people who want to try.

Law: it is a program of its own. It imports nothing of the service, keeps everything in memory, and answers
what GitHub answers, refusals included (the sources are named where a behaviour is made).
"""
