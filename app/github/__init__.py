"""The only room that speaks HTTP to GitHub.

Law: it imports ``app.domain`` and nothing else of the service; it answers with values (``answers``, ``errors.Failure``)
and never raises for what GitHub or the network does.
"""

from app.github.answers import (
    Absent,
    Accepted,
    AlreadyEnded,
    AppIdentity,
    Comment,
    Created,
    Done,
    FileText,
    Gone,
    Installation,
    Missing,
    NotSent,
    Refused,
    RepositoryAnswer,
    SweptRepository,
    Unclear,
    Unreadable,
)
from app.github.client import InstallationClient
from app.github.deliveries import LogEntry, LogPage
from app.github.dispatching import DispatchOutcome
from app.github.errors import Acted, Failure, Kind, Limit
from app.github.hub import GitHub
from app.github.pacing import Limits, Pacing, Priority
from app.github.people import Client, Grant, People, Rights, User
from app.github.sweeping import SweepQuestion

__all__ = [
    "Absent",
    "Accepted",
    "Acted",
    "AlreadyEnded",
    "AppIdentity",
    "Client",
    "Comment",
    "Created",
    "DispatchOutcome",
    "Done",
    "Failure",
    "FileText",
    "GitHub",
    "Gone",
    "Grant",
    "Installation",
    "InstallationClient",
    "Kind",
    "Limit",
    "Limits",
    "LogEntry",
    "LogPage",
    "Missing",
    "NotSent",
    "Pacing",
    "People",
    "Priority",
    "Refused",
    "RepositoryAnswer",
    "Rights",
    "SweepQuestion",
    "SweptRepository",
    "Unclear",
    "Unreadable",
    "User",
]
