"""An ID token is believed for what its signature, times and addressees say, and no more."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from holdfast.api.access import UserRole
from holdfast.api.auth.accounts import SsoPerson
from holdfast.api.auth.challenges import EACH, KEPT, LASTS_S, Challenges
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.oidc import AT_ONCE, LEEWAY_S, SingleSignOn
from holdfast.api.auth.oidc_provider import Provider
from holdfast.core.config.api import Oidc
from holdfast.core.errors import SourceError
from holdfast.testing.waiting import until
from tests.api.auth.provider import query_of

ISSUER = "https://login.example.org"
NOW_S = 1_780_000_000
KEY, OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "1"}) for _ in range(2))
Claims = dict[str, Any]


class Desk:
    """A provider of the test's own, which says what the test wants."""

    def __init__(self) -> None:
        self.key: Any = KEY
        self.alg = "RS256"
        self.public: list[Claims] = [KEY.as_dict(private=False)]
        self.change: Callable[[Claims], object] = lambda claims: None
        self.asked: dict[str, str] = {}
        self.verifier = ""
        self.token: str | None = None

    def provider(self) -> Provider:
        return Provider(
            issuer=ISSUER,
            authorization_endpoint=f"{ISSUER}/authorize",
            token_endpoint=f"{ISSUER}/token",
            jwks_uri=f"{ISSUER}/jwks",
        )

    def keys(self) -> list[Claims]:
        return self.public

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        assert redirect_uri == self.asked["redirect_uri"]
        self.verifier = verifier
        claims: Claims = {
            "iss": ISSUER, "aud": "holdfast", "sub": "7", "exp": NOW_S + 300, "iat": NOW_S,
            "nonce": self.asked["nonce"], "groups": ["family"], "preferred_username": "Anna",
        }  # fmt: skip
        self.change(claims)
        if self.token is not None:
            return self.token
        return jwt.encode({"alg": self.alg, "kid": "1"}, claims, self.key, algorithms=[self.alg])


class Login:
    def __init__(self) -> None:
        self.now_s = 0.0
        self.desk = Desk()
        config = Oidc(
            issuer=ISSUER, client_id="holdfast", roles={"family": "operator", "boss": "admin"}
        )
        self.logins: Challenges[Any] = Challenges(lambda: self.now_s)
        self.sso = SingleSignOn(config, self.desk, lambda: NOW_S, self.logins)

    def begin(self, address: str = "192.0.2.7") -> str:
        address, state = self.sso.begin("https://energy.example.org/callback", address)
        self.desk.asked = query_of(address)
        assert self.desk.asked["state"] == state
        return state

    def finish(self, issuer: str | None = None) -> SsoPerson:
        return self.sso.finish(self.begin(), "code", issuer)


@pytest.fixture
def login() -> Login:
    return Login()


def test_who_is_vouched_for_comes_in(login: Login) -> None:
    assert login.finish(ISSUER) == SsoPerson(
        subject=f"{ISSUER}|7", name="Anna", role=UserRole.OPERATOR
    )


def test_a_code_is_worth_nothing_without_what_only_we_know(login: Login) -> None:
    login.finish()
    digest = hashlib.sha256(login.desk.verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert login.desk.asked["code_challenge"] == challenge
    assert login.desk.verifier not in str(login.desk.asked)


CHANGES: tuple[tuple[Callable[[Claims], object], str], ...] = (
    (lambda c: c.update(iss="https://evil.example"), "iss"),
    (lambda c: c.update(iss=ISSUER + "/"), "iss"),
    (lambda c: c.pop("iss"), "iss"),
    (lambda c: c.update(aud="another"), "aud"),
    (lambda c: c.update(aud=[]), "aud"),
    (lambda c: c.pop("aud"), "aud"),
    (lambda c: c.update(aud=["holdfast", "another"]), "issued to None"),
    (lambda c: c.update(azp="another"), "issued to another"),
    (lambda c: c.update(exp=NOW_S - LEEWAY_S), "expired"),
    (lambda c: c.update(exp="soon"), "exp"),
    (lambda c: c.pop("exp"), "exp"),
    (lambda c: c.update(iat=NOW_S + LEEWAY_S + 1), "future"),
    (lambda c: c.update(nbf=NOW_S + LEEWAY_S + 1), "not yet"),
    (lambda c: c.update(nonce="of another login"), "nonce"),
    (lambda c: c.pop("nonce"), "nonce"),
    (lambda c: c.pop("sub"), "sub"),
    (lambda c: c.update(sub=""), "sub"),
)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_what_is_not_for_us_now_is_refused(login: Login, number: int) -> None:
    login.desk.change, words = CHANGES[number]
    with pytest.raises(AuthRefused, match=f"(?i)ID token is refused: .*{words}") as refused:
        login.finish()
    assert refused.value.status == 403


def test_several_addressees_are_well_if_it_was_issued_to_us(login: Login) -> None:
    login.desk.change = lambda c: c.update(aud=["another", "holdfast"], azp="holdfast")
    assert login.finish().name == "Anna"


def test_a_signature_of_somebody_else_is_none(login: Login) -> None:
    login.desk.key = OTHER_KEY
    with pytest.raises(AuthRefused, match="ID token is refused"):
        login.finish()


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def not_signed(claims: Claims) -> str:
    return f"{part({'alg': 'none'})}.{part(claims)}."


def signed_with_what_all_know(claims: Claims) -> str:
    """Takes the public key for a shared secret."""
    text = f"{part({'alg': 'HS256', 'kid': '1'})}.{part(claims)}"
    digest = hmac.digest(KEY.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize("forge", [not_signed, signed_with_what_all_know])
def test_a_token_that_anybody_can_make_is_refused(
    login: Login, forge: Callable[[Claims], str]
) -> None:
    login.desk.change = lambda claims: setattr(login.desk, "token", forge(claims))
    with pytest.raises(AuthRefused, match="ID token is refused"):
        login.finish()


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "." * 50])
def test_what_is_no_token_is_refused(login: Login, token: str) -> None:
    login.desk.token = token
    with pytest.raises(AuthRefused, match="ID token is refused"):
        login.finish()


NO_KEYS: tuple[Claims, ...] = ({}, {"kty": "new"}, {"kty": "RSA"}, {"kty": "RSA", "n": 7, "e": []})


@pytest.mark.parametrize("key", NO_KEYS)
def test_a_key_that_is_none_checks_nothing_and_spoils_no_other(login: Login, key: Claims) -> None:
    login.desk.public = [key, *login.desk.public]
    assert login.finish().name == "Anna"
    login.desk.public = [key]
    with pytest.raises(AuthRefused):
        login.finish()


def test_other_kinds_of_keys_do_as_well(login: Login) -> None:
    login.desk.key, login.desk.alg = ECKey.generate_key("P-256", {"kid": "1"}), "ES256"
    login.desk.public = [login.desk.key.as_dict(private=False)]
    assert login.finish().role is UserRole.OPERATOR


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        ("family", UserRole.OPERATOR), (["boss", "family"], UserRole.ADMIN),
        (["family", 7, None, ["boss"]], UserRole.OPERATOR),
    ],
)  # fmt: skip
def test_of_several_roles_the_highest_counts(login: Login, groups: object, role: UserRole) -> None:
    login.desk.change = lambda c: c.update(groups=groups)
    assert login.finish().role is role


@pytest.mark.parametrize(
    "groups", [None, [], "", "Family", ["fam"], {"family": 1}, 7, [["family"]]]
)
def test_who_has_no_role_stays_out(login: Login, groups: object) -> None:
    login.desk.change = lambda c: c.update(groups=groups)
    with pytest.raises(AuthRefused, match=r"site\.yaml gives him no role") as refused:
        login.finish()
    assert refused.value.status == 403


def test_who_has_no_name_is_called_by_what_there_is(login: Login) -> None:
    login.desk.change = lambda c: c.pop("preferred_username")
    assert login.finish().name == "7"


def test_an_answer_of_another_provider_is_noticed(login: Login) -> None:
    with pytest.raises(AuthRefused, match=r"the answer is of https://evil\.example"):
        login.finish("https://evil.example")


def test_a_login_ends_once_and_in_time(login: Login) -> None:
    state = login.begin()
    login.sso.finish(state, "code", None)
    for wrong in (state, "", "made up"):
        with pytest.raises(AuthRefused, match="begin again"):
            login.sso.finish(wrong, "code", None)
    state = login.begin()
    login.now_s += LASTS_S + 1
    with pytest.raises(AuthRefused, match="took too long"):
        login.sso.finish(state, "code", None)


def test_logins_that_nobody_ends_are_given_up_and_those_of_others_later(login: Login) -> None:
    others = login.begin("198.51.100.1")
    first = login.begin()
    for _ in range(KEPT):
        login.begin()
    with pytest.raises(AuthRefused, match="begin again"):
        login.sso.finish(first, "code", None)
    assert len(login.logins._open) == EACH + 1
    for number in range(KEPT):
        login.begin(f"10.0.{number // 250}.{number % 250}")
    assert len(login.logins._open) == KEPT
    with pytest.raises(AuthRefused, match="begin again"):
        login.sso.finish(others, "code", None)


def test_a_provider_that_hangs_holds_up_a_few_and_nobody_else(login: Login) -> None:
    go_on, waiting = threading.Event(), []

    def hang() -> Provider:
        waiting.append(1)
        assert go_on.wait(60)
        raise SourceError("does not answer")

    login.desk.provider = hang  # type: ignore[method-assign]

    def begin() -> None:
        with pytest.raises(AuthRefused, match="does not answer"):
            login.sso.begin("https://x/callback", "192.0.2.7")

    threads = [threading.Thread(target=begin) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    until(lambda: len(waiting) == AT_ONCE, "all wait")
    with pytest.raises(AuthRefused, match="others are logging in") as refused:
        login.sso.begin("https://x/callback", "192.0.2.7")
    assert refused.value.status == 429
    go_on.set()
    for thread in threads:
        thread.join()
