"""The world in GitHub's JSON, for answers and webhooks alike.

Law: rendering reads and never changes the world. The shapes are those of API version 2022-11-28;
``versions.as_of`` takes out what later versions dropped.
"""
