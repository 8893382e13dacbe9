"""Registering the App from a manifest: the form, the way back with a code, and its conversion (FACTS §7)."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app.simulator.errors import Refusal, not_found, unprocessable
from app.simulator.model import Account
from app.simulator.render import apps as shapes
from app.simulator.rest.routing import Answer, Call, route
from app.simulator.world import World

Json = dict[str, Any]

GOOD_FOR = timedelta(hours=1)


@route("POST", "/organizations/{org}/settings/apps/new", auth="none")
def submit_for_organization(call: Call) -> Answer:
    """The form's target; goes back to ``redirect_url`` with ``code`` and ``state``."""
    return _submit(call, call.world.account(call.params["org"], "Organization"))


@route("POST", "/settings/apps/new", auth="none")
def submit_for_person(call: Call) -> Answer:
    """As above, for a person's own account."""
    return _submit(call, call.world.app.owner)


def _submit(call: Call, owner: Account) -> Answer:
    try:
        manifest = json.loads(parse_qs(call.raw.decode())["manifest"][0])
    except (KeyError, ValueError) as error:
        raise unprocessable("Error: a manifest must be sent as the form field `manifest`, in JSON") from error
    for key in ("name", "url", "redirect_url"):
        if not manifest.get(key):
            raise unprocessable(f'Error: "{key}" wasn\'t supplied.')
    code = secrets.token_hex(20)
    call.world.manifests[code] = (manifest, owner, call.world.clock.now())
    query = urlencode({"code": code, **({"state": call.query["state"]} if "state" in call.query else {})})
    url = manifest["redirect_url"]
    return Answer(302, None, {"location": f"{url}{'&' if '?' in url else '?'}{query}"})


@route("POST", "/app-manifests/{code}/conversions", auth="none")
def convert(call: Call) -> Answer:
    """Make the App what the manifest says, with fresh credentials; a code works once, for an hour."""
    manifest, owner, made_at = call.world.manifests.pop(call.params["code"], (None, None, None))
    if manifest is None or owner is None or made_at is None or made_at + GOOD_FOR < call.world.clock.now():
        raise not_found()
    if not isinstance(manifest.get("default_permissions", {}), dict):
        raise Refusal(422, "Validation Failed", errors=["default_permissions must be an object"])
    pem = _register(call.world, manifest, owner)
    app = call.world.app
    credentials = {"client_secret": app.client_secret, "webhook_secret": app.webhook_secret, "pem": pem}
    return Answer(201, shapes.app(call.world) | credentials)


def _register(world: World, manifest: Json, owner: Account) -> str:
    """Let the App be as described; installations that stand agree to what it now asks for. Answers its private key."""
    app, slug = world.app, str(manifest["name"]).lower().replace(" ", "-")
    app.name, app.slug, app.owner = str(manifest["name"]), slug, owner
    app.bot = world.account(f"{slug}[bot]", "Bot")
    app.permissions = {"metadata": "read", **manifest.get("default_permissions", {})}
    app.events = list(manifest.get("default_events", []))
    app.webhook_url = (manifest.get("hook_attributes") or {}).get("url", app.webhook_url)
    app.webhook_secret, app.client_secret = secrets.token_hex(20), secrets.token_hex(20)
    app.callback_urls = tuple(str(url) for url in manifest.get("callback_urls") or [])
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    app.public_key = key.public_key().public_bytes(serialization.Encoding.PEM, public).decode()
    for installation in world.installations.values():
        installation.permissions, installation.events = dict(app.permissions), list(app.events)
    form = serialization.PrivateFormat.TraditionalOpenSSL  # PKCS#1, as GitHub gives it
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
