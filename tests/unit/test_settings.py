"""Settings: every variable, the forms it may take, and the one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.logs import masker
from app.settings import Ingest, SettingsError, load, unknown_variables


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No env file of the developer's takes part."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey, form: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def refusal() -> str:
    with pytest.raises(SettingsError) as caught:
        load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_any_variable_everything_has_its_default() -> None:
    settings = load()
    assert not settings.has_app
    assert settings.database_url is None
    assert settings.data_dir.name == "lockstep"
    assert settings.allowed_owners is None
    assert settings.ingest is Ingest.WEBHOOK
    assert (settings.config_repository, settings.config_path) == ("orchestrator", "orchestrator.yml")
    assert (settings.github_api_url, settings.github_url) == ("https://api.github.com", "https://github.com")
    assert settings.secrets() == []


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8], ids=["PKCS#1", "PKCS#8"])
@pytest.mark.parametrize("escaped", [False, True], ids=["lines", "escaped"])
def test_a_private_key_is_taken_in_both_forms_and_with_escaped_line_ends(
    monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey, form: PrivateFormat, escaped: bool
) -> None:
    text = pem(rsa_key, form)
    monkeypatch.setenv("LOCKSTEP_APP_ID", "12")
    monkeypatch.setenv("LOCKSTEP_WEBHOOK_SECRET", "old-secret, new-secret")
    monkeypatch.setenv("LOCKSTEP_PRIVATE_KEY", text.replace("\n", "\\n") if escaped else text)
    settings = load()
    assert settings.has_app
    assert settings.private_key is not None
    assert settings.private_key.get_secret_value() == text
    assert [secret.get_secret_value() for secret in settings.webhook_secret] == ["old-secret", "new-secret"]
    assert settings.secrets() == [text, "old-secret", "new-secret"]
    assert "old-secret" not in repr(settings)


def test_a_private_key_may_lie_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rsa_key: rsa.RSAPrivateKey
) -> None:
    file = tmp_path / "app.key"
    file.write_text(pem(rsa_key))
    monkeypatch.setenv("LOCKSTEP_APP_ID", "12")
    monkeypatch.setenv("LOCKSTEP_INGEST", "pull")
    monkeypatch.setenv("LOCKSTEP_PRIVATE_KEY_FILE", str(file))
    settings = load()
    assert settings.private_key is not None
    assert settings.private_key.get_secret_value() == pem(rsa_key)


@pytest.mark.parametrize("written", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_a_database_address_ends_in_one_form(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", written)
    settings = load()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://u:p@h/d"
    assert settings.secrets() == ["p"]


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com/", "https://github.com"),
        ("https://GHE.acme.com/api/v3/", "https://ghe.acme.com"),
        ("https://ghe.acme.com", "https://ghe.acme.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_the_web_address_follows_the_apis_and_the_apis_is_taken_as_given(
    monkeypatch: pytest.MonkeyPatch, api: str, web: str
) -> None:
    monkeypatch.setenv("LOCKSTEP_GITHUB_API_URL", api)
    settings = load()
    assert settings.github_api_url == api.rstrip("/").lower()
    assert settings.github_url == web


def test_owners_compare_without_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_ALLOWED_OWNERS", "Acme, octo-cat ,")
    assert load().allowed_owners == ("acme", "octo-cat")
    monkeypatch.setenv("LOCKSTEP_ALLOWED_OWNERS", "*")
    assert load().allowed_owners == ("*",)


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "LOCKSTEP_CONFIG_PATH=from/file.yml\nLOCKSTEP_INGEST=pull\nLOCKSTEP_NOTIFY_A_B=hook\n"
    )
    monkeypatch.setenv("LOCKSTEP_INGEST", "both")
    settings = load()
    assert (settings.config_path, settings.ingest) == ("from/file.yml", Ingest.BOTH)
    assert settings.notify["LOCKSTEP_NOTIFY_A_B"].get_secret_value() == "hook"


def test_an_env_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "production.env").write_text("LOCKSTEP_CONFIG_REPOSITORY=control\n")
    monkeypatch.setenv("LOCKSTEP_ENV_FILE", str(tmp_path / "production.env"))
    assert load().config_repository == "control"
    monkeypatch.setenv("LOCKSTEP_ENV_FILE", str(tmp_path / "absent.env"))
    assert refusal().startswith("LOCKSTEP_ENV_FILE names")
    (tmp_path / "absent.env").write_bytes(b"LOCKSTEP_CLIENT_ID=\xff")
    assert "it is not text" in refusal()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_APP_ID", "")
    monkeypatch.setenv("LOCKSTEP_PUBLIC_URL", "")
    monkeypatch.setenv("LOCKSTEP_NOTIFY_ACME_SLACK", "")
    settings = load()
    assert (settings.app_id, settings.public_url, settings.notify) == (None, None, {})


@pytest.mark.parametrize(
    ("variables", "begins"),
    [
        ({"APP_ID": "twelve"}, "LOCKSTEP_APP_ID is not accepted"),
        ({"APP_ID": "-1"}, "LOCKSTEP_APP_ID is not accepted"),
        ({"APP_ID": "12"}, "LOCKSTEP_PRIVATE_KEY is missing beside LOCKSTEP_APP_ID"),
        ({"PRIVATE_KEY": "swordfish"}, "LOCKSTEP_PRIVATE_KEY is no private key"),
        ({"PRIVATE_KEY_FILE": "/absent/swordfish"}, "LOCKSTEP_PRIVATE_KEY_FILE names /absent/swordfish"),
        ({"PRIVATE_KEY_FILE": "/absent", "PRIVATE_KEY": "x"}, "LOCKSTEP_PRIVATE_KEY_FILE is set beside"),
        ({"CLIENT_SECRET": "swordfish"}, "LOCKSTEP_CLIENT_ID is missing"),
        ({"DATABASE_URL": "mysql://u:swordfish@h/d"}, "LOCKSTEP_DATABASE_URL must be a Postgres address"),
        (
            {"DATA_DIR": "~nobody-of-this-name/x"},
            "LOCKSTEP_DATA_DIR names ~nobody-of-this-name/x, but there is no",
        ),
        ({"ALLOWED_OWNERS": "acme/repoA"}, "LOCKSTEP_ALLOWED_OWNERS holds 'acme/repoA'"),
        ({"ALLOWED_OWNERS": ","}, "LOCKSTEP_ALLOWED_OWNERS names nobody"),
        ({"GITHUB_API_URL": "ghe.acme.com"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://me:swordfish@ghe.acme.com"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://:swordfish@ghe.acme.com"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://ghe.acme.com:notaport"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://[::1"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://ghe acme.com"}, "LOCKSTEP_GITHUB_API_URL must be an address"),
        ({"GITHUB_API_URL": "https://github.com"}, "LOCKSTEP_GITHUB_API_URL is GitHub's web address"),
        ({"GITHUB_URL": "https://ghe.acme.com/"}, "LOCKSTEP_GITHUB_API_URL is missing beside LOCKSTEP_GITHUB_URL"),
        ({"GITHUB_URL": "nonsense"}, "LOCKSTEP_GITHUB_URL must be an address"),
        ({"PUBLIC_URL": "lockstep.acme.com"}, "LOCKSTEP_PUBLIC_URL must be an address"),
        ({"CONFIG_REPOSITORY": "acme/orchestrator"}, "LOCKSTEP_CONFIG_REPOSITORY must be a repository's name"),
        ({"CONFIG_REPOSITORY": ".."}, "LOCKSTEP_CONFIG_REPOSITORY must be a repository's name"),
        ({"CONFIG_PATH": "../x.yml"}, "LOCKSTEP_CONFIG_PATH must be a path"),
        ({"CONFIG_PATH": "./x.yml"}, "LOCKSTEP_CONFIG_PATH must be a path"),
        ({"CONFIG_FILE": "~nobody-of-this-name/x"}, "LOCKSTEP_CONFIG_FILE names ~nobody-of-this-name/x"),
        ({"PRIVATE_KEY_FILE": "~nobody-of-this-name/x"}, "LOCKSTEP_PRIVATE_KEY_FILE names ~nobody-of-this-name/x"),
        ({"CONFIG_FILE": "/absent.yml"}, "LOCKSTEP_CONFIG_FILE names /absent.yml"),
        ({"INGEST": "push"}, "LOCKSTEP_INGEST is not accepted: input should be 'webhook', 'pull' or 'both'"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_one_line_that_names_the_variable_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], begins: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"LOCKSTEP_{name}", value)
    line = refusal()
    assert line.startswith(begins)
    assert "swordfish" not in line.replace("/absent/swordfish", "")


def test_likely_api_addresses_are_suggested_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_GITHUB_URL", "https://acme.ghe.com")
    assert refusal().endswith("likely it is https://api.acme.ghe.com")
    monkeypatch.setenv("LOCKSTEP_GITHUB_URL", "https://ghe.acme.com")
    assert refusal().endswith("likely it is https://ghe.acme.com/api/v3")


def test_an_app_needs_its_webhook_secret_and_an_rsa_key(
    monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey
) -> None:
    monkeypatch.setenv("LOCKSTEP_PRIVATE_KEY", pem(rsa_key))
    assert refusal().startswith("LOCKSTEP_APP_ID is missing")
    monkeypatch.setenv("LOCKSTEP_APP_ID", "12")
    assert refusal().startswith("LOCKSTEP_WEBHOOK_SECRET is missing")
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    monkeypatch.setenv("LOCKSTEP_PRIVATE_KEY", curve.decode())
    assert refusal().startswith("LOCKSTEP_PRIVATE_KEY is no RSA key")


def test_several_problems_still_make_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_INGEST", "push")
    monkeypatch.setenv("LOCKSTEP_PUBLIC_URL", "nowhere")
    line = refusal()
    assert "LOCKSTEP_INGEST" in line
    assert "LOCKSTEP_PUBLIC_URL" in line


def test_misspelt_variables_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_WEBHOOK_SECRETS", "x")
    monkeypatch.setenv("LOCKSTEP_NOTIFY_ACME", "x")
    monkeypatch.setenv("LOCKSTEP_TOKEN", "x")
    assert unknown_variables() == ["LOCKSTEP_WEBHOOK_SECRETS"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hidden@h:notaport/db",
        "postgresql://u:hidden@h:0/db",
        "postgresql://u:hidden@[::1/db",
        "postgresql://u:hidden@h/db?sslmod=x",
        "postgresql://u:hidden%zz@h/db",
        "postgresql://h/db?Pashid=hidden",
        "postgresql://u:hid/hidden@h/db",
        "postgresql://u:hid@hidden@h/db",
    ],
)
def test_a_database_address_that_postgres_would_not_understand_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", url)
    line = refusal()
    assert line.startswith("LOCKSTEP_DATABASE_URL must be a Postgres address like postgresql://")
    assert "hid" not in line


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hidden@db/x",
        "postgresql://me:hid?hidden@db/x",
        "postgresql://me:hid:hidden@db/x",
        "postgresql://:hidden@db/x",
        "postgresql://db/x?user=me&password=hidden",
        "postgresql://db/x?password=hidden&sslpassword=hidden-too",
        "postgresql://me:hid%40hidden@db/x",
    ],
)
def test_no_password_of_an_address_is_shown_and_each_is_known(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", url)
    settings = load()
    assert "hid" not in str(settings.masked()["LOCKSTEP_DATABASE_URL"])
    assert any("hidden" in secret for secret in settings.secrets())
    assert "hid" not in masker(settings.secrets())(f"cannot reach {url}")


def test_an_address_without_a_password_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_DATABASE_URL", "postgresql://me@db:5432/x?sslmode=require")
    settings = load()
    assert settings.masked()["LOCKSTEP_DATABASE_URL"] == "postgresql+psycopg://me@db:5432/x?sslmode=require"
    assert settings.secrets() == []


@pytest.mark.parametrize("variable", ["PRIVATE_KEY_FILE", "CONFIG_FILE"])
@pytest.mark.parametrize("escaped", [False, True], ids=["lines", "escaped"])
def test_a_key_in_the_place_of_a_path_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey, variable: str, escaped: bool
) -> None:
    text = pem(rsa_key)
    monkeypatch.setenv(f"LOCKSTEP_{variable}", text.replace("\n", "\\n") if escaped else text)
    said = refusal()
    assert said == f"LOCKSTEP_{variable} must be the path of a file, not what the file holds"
