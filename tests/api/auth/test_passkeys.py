"""Passkeys: the right key, at the right page, with its owner's finger, for one challenge."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.api.auth.accounts import Accounts, Passkey
from holdfast.api.auth.challenges import LASTS_S, Challenges
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.passkeys import EACH, PasskeyDesk, can_have_passkeys
from tests.api.auth.authenticator import Authenticator, decoded, encoded
from tests.api.auth.bench import NOON
from tests.api.auth.test_account_store import an_account

ORIGIN = "https://energy.example.org"


class Site:
    """A site at which anna registers and logs in."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.desk = PasskeyDesk(Challenges(lambda: self.now_s))
        self.anna = an_account()

    def register(self, authenticator: Authenticator) -> Passkey:
        begun = self.desk.begin_registration(self.anna, authenticator.origin)
        credential = authenticator.create(begun.options)
        passkey = self.desk.finish_registration("anna", begun.ceremony, credential, "phone", NOON)
        self.anna = replace(self.anna, passkeys=(*self.anna.passkeys, passkey))
        return passkey

    def log_in(
        self,
        authenticator: Authenticator,
        *,
        at: str = ORIGIN,
        change: Callable[[dict[str, Any]], None] = lambda credential: None,
    ) -> str:
        begun = self.desk.begin_login(at, "192.0.2.7")
        credential = authenticator.get(begun.options)
        change(credential)
        account, passkey = self.desk.finish_login(
            Accounts(users=(an_account("otto"), self.anna)), begun.ceremony, credential
        )
        keys = tuple(passkey if key.id == passkey.id else key for key in self.anna.passkeys)
        self.anna = replace(self.anna, passkeys=keys)
        return account.name


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(ORIGIN)


@pytest.mark.parametrize(
    ("origin", "can"),
    [
        ("http://localhost:9480", True), ("https://localhost:9480", True), (ORIGIN, True),
        ("https://holdfast.local:9480", True), ("http://energy.example.org", False),
        ("http://192.168.1.5:9480", False), ("https://192.168.1.5:9480", False),
        ("https://[2001:db8::1]", False), ("http://127.0.0.1:9480", False), ("https://", False),
    ],
)  # fmt: skip
def test_where_browsers_offer_them_and_where_not_is_told(
    site: Site, origin: str, can: bool
) -> None:
    assert can_have_passkeys(origin) is can
    if can:
        site.desk.begin_login(origin, "192.0.2.7")
        site.desk.begin_registration(site.anna, origin)
        return
    with pytest.raises(AuthRefused, match="want https and a name in the place of an address"):
        site.desk.begin_login(origin, "192.0.2.7")
    with pytest.raises(AuthRefused, match="want https and a name in the place of an address"):
        site.desk.begin_registration(site.anna, origin)


def test_who_has_registered_one_logs_in_with_it(site: Site, authenticator: Authenticator) -> None:
    passkey = site.register(authenticator)
    assert (passkey.rp_id, passkey.name, passkey.made) == ("energy.example.org", "phone", NOON)
    for _ in range(3):
        assert site.log_in(authenticator) == "anna"
    assert site.anna.passkeys[0].sign_count == 3


def test_of_several_each_works_and_none_is_registered_twice(site: Site) -> None:
    one, other = Authenticator(ORIGIN), Authenticator(ORIGIN, credential_id=b"other" * 4)
    site.register(one)
    excluded = site.desk.begin_registration(site.anna, ORIGIN).options["excludeCredentials"]
    assert [key["id"] for key in excluded] == [encoded(one.credential_id)]
    site.register(other)
    assert site.log_in(other) == site.log_in(one) == "anna"


def test_no_page_can_ask_for_less_than_the_owners_finger(site: Site) -> None:
    options = site.desk.begin_login(ORIGIN, "192.0.2.7").options
    assert options["userVerification"] == "required"
    made = site.desk.begin_registration(site.anna, ORIGIN).options["authenticatorSelection"]
    assert made["userVerification"] == made["residentKey"] == "required"
    for step in (site.register, site.log_in):
        untouched = Authenticator(ORIGIN, verified=False)
        with pytest.raises(AuthRefused):
            step(untouched)
    finger = Authenticator(ORIGIN)
    site.register(finger)
    finger.verified = False
    with pytest.raises(AuthRefused, match="verif"):
        site.log_in(finger)


def test_an_answer_counts_once_and_in_time(site: Site, authenticator: Authenticator) -> None:
    site.register(authenticator)
    accounts = Accounts(users=(site.anna,))
    begun = site.desk.begin_login(ORIGIN, "192.0.2.7")
    credential = authenticator.get(begun.options)
    site.desk.finish_login(accounts, begun.ceremony, credential)
    with pytest.raises(AuthRefused, match="used before"):
        site.desk.finish_login(accounts, begun.ceremony, credential)
    begun = site.desk.begin_login(ORIGIN, "192.0.2.7")
    site.now_s += LASTS_S + 1
    with pytest.raises(AuthRefused, match="took too long"):
        site.desk.finish_login(accounts, begun.ceremony, authenticator.get(begun.options))
    # What answers another challenge is no answer.
    begun, other = (
        site.desk.begin_login(ORIGIN, "192.0.2.7"),
        site.desk.begin_login(ORIGIN, "192.0.2.7"),
    )
    with pytest.raises(AuthRefused, match="does not prove"):
        site.desk.finish_login(accounts, begun.ceremony, authenticator.get(other.options))


def test_a_page_that_only_looks_like_ours_gets_nothing(
    site: Site, authenticator: Authenticator
) -> None:
    site.register(authenticator)
    authenticator.origin = "https://energy.example.org.evil.example"
    with pytest.raises(AuthRefused, match="does not prove"):
        site.log_in(authenticator)


def test_one_of_another_host_is_not_known(site: Site) -> None:
    at_home = Authenticator("https://holdfast.local")
    site.register(at_home)
    at_home.origin = ORIGIN
    with pytest.raises(AuthRefused, match="is not known here"):
        site.log_in(at_home)


def test_a_copy_of_an_authenticator_is_noticed(site: Site, authenticator: Authenticator) -> None:
    site.register(authenticator)
    site.log_in(authenticator)
    authenticator.count = 0
    with pytest.raises(AuthRefused, match="does not prove"):
        site.log_in(authenticator)


def test_another_key_of_the_same_name_is_refused(site: Site, authenticator: Authenticator) -> None:
    site.register(authenticator)
    with pytest.raises(AuthRefused, match="does not prove"):
        site.log_in(Authenticator(ORIGIN, credential_id=authenticator.credential_id))


def test_a_registration_is_finished_by_who_began_it_and_a_login_is_none(
    site: Site, authenticator: Authenticator
) -> None:
    begun = site.desk.begin_registration(site.anna, ORIGIN)
    with pytest.raises(AuthRefused, match="somebody else"):
        site.desk.finish_registration(
            "otto", begun.ceremony, authenticator.create(begun.options), "x", NOON
        )
    begun = site.desk.begin_registration(site.anna, ORIGIN)
    with pytest.raises(AuthRefused, match="to register"):
        site.desk.finish_login(Accounts(users=(site.anna,)), begun.ceremony, {})
    login = site.desk.begin_login(ORIGIN, "192.0.2.7")
    with pytest.raises(AuthRefused, match="somebody else"):
        site.desk.finish_registration("anna", login.ceremony, {}, "x", NOON)


def test_nobody_has_more_than_there_is_room_for(site: Site) -> None:
    for number in range(EACH):
        site.register(Authenticator(ORIGIN, credential_id=bytes([number]) * 20))
    with pytest.raises(AuthRefused, match="remove one first"):
        site.desk.begin_registration(site.anna, ORIGIN)


CHANGES: tuple[Callable[[dict[str, Any]], Any], ...] = (
    lambda c: c.clear(),
    lambda c: c.update(id=7),
    lambda c: c.update(response=None),
    lambda c: c.update(response=[]),
    lambda c: c.update(type="password"),
    lambda c: c.update(rawId="AAAA"),
    lambda c: c["response"].update(signature=""),
    lambda c: c["response"].update(signature="!"),
    lambda c: c["response"].update(signature=None),
    lambda c: c["response"].update(authenticatorData="AAAA"),
    lambda c: c["response"].update(authenticatorData=encoded(b"\xff" * 37)),
    lambda c: c["response"].update(authenticatorData=encoded(b"\xff" * 200)),
    lambda c: c["response"].update(clientDataJSON=encoded(b"[]")),
    lambda c: c["response"].update(clientDataJSON=encoded(b"{")),
    lambda c: c["response"].update(clientDataJSON=encoded(b"{}")),
    lambda c: c["response"].update(clientDataJSON=encoded(b"\xff\xff")),
    lambda c: c["response"].pop("clientDataJSON"),
    lambda c: c["response"].update(
        clientDataJSON=encoded(
            decoded(c["response"]["clientDataJSON"]).replace(b"webauthn.get", b"webauthn.create")
        )
    ),
)


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_an_answer_that_was_tampered_with_is_refused(
    site: Site, authenticator: Authenticator, number: int
) -> None:
    site.register(authenticator)
    with pytest.raises(AuthRefused):
        site.log_in(authenticator, change=CHANGES[number])
    assert site.log_in(authenticator) == "anna"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(data=st.data())
def test_an_attestation_of_noise_is_refused_and_nothing_worse(data: st.DataObject) -> None:
    site, authenticator = Site(), Authenticator(ORIGIN)
    begun = site.desk.begin_registration(site.anna, ORIGIN)
    credential = copy.deepcopy(authenticator.create(begun.options))
    good = decoded(credential["response"]["attestationObject"])
    at = data.draw(st.integers(0, len(good) - 1))
    noise = data.draw(st.binary(max_size=8))
    changed = good[:at] + noise + good[at + data.draw(st.integers(0, 8)) :]
    credential["response"]["attestationObject"] = encoded(changed)
    assert json.dumps(credential)
    try:
        site.desk.finish_registration("anna", begun.ceremony, credential, "x", NOON)
    except AuthRefused:
        return
