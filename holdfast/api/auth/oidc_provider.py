"""The provider of single sign-on, as it is asked: bounded answers, in time, and no redirects."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote_plus

import httpx
from pydantic import Field, TypeAdapter

from holdfast.core.config.api import Oidc
from holdfast.core.errors import SourceError

TIMEOUT_S = 5.0
MAX_BYTES = 256 * 1024
KNOWN_S = 3600.0
"""What the provider tells of itself is asked for anew after so long."""
_Text = Annotated[str, Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Holds what a provider tells of itself (OpenID Connect Discovery 1.0)."""

    issuer: _Text
    authorization_endpoint: _Text
    token_endpoint: _Text
    jwks_uri: _Text
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keys:
    keys: list[dict[str, Any]]


_PROVIDER, _KEYS = TypeAdapter(Provider), TypeAdapter(_Keys)


class CodeRefused(SourceError):
    """The provider does not know the code that a browser brought."""


class ProviderDesk:
    """Asks one provider."""

    def __init__(
        self, config: Oidc, secret: str, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``secret`` is the client's; empty for a public one."""
        self._config = config
        self._secret = secret
        self._clock_s = clock_s
        self._known: tuple[float, Provider] | None = None
        # It would log each address, with the code in it.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def provider(self) -> Provider:
        """Returns what the provider tells of itself. Raises SourceError."""
        now_s = self._clock_s()
        if self._known is None or now_s - self._known[0] > KNOWN_S:
            found = self._json("GET", f"{self._config.issuer}/.well-known/openid-configuration")
            try:
                provider = _PROVIDER.validate_python(found)
            except ValueError as error:
                raise SourceError(f"what it tells of itself cannot be used: {error}") from None
            self._check(provider)
            self._known = now_s, provider
        return self._known[1]

    def keys(self) -> list[dict[str, Any]]:
        """Returns the keys with which it signs. Raises SourceError."""
        try:
            return _KEYS.validate_python(self._json("GET", self.provider().jwks_uri)).keys
        except ValueError as error:
            raise SourceError(f"its keys cannot be used: {error}") from None

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        """Returns the ID token for the code that a browser brought. Raises SourceError."""
        provider = self.provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        client_id, auth = self._config.client_id, None
        if not self._secret:
            form["client_id"] = client_id
        elif "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            auth = httpx.BasicAuth(quote_plus(client_id), quote_plus(self._secret))
        else:
            form |= {"client_id": client_id, "client_secret": self._secret}
        answer = self._json("POST", provider.token_endpoint, form, auth)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise SourceError("the answer has no ID token")
        return id_token

    def _check(self, provider: Provider) -> None:
        if provider.issuer.rstrip("/") != self._config.issuer:
            raise SourceError(f"calls itself {provider.issuer}; api.oidc.issuer must say the same")
        places = (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri)
        if self._config.issuer.startswith("https://"):
            for place in places:
                if not place.startswith("https://"):
                    raise SourceError(f"{place} is not https, where anybody could answer")

    def _json(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> dict[str, Any]:
        """Asks, and reads an object. Raises SourceError, in whose text no secret stands."""
        end_s = self._clock_s() + 2 * TIMEOUT_S
        body = bytearray()
        try:
            with (
                httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, url, data=form, auth=auth) as answer,
            ):
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > MAX_BYTES or self._clock_s() > end_s:
                        raise SourceError(f"{url}: the answer is too long, or takes too long")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{url}: {type(error).__name__}") from None
        if method == "POST" and answer.status_code == httpx.codes.BAD_REQUEST:
            raise CodeRefused(f"{url}: does not know this login: begin again")
        if not answer.is_success:
            raise SourceError(f"{url}: HTTP {answer.status_code}")
        return _object(url, bytes(body))


def _object(url: str, body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SourceError(f"{url}: the answer is no JSON object")
    return content
