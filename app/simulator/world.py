"""The simulated world: everything there is, and where to find it.

Law: one object, one event loop, no locks. Whatever changes the world does so without awaiting, so every request and
every happening sees it whole.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.simulator.clock import Clock
from app.simulator.consent import Code, UserToken
from app.simulator.git import ObjectStore
from app.simulator.ids import Numbers
from app.simulator.model import Account, App, Installation, Repository, Ruleset, Run, Token

Json = dict[str, Any]


@dataclass
class Lag:
    """Seconds until something that happened is seen by those who read."""

    lists: float = 0.0
    mergeability: float = 0.0
    statuses: float = 0.0
    tokens: float = 0.0
    deliveries: float = 0.0


@dataclass
class Script:
    """How the runs of a workflow go. ``None`` matches everything; the youngest script that matches counts."""

    id: int
    repository: str | None = None
    workflow: str | None = None
    queue: float = 0.0
    length: float | None = 1.0  # None: until somebody finishes it
    conclusion: str = "success"
    when: dict[str, str] = field(default_factory=dict)
    attempt: int | None = None  # only this try (1, 2, …) of a run
    times: int | None = None  # how often it is used before older scripts count again
    cancel: float | None = 0.0  # from being told to stop until it ends; None: only force stops it
    silent: bool = False  # sends no webhooks, as some startup failures do (FACTS §2)


@dataclass
class Server:
    """Which GitHub this is. ``ghes`` below 3.21 knows no 2026-03-10 and no run details (FACTS §0, §1)."""

    ghes: str | None = None

    @property
    def old(self) -> bool:
        """Whether it is a server from before run details."""
        return self.ghes is not None and tuple(int(part) for part in self.ghes.split(".")[:2]) < (3, 21)


Listener = Callable[[str, str | None, Repository | None, Json], None]


class World:
    """All accounts, repositories, installations, tokens, the App, and the one browser people share."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.numbers = Numbers()
        self.base_url = "http://127.0.0.1"
        self.server = Server()
        self.lag = Lag()
        self.accounts: dict[str, Account] = {}
        self.repositories: dict[int, Repository] = {}
        self.names: dict[str, int] = {}
        self.old_names: dict[str, int] = {}
        self.grants: dict[tuple[str, str], str] = {}  # (login, owner or owner/name) in lower case → permission
        self.public_members: set[tuple[str, str]] = set()  # (login, owner) in lower case
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.signed_in: Account | None = None  # who sits at the browser
        self.authorized: dict[str, datetime] = {}  # by login in lower case: since when the App may act for a person
        self.codes: dict[str, Code] = {}
        self.user_tokens: dict[str, UserToken] = {}
        self.rulesets: dict[int, Ruleset] = {}
        self.scripts: list[Script] = []
        self.manifests: dict[str, tuple[Json, Account, datetime]] = {}  # by the code that names them
        self._listener: Listener | None = None
        self._journal: Callable[[str, Json], None] | None = None
        ghost = self.account("github", "Organization")
        bot = Account(self.numbers.next("Account"), "lockstep[bot]", "Bot")
        self.app = App(1, "lockstep", "Lockstep", ghost, bot, {}, [], clock.now(), self.numbers.next("Hook"))

    def account(self, login: str, kind: str = "User") -> Account:
        """The account of this login; made on first mention. People cannot have brackets in theirs: those are Apps."""
        key = login.lower()
        if key not in self.accounts:
            kind = "Bot" if key.endswith("[bot]") else kind
            self.accounts[key] = Account(self.numbers.next("Account"), login, kind)
        return self.accounts[key]

    def find_account(self, login: str) -> Account | None:
        """The account of this login, if there is one."""
        return self.accounts.get(login.lower())

    def find_repository(self, full_name: str) -> Repository | None:
        """The repository that has this name now."""
        number = self.names.get(full_name.lower())
        return None if number is None else self.repositories[number]

    def repository_of(self, ruleset: Ruleset) -> Repository | None:
        """Whose rules these are; ``None`` for an organisation's."""
        return None if ruleset.repository_id is None else self.repositories.get(ruleset.repository_id)

    def find_run(self, run_id: int) -> tuple[Repository, Run] | None:
        """A run anywhere, with its repository."""
        for repository in self.repositories.values():
            if run_id in repository.runs:
                return repository, repository.runs[run_id]
        return None

    def add_repository(
        self,
        owner: Account,
        name: str,
        default_branch: str = "main",
        visibility: str = "private",
        store: ObjectStore | None = None,
    ) -> Repository:
        """Make an empty repository; whoever calls gives it its first commit."""
        now = self.clock.now()
        number = self.numbers.next("Repository")
        full_name = f"{owner.login}/{name}"
        repository = Repository(
            number, owner, name, default_branch, visibility, store or ObjectStore(full_name), now, now, now
        )
        self.repositories[number] = repository
        self.names[full_name.lower()] = number
        self.old_names.pop(full_name.lower(), None)
        return repository

    def rename(self, repository: Repository, owner: Account, name: str) -> None:
        """Give a repository another name; the old one leads to it until somebody takes it."""
        self.old_names[repository.full_name.lower()] = repository.id
        del self.names[repository.full_name.lower()]
        repository.owner, repository.name = owner, name
        self.names[repository.full_name.lower()] = repository.id
        self.old_names.pop(repository.full_name.lower(), None)

    def remove_repository(self, repository: Repository) -> None:
        """Delete a repository. Apps are not told (FACTS §7)."""
        del self.repositories[repository.id]
        del self.names[repository.full_name.lower()]

    def installation_on(self, account: Account) -> Installation | None:
        """The App's installation on this account."""
        for installation in self.installations.values():
            if installation.account is account and not installation.deleted:
                return installation
        return None

    def installation_of(self, repository: Repository) -> Installation | None:
        """The installation that covers this repository."""
        installation = self.installation_on(repository.owner)
        if installation is None or not covers(installation, repository):
            return None
        return installation

    def new_token(self, token: Token, stateless: bool = True) -> str:
        """Issue a token of the long, stateless form, or of the short one of old (FACTS §7)."""
        text = f"ghs_{self.app.id}_{secrets.token_urlsafe(360)}" if stateless else f"ghs_{secrets.token_hex(18)}"
        self.tokens[text] = token
        return text

    def listen(self, listener: Listener, journal: Callable[[str, Json], None]) -> None:
        """Where webhooks and the world's own entries go."""
        self._listener, self._journal = listener, journal

    def emit(self, event: str, action: str | None, repository: Repository | None, payload: Json) -> None:
        """Something happened that GitHub would tell the App."""
        if self._listener is not None:
            self._listener(event, action, repository, payload)

    def note(self, what: str, /, **details: Any) -> None:
        """Write a line of the world's own history into the log."""
        if self._journal is not None:
            self._journal(what, details)


def covers(installation: Installation, repository: Repository) -> bool:
    """Whether the App was given this repository."""
    if repository.owner is not installation.account:
        return False
    return installation.repositories is None or repository.id in installation.repositories
