"""Single sign-on: a provider says who somebody is (OpenID Connect, code flow with PKCE).

It is believed for what it has signed, for us, for this one login, and not long ago. What somebody
may do site.yaml says, by a claim of his; who has no role there stays out.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from holdfast.api.access import UserRole
from holdfast.api.auth.accounts import SsoPerson
from holdfast.api.auth.attempt_limit import neighbourhood
from holdfast.api.auth.challenges import Challenges
from holdfast.api.auth.errors import AuthRefused, too_many
from holdfast.api.auth.oidc_provider import CodeRefused, Provider
from holdfast.core.config.api import Oidc
from holdfast.core.errors import SourceError

SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Only what a provider's public key checks; a shared secret would be one more to lose."""
LEEWAY_S = 60
AT_ONCE = 4
"""So many logins wait for the provider at a time."""
_T = TypeVar("_T")


class AsksProvider(Protocol):
    """Asks a provider; :class:`ProviderDesk` is one."""

    def provider(self) -> Provider:
        """Returns what the provider tells of itself. Raises SourceError."""

    def keys(self) -> list[dict[str, Any]]:
        """Returns the keys with which it signs. Raises SourceError."""

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Returns the ID token for a code. Raises SourceError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    nonce: str
    verifier: str
    redirect_uri: str


class SingleSignOn:
    """Sends people to the provider and takes them back."""

    def __init__(
        self,
        config: Oidc,
        desk: AsksProvider,
        clock_s: Callable[[], float] = time.time,
        logins: Challenges[_Login] | None = None,
    ) -> None:
        """``clock_s`` tells the seconds since 1970."""
        self._config = config
        self._desk = desk
        self._clock_s = clock_s
        self._logins: Challenges[_Login] = logins or Challenges()
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def begin(self, redirect_uri: str, address: str) -> tuple[str, str]:
        """Returns where a browser that comes from ``address`` goes, and the state that it brings
        back.

        Raises AuthRefused if the provider does not answer.
        """
        login = _Login(
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
        )
        provider = self._asked(self._desk.provider)
        state = self._logins.ask(neighbourhood(address), login)
        digest = hashlib.sha256(login.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._config.scopes,
            "state": state,
            "nonce": login.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{joint}{urlencode(query)}", state

    def finish(self, state: str, code: str, issuer: str | None) -> SsoPerson:
        """Returns who came back with ``code``; ``issuer`` is what the provider added (RFC 9207).

        Raises AuthRefused.
        """
        login = self._logins.answered(state)
        if login is None:
            raise AuthRefused(403, "the login took too long, or was used before: begin again")
        claims = self._asked(lambda: self._claims(login, code, issuer))
        return self._person(claims)

    def _asked(self, ask: Callable[[], _T]) -> _T:
        if not self._room.acquire(blocking=False):
            raise too_many("others are logging in just now", 5.0)
        try:
            return ask()
        except CodeRefused as error:
            raise AuthRefused(403, f"{self._config.name}: {error}") from None
        except SourceError as error:
            raise AuthRefused(
                503, f"{self._config.name}: {error}; log in with name and password"
            ) from None
        except (JoseError, ValueError) as error:
            raise AuthRefused(
                403, f"{self._config.name}: the ID token is refused: {error}"
            ) from None
        finally:
            self._room.release()

    def _claims(self, login: _Login, code: str, issuer: str | None) -> dict[str, Any]:
        provider = self._desk.provider()
        if issuer is not None and issuer != provider.issuer:
            raise ValueError(f"the answer is of {issuer}")
        id_token = self._desk.exchange(code, login.verifier, login.redirect_uri)
        token = jwt.decode(id_token, _usable(self._desk.keys()), algorithms=SIGNED_BY)
        rules = jwt.JWTClaimsRegistry(
            now=lambda: int(self._clock_s()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": self._config.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": login.nonce},
        )
        rules.validate(token.claims)
        self._check_party(token.claims)
        return dict(token.claims)

    def _check_party(self, claims: dict[str, Any]) -> None:
        """Refuses a token that was issued to another party, and names us beside it."""
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        party = claims.get("azp")
        if party != self._config.client_id and (several or party is not None):
            raise ValueError(f"it was issued to {party}")

    def _person(self, claims: dict[str, Any]) -> SsoPerson:
        name = next(
            str(claims[key]) for key in ("preferred_username", "email", "sub") if claims.get(key)
        )
        told = claims.get(self._config.role_claim)
        values = [told] if isinstance(told, str) else told if isinstance(told, list) else []
        roles = [
            UserRole(self._config.roles[value])
            for value in values
            if isinstance(value, str) and value in self._config.roles
        ]
        if not roles:
            raise AuthRefused(
                403,
                f"{self._config.name} knows {name}, and site.yaml gives him no role: none of "
                f"api.oidc.roles is in his claim {self._config.role_claim}",
            )
        return SsoPerson(
            subject=f"{self._config.issuer}|{claims['sub']}",
            name=name,
            role=max(roles, key=lambda role: role.rank),
        )


def _usable(keys: Iterable[dict[str, Any]]) -> KeySet:
    """Returns the keys that can be read; one of a kind that nobody knows costs itself alone."""
    found: list[Key] = []
    for key in keys:
        with suppress(JoseError, ValueError, KeyError, TypeError):
            found.append(import_key(key))
    return KeySet(found)
