"""The notify room: messages to Slack and signed requests to an address of the operator's.

Law: a config names variables, the operator gives their values; no address comes from a config, no redirect is followed,
and whatever becomes of a message, no verdict hangs on it.
"""

from app.notify.sender import Sender, Sent, Undelivered
from app.notify.words import Message, for_slack, for_webhook

__all__ = ["Message", "Sender", "Sent", "Undelivered", "for_slack", "for_webhook"]
