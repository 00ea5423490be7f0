"""The section ``api``: what would let a stranger in, or answer for the provider, is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from holdfast.core.config.api import Api, Oidc, OwnCertificate
from holdfast.core.texts import MAX_NAME
from holdfast.site.site_file import parse_site
from tests.builders import site_content

OIDC: dict[str, Any] = {
    "issuer": "https://login.example.org/realms/home/",
    "client_id": "holdfast",
    "roles": {"family": "operator"},
}


def test_without_it_nobody_comes_in_from_outside() -> None:
    api = Api()
    assert (api.host, api.port, api.public_url) == ("127.0.0.1", 9480, None)
    assert (api.open_to_view, api.tls, api.oidc) == (False, "off", None)


@pytest.mark.parametrize("value", ["off", "self_made"])
def test_tls_is_a_word(value: str) -> None:
    assert Api.model_validate({"tls": value}).tls == value


@pytest.mark.parametrize("value", ["on", True, False, None, {}, {"certificate": "a"}, {"key": "b"}])
def test_or_two_files_and_nothing_else(value: object) -> None:
    files = Api.model_validate({"tls": {"certificate": "a.pem", "key": "b.pem"}}).tls
    assert isinstance(files, OwnCertificate)
    assert (files.certificate, files.key) == ("a.pem", "b.pem")
    with pytest.raises(ValidationError):
        Api.model_validate({"tls": value})


def test_paths_count_from_the_folder_of_the_file() -> None:
    content = site_content(api={"tls": {"certificate": "tls/c.pem", "key": "/etc/k.pem"}})
    site = parse_site(yaml.safe_dump(content), folder=Path("/srv/site"))
    assert isinstance(site.api.tls, OwnCertificate)
    assert site.api.tls.certificate == "/srv/site/tls/c.pem"
    assert site.api.tls.key == "/etc/k.pem"
    word = parse_site(yaml.safe_dump(site_content(api={"tls": "off"}))).api.tls
    assert word == "off"


def test_a_provider_is_called_as_it_calls_itself() -> None:
    oidc = Oidc.model_validate(OIDC)
    assert oidc.issuer == "https://login.example.org/realms/home"
    assert oidc.roles == {"family": "operator"}
    assert oidc.scopes == "openid profile email"


@pytest.mark.parametrize(
    "issuer",
    ["http://127.0.0.1", "http://127.0.0.1:8080", "http://localhost:8080/x", "https://x"],
)
def test_a_provider_on_this_computer_needs_no_tls(issuer: str) -> None:
    assert Oidc.model_validate(OIDC | {"issuer": issuer}).issuer == issuer


@pytest.mark.parametrize("role", ["viewer", "operator", "service", "admin"])
def test_a_claim_gives_one_of_four_roles(role: str) -> None:
    oidc = Oidc.model_validate(OIDC | {"roles": {"x": role, "y" * MAX_NAME: "viewer"}})
    assert oidc.roles["x"] == role
    assert oidc.role_claim == "groups", "unless another claim tells it"
    with pytest.raises(ValidationError, match="roles"):
        Oidc.model_validate(OIDC | {"roles": {"y" * (MAX_NAME + 1): role}})


@pytest.mark.parametrize("name", ["name", "role_claim"])
def test_what_is_shown_or_looked_up_is_a_short_text(name: str) -> None:
    for text in ("x", "x" * MAX_NAME):
        assert getattr(Oidc.model_validate(OIDC | {name: text}), name) == text
    for text in ("", "x" * (MAX_NAME + 1)):
        with pytest.raises(ValidationError, match=name):
            Oidc.model_validate(OIDC | {name: text})
    assert Oidc.model_validate(OIDC | {"client_id": "x"}).client_id == "x"


def test_a_port_is_one_of_tcp() -> None:
    assert [Api.model_validate({"port": port}).port for port in (1, 65535)] == [1, 65535]
    for port in (0, 65536):
        with pytest.raises(ValidationError, match="port"):
            Api.model_validate({"port": port})


@pytest.mark.parametrize("scopes", ["openid", "email openid", "openid !~"])
def test_scopes_are_words_with_openid_among_them(scopes: str) -> None:
    assert Oidc.model_validate(OIDC | {"scopes": scopes}).scopes == scopes
    for wrong in (f" {scopes}", f"{scopes} ", f"{scopes} é", f"{scopes} \x7f"):
        with pytest.raises(ValidationError, match="scopes"):
            Oidc.model_validate(OIDC | {"scopes": wrong})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"issuer": "http://login.example.org"}, "issuer: .* must be https"),
        ({"issuer": "http://localhost.evil.example"}, "must be https"),
        ({"issuer": "http://127.0.0.1.evil.example"}, "must be https"),
        ({"issuer": "http://127.0.0.1:80x"}, "must be https"),
        ({"issuer": "login.example.org"}, "issuer"),
        ({"scopes": "profile"}, "must have openid among it"),
        ({"scopes": "openid-connect"}, "must have openid among it"),
        ({"scopes": "openid  profile"}, "scopes"),
        ({"roles": {}}, "roles"),
        ({"roles": {"family": "boss"}}, "roles"),
        ({"roles": {"": "admin"}}, "roles"),
        ({"client_secret_env": "the secret itself"}, "environment variable"),
        ({"client_id": ""}, "client_id"),
        ({"role_claim": ""}, "role_claim"),
    ],
)
def test_what_is_wrong_with_a_provider_is_named(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Oidc.model_validate(OIDC | change)


def test_a_secret_that_stands_in_the_file_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as refused:
        Oidc.model_validate(OIDC | {"client_secret_env": "s3cr3t"})
    assert "s3cr3t" not in str([error["msg"] for error in refused.value.errors()])
