"""What the operator says through ``LOCKSTEP_…`` variables or an env file, checked once at the start.

Law: a missing or malformed setting stops the start with one line that names the variable and says how to mend it, and
never shows a value that could be a secret. The variables are part of the public contract (README lists them).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import setting_values as values
from app.database_address import MASK, passwords_of, psycopg_url, without_password
from app.errors import OperatorError

PREFIX = "LOCKSTEP_"
NOTIFY_PREFIX = "LOCKSTEP_NOTIFY_"
ENV_FILE_VARIABLE = "LOCKSTEP_ENV_FILE"
_DEFAULT_ENV_FILE = Path(".env")
_OTHER_VARIABLES = frozenset({ENV_FILE_VARIABLE, "LOCKSTEP_URL", "LOCKSTEP_TOKEN"})
"""Ours too: the latter two are read by the commands that talk to a running service."""


class SettingsError(OperatorError):
    """A setting is missing or malformed."""


class Ingest(StrEnum):
    """How deliveries come in: sent to us, read from the App's delivery log, or both."""

    WEBHOOK = "webhook"
    PULL = "pull"
    BOTH = "both"


DatabaseUrl = Annotated[SecretStr, AfterValidator(psycopg_url)]
PrivateKey = Annotated[SecretStr, AfterValidator(values.rsa_private_key)]
WebUrl = Annotated[str, AfterValidator(values.web_address)]
ApiUrl = Annotated[str, AfterValidator(values.api_address)]
Owners = Annotated[tuple[str, ...], NoDecode, BeforeValidator(values.comma_separated), AfterValidator(values.logins)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(values.comma_separated)]


class Settings(BaseSettings):
    """All settings, read-only. Secrets are ``SecretStr``: printing them shows stars."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: DatabaseUrl | None = None
    """In SQLAlchemy's form for psycopg 3, whichever the operator wrote; ``None``: an embedded Postgres."""
    data_dir: Annotated[Path, AfterValidator(values.at_home)] = Field(
        default_factory=lambda: user_data_path("lockstep", appauthor=False)
    )
    app_id: int | None = Field(default=None, gt=0)
    private_key: PrivateKey | None = None
    """PEM text, also where it came from ``LOCKSTEP_PRIVATE_KEY_FILE``."""
    private_key_file: Path | None = None
    webhook_secret: Secrets = ()
    """Each is accepted, so that a secret can be changed without losing a delivery."""
    client_id: str | None = None
    client_secret: SecretStr | None = None
    allowed_owners: Owners | None = None
    """Lower case; ``None``: the owner that registered the App; ``("*",)``: any."""
    github_api_url: ApiUrl = values.GITHUB_API
    github_url: WebUrl = values.GITHUB_WEB
    public_url: WebUrl | None = None
    config_repository: Annotated[str, AfterValidator(values.repository_name)] = "orchestrator"
    config_path: Annotated[str, AfterValidator(values.path_in_repository)] = "orchestrator.yml"
    config_file: Annotated[Path, AfterValidator(values.readable_file)] | None = None
    ingest: Ingest = Ingest.WEBHOOK
    notify: Annotated[dict[str, SecretStr], NoDecode] = Field(default_factory=dict)
    """The values of all ``LOCKSTEP_NOTIFY_…`` variables by their full names."""

    @property
    def has_app(self) -> bool:
        """Whether the App's credentials are known; without them only the set-up page can be served."""
        return self.app_id is not None and self.private_key is not None

    def secrets(self) -> list[str]:
        """Every secret value, so that logs can mask them wherever they turn up."""
        single = [each for each in (self.private_key, self.client_secret) if each is not None]
        known = [each.get_secret_value() for each in (*single, *self.webhook_secret, *self.notify.values())]
        return [*known, *passwords_of(self.database_url)] if self.database_url else known

    def idle(self) -> list[str]:
        """What is set and does nothing as long as something else is missing, a sentence each."""
        if self.client_id is None or self.client_secret is not None:
            return []
        why = "LOCKSTEP_CLIENT_ID does nothing without LOCKSTEP_CLIENT_SECRET: nobody can log in with GitHub"
        return [f"{why}. The App's settings page makes a client secret"]

    def masked(self) -> dict[str, object]:
        """Every variable with its value, ready for JSON; of a secret only whether it is set."""
        shown = {variable_of(field): _masked(getattr(self, field)) for field in type(self).model_fields}
        if self.database_url is not None:
            shown[variable_of("database_url")] = without_password(self.database_url)
        del shown[variable_of("notify")]
        return shown | dict.fromkeys(sorted(self.notify), MASK)

    @model_validator(mode="before")
    @classmethod
    def _key_from_its_file(cls, given: dict[str, Any]) -> dict[str, Any]:
        file = given.get("private_key_file")
        if not file:
            return given
        if given.get("private_key"):
            raise _Problem("private_key_file", "is set beside LOCKSTEP_PRIVATE_KEY; keep one of them")
        try:
            return given | {"private_key": values.text_of(Path(str(file)))}
        except ValueError as error:
            raise _Problem("private_key_file", str(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _web_and_api_match(cls, given: dict[str, Any]) -> dict[str, Any]:
        web, api = given.get("github_url"), given.get("github_api_url")
        try:
            address = web and values.web_address(str(web))
            derived = api and values.web_of_api(values.api_address(str(api)))
        except ValueError:
            return given  # the field's own check names it
        if address and address != values.GITHUB_WEB and not api:
            text = f"is missing beside LOCKSTEP_GITHUB_URL; likely it is {values.likely_api_of(address)}"
            raise _Problem("github_api_url", text)
        return given | {"github_url": derived} if derived and not web else given

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.app_id is not None and self.private_key is None:
            raise _Problem("private_key", "is missing beside LOCKSTEP_APP_ID; set it or LOCKSTEP_PRIVATE_KEY_FILE")
        if self.private_key is not None and self.app_id is None:
            raise _Problem("app_id", "is missing beside the App's private key; the App's settings page shows it")
        if self.has_app and self.ingest is not Ingest.PULL and not self.webhook_secret:
            raise _Problem("webhook_secret", "is missing; give the App's webhook secret, or set LOCKSTEP_INGEST=pull")
        if self.client_secret is not None and self.client_id is None:
            raise _Problem("client_id", "is missing beside LOCKSTEP_CLIENT_SECRET; the App's settings page shows it")
        return self


class _Problem(ValueError):
    """What is wrong with one field, found where several are looked at together."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def load() -> Settings:
    """Read the environment and the env file (``LOCKSTEP_ENV_FILE``, else ``.env`` here); the environment wins.

    :raises SettingsError: in one line, however much is wrong.
    """
    file = env_file()
    notify = {name: text for name, text in _variables(file).items() if name.startswith(NOTIFY_PREFIX) and text}
    try:
        return Settings(_env_file=file, notify=notify)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        raise SettingsError("; ".join(dict.fromkeys(map(_sentence, error.errors())))) from None


def env_file() -> Path | None:
    """The env file in use, if any."""
    named = os.environ.get(ENV_FILE_VARIABLE)
    if not named and not _DEFAULT_ENV_FILE.is_file():
        return None
    try:
        return values.readable_file(Path(named or _DEFAULT_ENV_FILE))
    except ValueError as error:
        raise SettingsError(f"{ENV_FILE_VARIABLE} {error}") from None


def unknown_variables() -> list[str]:
    """Names that look like ours and mean nothing, so misspelt. Not an error: Kubernetes injects such names."""
    known = {variable_of(field) for field in Settings.model_fields} | _OTHER_VARIABLES
    return sorted(
        name
        for name in map(str.upper, _variables(env_file()))
        if name.startswith(PREFIX) and not name.startswith(NOTIFY_PREFIX) and name not in known
    )


def variable_of(field: str) -> str:
    return PREFIX + field.upper()


def _masked(value: object) -> object:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return [_masked(each) for each in value]
    return str(value) if isinstance(value, Path | StrEnum) else value


def _variables(file: Path | None) -> Mapping[str, str | None]:
    return {**(dotenv_values(file) if file is not None else {}), **os.environ}


def _sentence(error: ErrorDetails) -> str:
    """One problem in words. Pydantic's own messages do not repeat the value; ``input`` does and is left out."""
    cause = error.get("ctx", {}).get("error")
    field = cause.field if isinstance(cause, _Problem) else str(error["loc"][0]) if error["loc"] else "settings"
    text = str(cause) if cause is not None else f"is not accepted: {error['msg'][0].lower()}{error['msg'][1:]}"
    return f"{variable_of(field)} {text}"
