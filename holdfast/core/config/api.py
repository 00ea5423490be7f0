"""The API is where pages and programs reach a site: its address, who may look, and how they log
in."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.form import EnvVariable
from holdfast.core.config.prices import WebAddress
from holdfast.core.config.section import FilePath, Section
from holdfast.core.texts import MAX_NAME

_TRUSTED = re.compile(r"https://|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/|$)")
RoleName = Literal["viewer", "operator", "service", "admin"]
ClaimValue = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


class OwnCertificate(Section):
    """A certificate that somebody else has made."""

    certificate: FilePath
    """PEM file, the chain behind it included."""
    key: FilePath
    """PEM file of its private key, without a password; nobody else may read it."""


class Oidc(Section):
    """Single sign-on with OpenID Connect."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] = "single sign-on"
    """What the button says."""
    issuer: WebAddress
    """As the provider calls itself; below it is /.well-known/openid-configuration. https, but on
    this computer."""
    client_id: Annotated[str, Field(min_length=1)]
    """As the provider knows this site."""
    client_secret_env: EnvVariable | None = None
    """Name of the environment variable with the client's secret; None: a public client."""
    scopes: Annotated[str, Field(pattern=r"^[\x21-\x7e]+( [\x21-\x7e]+)*$")] = (
        "openid profile email"
    )
    """What is asked for; openid is among it."""
    role_claim: Annotated[str, Field(min_length=1, max_length=MAX_NAME)] = "groups"
    """The claim of the ID token that tells what somebody may do: a text, or a list of texts."""
    roles: Annotated[dict[ClaimValue, RoleName], Field(min_length=1)]
    """What value of the claim gives which role; the highest counts, and who has none stays out."""

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if not _TRUSTED.match(self.issuer):
            raise ValueError(f"issuer: {self.issuer} must be https: anybody could answer for it")
        if "openid" not in self.scopes.split(" "):
            raise ValueError(f"scopes: {self.scopes!r} must have openid among it")
        return self


class Api(Section):
    """The process that serves pages and the API."""

    host: str = "127.0.0.1"
    """Address on which it listens; 0.0.0.0 lets the whole network in."""
    port: Annotated[int, Field(ge=1, le=65535)] = 9480
    """The pages are at http://host:port/, the API below /api/v1."""
    public_url: WebAddress | None = None
    """Address at which people see it, such as https://energy.example.org, where a proxy stands
    before it; then no request counts as one from this computer."""
    open_to_view: bool = False
    """true: who has not logged in may look, and change nothing."""
    tls: Literal["off", "self_made"] | OwnCertificate = "off"
    """off: passwords pass readable. self_made: a certificate of our own, whose fingerprint is
    told at the start. Or ``{certificate: file, key: file}``."""
    oidc: Oidc | None = None
    """Log in at somebody else's; without it with names and passwords only."""
