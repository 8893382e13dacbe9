"""People let the App act for them: codes, user access tokens, and the end of an authorization.

Law: a code is tried once, within ten minutes, for the address and the verifier it was made for. A pair of tokens ends
when it is renewed, all of a person's when the person takes the authorization back; of that the App is told.
Sources: GitHub's pages "Generating a user access token for a GitHub App" and "Refreshing user access tokens". That a
code is used up by a wrong try too is this simulator's, where GitHub is silent.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import timedelta

from app.simulator.consent import Code, UserToken
from app.simulator.errors import OAuthError
from app.simulator.model import Account
from app.simulator.render.accounts import user as user_shape
from app.simulator.world import World

CODE_GOOD_FOR = timedelta(minutes=10)
TOKEN_GOOD_FOR = timedelta(seconds=28_800)
REFRESH_GOOD_FOR = timedelta(seconds=15_897_600)


def authorize(world: World, user: Account, redirect_uri: str, challenge: str | None) -> str:
    """A person agrees; answers the code that the browser takes back."""
    world.authorized.setdefault(user.login.lower(), world.clock.now())
    code = secrets.token_hex(10)
    world.codes[code] = Code(user, redirect_uri, challenge, world.clock.now())
    world.note("authorization", action="authorized", login=user.login)
    return code


def exchange(world: World, code: str, redirect_uri: str | None, verifier: str | None) -> UserToken:
    """Tokens for a code. The address may be left out; one that is given has to be the one the code was made for."""
    made = world.codes.pop(code, None)
    if made is None or made.made_at + CODE_GOOD_FOR <= world.clock.now():
        raise OAuthError("bad_verification_code")
    if redirect_uri is not None and redirect_uri != made.redirect_uri:
        raise OAuthError("redirect_uri_mismatch")
    if made.challenge is not None and challenge_of(verifier or "") != made.challenge:
        raise OAuthError("bad_verification_code")
    return _issue(world, made.user)


def challenge_of(verifier: str) -> str:
    """PKCE's S256 (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("utf-8", "replace")).digest()).decode().rstrip("=")


def renew(world: World, refresh: str) -> UserToken:
    """A new pair of tokens for the old one, which ends."""
    for token in list(world.user_tokens.values()):
        if token.refresh == refresh and token.refresh_expires_at > world.clock.now():
            del world.user_tokens[token.text]
            return _issue(world, token.user)
    raise OAuthError("bad_refresh_token")


def _issue(world: World, user: Account) -> UserToken:
    now = world.clock.now()
    made = UserToken(
        user, f"ghu_{secrets.token_hex(18)}", now + TOKEN_GOOD_FOR,
        f"ghr_{secrets.token_hex(38)}", now + REFRESH_GOOD_FOR,
    )  # fmt: skip
    world.user_tokens[made.text] = made
    return made


def revoke(world: World, user: Account) -> int:
    """A person takes the authorization back: ``github_app_authorization``. Answers how many tokens ended."""
    ended = [token.text for token in world.user_tokens.values() if token.user is user]
    for text in ended:
        del world.user_tokens[text]
    world.codes = {code: made for code, made in world.codes.items() if made.user is not user}
    del world.authorized[user.login.lower()]
    world.note("authorization", action="revoked", login=user.login)
    world.emit("github_app_authorization", "revoked", None, {"action": "revoked", "sender": user_shape(world, user)})
    return len(ended)
