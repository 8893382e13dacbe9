"""The web room: the door for webhooks, the API, health, metrics and the pages.

Law: it reads views and sends events; it never decides, and what it changes stands in one transaction of the river.
"""
