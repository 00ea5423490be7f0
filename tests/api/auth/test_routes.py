"""Logging in as a browser does it: what it is given, what it may do with it, and when that ends."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import Depends, WebSocket
from starlette.requests import HTTPConnection

from holdfast.api.access import (
    Principal,
    Right,
    UserRole,
    needs,
    rights_of,
    rights_without_a_person,
)
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.passwords import WAITING
from holdfast.api.auth.sessions import IDLE
from holdfast.core.config.api import Api
from tests.api.auth.authenticator import Authenticator
from tests.api.auth.bench import PASSWORD, PREFIX, AuthBench, detail, log_in

AUTH = f"{PREFIX}/auth"
STATUS = f"/{Right.SITE_READ}"


async def token_of(client: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    body = {"name": "reader", "role": "viewer", "expires": "2027-01-01T00:00:00Z"} | wanted
    answer = await client.post(f"{AUTH}/tokens", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


# ------------------------------------------------------------------ rights


@pytest.mark.parametrize("role", [None, *UserRole])
async def test_each_role_may_do_what_the_table_says(
    bench: AuthBench, role: UserRole | None
) -> None:
    async with bench.browser() if role is None else bench.logged_in(role) as client:
        told = set((await client.get(f"{AUTH}/me")).json()["rights"])
        assert told == set(rights_of(role))
        for right in Right:
            expected = 200 if right in rights_of(role) else 401 if role is None else 403
            for ask in (client.get, client.post):
                answer = await ask(f"/{right}")
                assert answer.status_code == expected, (right, answer.text)


async def test_who_may_not_is_told_what_it_takes_and_it_is_on_record(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.VIEWER) as client:
        text = detail(await client.post(f"/{Right.SITE_START}"))
        assert text == "to let power flow takes the role operator; anna is viewer"
    assert ("anna", "access", text, False) in bench.told
    async with bench.browser() as client:
        answer = await client.post(f"/{Right.SITE_START}")
        assert detail(answer) == "log in first, or send a token"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("open_to_view", [False, True])
async def test_who_may_look_without_logging_in_may_do_no_more(
    bench: AuthBench, tmp_path: Any, open_to_view: bool
) -> None:
    site = AuthBench(tmp_path / "open", Api(open_to_view=open_to_view))
    rights = rights_without_a_person(UserRole.VIEWER) if open_to_view else rights_of(None)
    async with site.browser() as client:
        for right in Right:
            assert ((await client.post(f"/{right}")).status_code == 200) is (right in rights)
        state = (await client.get(f"{AUTH}/state")).json()
        assert state["open_to_view"] is open_to_view
    site.close()


# ------------------------------------------------------------------ the first login


async def test_the_code_on_the_console_makes_the_first_admin(bench: AuthBench) -> None:
    code = bench.auth.setup.shown()
    async with bench.browser() as client:
        assert (await client.get(f"{AUTH}/state")).json() == {
            "setup_needed": True, "open_to_view": False, "passkeys": True, "oidc": None,
        }  # fmt: skip
        body = {"code": code, "name": " Owner ", "password": PASSWORD}
        short = await client.post(f"{AUTH}/setup", json=body | {"password": "short"})
        assert (short.status_code, "10 are the least" in short.text) == (409, True)
        answer = await client.post(f"{AUTH}/setup", json=body)
        assert (answer.json()["name"], answer.json()["role"]) == ("owner", "admin")
        assert (await client.get(STATUS)).json()["name"] == "owner"
        assert not (await client.get(f"{AUTH}/state")).json()["setup_needed"]
        again = await client.post(f"{AUTH}/setup", json=body | {"name": "mallory"})
        assert again.status_code == 409
    assert ("owner", "setup", "the first admin is made", True) in bench.told


async def test_who_guesses_the_code_has_to_wait(bench: AuthBench) -> None:
    code = bench.auth.setup.shown()
    body = {"code": "2222-2222-2222", "name": "mallory", "password": PASSWORD}
    async with bench.browser(address="203.0.113.9") as client:
        statuses = [(await client.post(f"{AUTH}/setup", json=body)).status_code for _ in range(9)]
        assert statuses == [403] * 5 + [429] * 4
        right = await client.post(f"{AUTH}/setup", json=body | {"code": code})
        assert right.status_code == 429
    async with bench.browser() as client:
        assert (await client.post(f"{AUTH}/setup", json=body | {"code": code})).status_code == 200


# ------------------------------------------------------------------ name and password


async def test_a_browser_is_given_a_cookie_that_no_script_and_no_other_site_gets_at(
    bench: AuthBench,
) -> None:
    bench.add("anna", UserRole.ADMIN)
    for at, secure in (("http://localhost:9480", False), ("https://holdfast.local", True)):
        async with bench.browser(at=at) as client:
            (cookie,) = (await log_in(client, "Anna ")).headers.get_list("set-cookie")
            parts = [part.strip().lower() for part in cookie.split(";")]
            assert {"httponly", "samesite=strict", "path=/"} <= set(parts)
            assert ("secure" in parts) is secure
            assert not any(part.startswith("domain") for part in parts)


async def test_wrong_name_and_wrong_password_are_told_alike(bench: AuthBench) -> None:
    bench.add("anna", UserRole.ADMIN)
    bench.change("anna", passkeys=())
    async with bench.browser() as client:
        answers = [
            await log_in(client, name, password)
            for name, password in (("anna", "wrong"), ("otto", PASSWORD), ("otto", "wrong"))
        ]
        answers.append(await log_in(client, "../../etc/passwd", "wrong"))
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (401, '{"detail":"name or password is wrong"}')
    }
    assert bench.told.count(("anna", "login", "name or password is wrong", False)) == 1


async def test_after_wrong_tries_one_waits_and_the_owner_at_home_does_not(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.ADMIN, address="192.0.2.1"):
        async with bench.browser(address="203.0.113.9") as stranger:
            statuses = [(await log_in(stranger, "anna", "wrong")).status_code for _ in range(8)]
            assert statuses == [401] * 5 + [429] * 3
            answer = await log_in(stranger, "anna")
            assert answer.status_code == 429
            assert int(answer.headers["Retry-After"]) >= 1
        for address in ("192.0.2.1", "198.51.100.77"):
            async with bench.browser(address=address) as owner:
                assert (await log_in(owner, "anna")).status_code == 200


async def test_many_logins_at_once_starve_nobody(bench: AuthBench) -> None:
    """Of a flood a few are served, and the rest is told when to come again."""
    bench.add("anna", UserRole.ADMIN)
    async with bench.browser() as client:
        answers = await asyncio.gather(*(log_in(client, f"user{n}", "wrong") for n in range(60)))
        for answer in answers:
            assert answer.status_code in {401, 429}
            assert answer.status_code == 401 or int(answer.headers["Retry-After"]) >= 1
        assert [answer.status_code for answer in answers].count(429) >= 60 - 20 - WAITING - 1


async def test_a_session_that_somebody_brought_along_is_not_the_one_that_logs_in(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client:
        before = client.cookies["holdfast_session"]
        assert (await log_in(client, "anna")).status_code == 200
        assert client.cookies["holdfast_session"] != before
        old = {"Cookie": f"holdfast_session={before}"}
        client.cookies.clear()
        assert (await client.get(STATUS, headers=old)).status_code == 401


# ------------------------------------------------------------------ the end of a session


async def test_a_cookie_that_was_stolen_is_worth_nothing_after_the_logout(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client:
        stolen = client.cookies["holdfast_session"]
        assert (await client.post(f"{AUTH}/logout")).status_code == 204
        assert "holdfast_session" not in client.cookies
        for path in (STATUS, f"{AUTH}/sessions", f"{AUTH}/users"):
            answer = await client.get(path, headers={"Cookie": f"holdfast_session={stolen}"})
            assert answer.status_code == 401
    assert ("anna", "logout", "", True) in bench.told


async def test_sessions_are_listed_and_end_one_by_one_and_all(bench: AuthBench) -> None:
    async with (
        bench.logged_in(UserRole.VIEWER) as here,
        bench.logged_in(UserRole.VIEWER, address="198.51.100.1") as there,
        bench.logged_in(UserRole.VIEWER, "otto") as other,
    ):
        listed = (await here.get(f"{AUTH}/sessions")).json()
        assert [row["current"] for row in listed] == [True, False]
        assert listed[1]["address"] == "198.51.100.1"
        path = f"{AUTH}/sessions/{listed[1]['id']}"
        assert (await other.delete(path)).status_code == 404
        assert (await there.get(STATUS)).status_code == 200
        assert (await here.delete(path)).status_code == 204
        assert (await there.get(STATUS)).status_code == 401
        assert (await here.delete(f"{AUTH}/sessions")).json() == {"ended": 1}
        assert (await here.get(STATUS)).status_code == 401
        assert (await other.get(STATUS)).status_code == 200


async def test_a_session_ends_without_use(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.VIEWER) as client:
        bench.clock.utc += IDLE - timedelta(seconds=1)
        assert (await client.get(STATUS)).status_code == 200
        bench.clock.utc += IDLE
        assert (await client.get(STATUS)).status_code == 401


async def test_a_new_password_ends_all_sessions_but_the_one_it_was_given_in(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.VIEWER) as here, bench.logged_in(UserRole.VIEWER) as there:
        body = {"old": "not this", "new": "another good one"}
        assert (await here.post(f"{AUTH}/password", json=body)).status_code == 403
        body["old"] = PASSWORD
        weak = await here.post(f"{AUTH}/password", json=body | {"new": "anna"})
        assert weak.status_code == 409
        assert (await here.post(f"{AUTH}/password", json=body)).status_code == 200
        assert (await here.get(STATUS)).status_code == 200
        assert (await there.get(STATUS)).status_code == 401
        assert (await log_in(there, "anna")).status_code == 401
        assert (await log_in(there, "anna", "another good one")).status_code == 200


# ------------------------------------------------------------------ other sites' pages


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"X-Holdfast": ""},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    ],
)  # fmt: skip
async def test_a_page_of_another_site_changes_nothing_with_the_cookie_of_its_visitor(
    bench: AuthBench, headers: dict[str, str]
) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client:
        for right in set(Right) - {Right.SITE_STOP}:
            answer = await client.post(f"/{right}", headers=headers)
            assert answer.status_code == 403, (right, answer.text)
        for path in ("tokens", "users", "totp/begin", "logout"):
            assert (await client.post(f"{AUTH}/{path}", headers=headers)).status_code == 403
        assert (await client.get(STATUS)).status_code == 200


async def test_nor_does_it_stop_the_site_or_log_its_visitor_in(bench: AuthBench) -> None:
    bench.add("mallory", UserRole.VIEWER)
    async with bench.browser() as client:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            stop = await client.post(f"/{Right.SITE_STOP}", headers=headers)
            assert stop.status_code == 403
            body = {"name": "mallory", "password": PASSWORD}
            answer = await client.post(f"{AUTH}/login", json=body, headers=headers)
            assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)


# ------------------------------------------------------------------ stopping


async def test_whoever_asks_and_whatever_is_wrong_with_him_may_stop(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.VIEWER) as client:
        assert (await client.post(f"/{Right.SITE_STOP}")).json()["name"] == "anna"
        without_header = {"X-Holdfast": ""}
        assert (await client.post(f"/{Right.SITE_STOP}", headers=without_header)).status_code == 200
    async with bench.browser(own_page=False) as client:
        for headers in (
            {}, {"Cookie": "holdfast_session=old"}, {"Authorization": "Bearer hf_old"},
            {"Authorization": "nonsense"},
        ):  # fmt: skip
            answer = await client.post(f"/{Right.SITE_STOP}", headers=headers)
            assert (answer.status_code, answer.json()["name"]) == (200, "anybody")


async def test_a_damaged_file_of_accounts_keeps_all_out_and_stops_nobody_from_stopping(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client:
        token = (await token_of(client))["token"]
        (bench.files.accounts / "accounts.json").write_bytes(b"torn")
        bearer = {"Authorization": f"Bearer {token}"}
        for answer in (
            await client.get(STATUS),
            await client.get(STATUS, headers=bearer),
            await log_in(client, "anna"),
            await client.get(f"{AUTH}/state"),
        ):
            assert answer.status_code == 503
            assert "nobody can log in until it is mended" in detail(answer)
        for headers in ({}, bearer):
            answer = await client.post(f"/{Right.SITE_STOP}", headers=headers)
            assert answer.status_code == 200


# ------------------------------------------------------------------ tokens


async def test_a_program_comes_in_with_its_token_and_does_what_it_may(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client, bench.browser(own_page=False) as program:
        made = await token_of(client, role="operator", rights=["site.read", "plan.override"])
        program.headers["Authorization"] = f"Bearer {made['token']}"
        may = {Right.SITE_READ, Right.SITE_STOP, Right.PLAN_OVERRIDE}
        for right in Right:
            assert ((await program.post(f"/{right}")).status_code == 200) is (right in may)
        told = (await program.get(STATUS)).json()
        assert (told["name"], told["how"]) == ("anna", "token reader")
        me = (await program.get(f"{AUTH}/me")).json()
        assert set(me["rights"]) == {"site.read", "plan.override"}
        refused = detail(await program.post(f"/{Right.SITE_START}"))
        assert "not among the rights of this token reader" in refused
        (listed,) = (await client.get(f"{AUTH}/tokens")).json()
        assert "token" not in listed
        assert listed["used"] == bench.clock.utc.isoformat().replace("+00:00", "Z")
        assert (await client.delete(f"{AUTH}/tokens/{made['id']}")).status_code == 204
        assert (await program.get(STATUS)).status_code == 401
        assert (await client.delete(f"{AUTH}/tokens/{made['id']}")).status_code == 404
    assert [row[2] for row in bench.told if row[1] == "token"] == [
        "reader made: operator, to 2027-01-01", f"{made['id']} taken back",
    ]  # fmt: skip


async def test_what_a_proxy_asks_for_itself_is_no_token(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.VIEWER) as client:
        of_proxy = {"Authorization": "Basic YTpi"}
        assert (await client.get(STATUS, headers=of_proxy)).json()["name"] == "anna"


async def test_a_token_ends_in_time_and_with_its_owner(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client, bench.browser(own_page=False) as program:
        bench.add("otto", UserRole.ADMIN)
        short = await token_of(client, expires="2026-11-29T12:00:05Z")
        long = await token_of(client, name="other")

        async def status(made: dict[str, Any]) -> int:
            bearer = {"Authorization": f"bearer {made['token']}"}
            return (await program.get(STATUS, headers=bearer)).status_code

        assert [await status(short), await status(long)] == [200, 200]
        bench.clock.goes_on(seconds=5)
        assert [await status(short), await status(long)] == [401, 200]
        bench.auth.store.change(lambda accounts: accounts.without("anna"))
        assert await status(long) == 401


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"role": "admin"}, 403), ({"role": "boss"}, 422), ({"rights": ["config.write"]}, 409),
        ({"rights": ["all"]}, 422), ({"expires": "2020-01-01T00:00:00Z"}, 409),
        ({"expires": "2027-01-01T00:00:00"}, 422), ({"expires": 1893456000}, 422),
        ({"name": ""}, 422), ({"name": "a\nb"}, 422), ({"name": 7}, 422), ({"more": 1}, 422),
        ({"name": "x" * 101}, 422),
    ],
)  # fmt: skip
async def test_a_token_that_would_be_too_much_is_not_made(
    bench: AuthBench, wanted: dict[str, Any], status: int
) -> None:
    async with bench.logged_in(UserRole.OPERATOR) as client:
        body = {"name": "x", "role": "viewer", "expires": "2027-01-01T00:00:00Z"} | wanted
        assert (await client.post(f"{AUTH}/tokens", json=body)).status_code == status
        assert (await client.get(f"{AUTH}/tokens")).json() == []


async def test_no_token_makes_tokens_or_accounts(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client, bench.browser(own_page=False) as program:
        made = await token_of(client, role="admin")
        program.headers["Authorization"] = f"Bearer {made['token']}"
        for path in ("tokens", "users", "sessions"):
            assert (await program.get(f"{AUTH}/{path}")).status_code == 403
        for path in ("logout", "totp/begin", "passkeys/register/begin"):
            assert (await program.post(f"{AUTH}/{path}")).status_code == 403


# ------------------------------------------------------------------ second factors


async def test_an_authenticator_app_is_asked_for_once_it_has_shown_a_code(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.OPERATOR) as client, bench.browser() as elsewhere:
        begun = (await client.post(f"{AUTH}/totp/begin")).json()
        app = pyotp.TOTP(begun["secret"])
        assert begun["uri"].startswith("otpauth://totp/Holdfast%20house:anna?")
        assert (await log_in(elsewhere, "anna")).status_code == 200  # nothing has changed yet
        body = {"ceremony": begun["ceremony"], "code": app.at(bench.clock.utc)}
        codes = (await client.post(f"{AUTH}/totp/confirm", json=body)).json()["recovery_codes"]
        assert (await client.post(f"{AUTH}/totp/confirm", json=body)).status_code == 403
        assert (await client.get(f"{AUTH}/me")).json()["totp"] is True

        bench.clock.goes_on(minutes=5)
        missing = await log_in(elsewhere, "anna")
        assert (missing.status_code, missing.headers["X-Holdfast-Needs"]) == (401, "totp")
        wrong = await log_in(elsewhere, "anna", totp="000000")
        assert (wrong.status_code, "X-Holdfast-Needs" in wrong.headers) == (401, False)
        right = app.at(bench.clock.utc)
        assert (await log_in(elsewhere, "anna", "wrong", totp=right)).status_code == 401
        assert (await log_in(elsewhere, "anna", totp=right)).status_code == 200
        assert "was used before" in detail(await log_in(elsewhere, "anna", totp=right))
        assert (await log_in(elsewhere, "anna", totp=codes[0])).status_code == 200
        assert (await log_in(elsewhere, "anna", totp=codes[0])).status_code == 401
        assert (await client.get(f"{AUTH}/me")).json()["recovery_codes"] == len(codes) - 1

        assert (await client.post(f"{AUTH}/totp/begin")).status_code == 409
        wrong = await client.post(f"{AUTH}/totp/remove", json={"password": "wrong"})
        assert wrong.status_code == 403
        removed = await client.post(f"{AUTH}/totp/remove", json={"password": PASSWORD})
        assert removed.status_code == 204
        assert (await log_in(elsewhere, "anna")).status_code == 200


async def test_who_has_the_password_cannot_try_all_codes(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as client:
        begun = (await client.post(f"{AUTH}/totp/begin")).json()
        code = pyotp.TOTP(begun["secret"]).at(bench.clock.utc)
        await client.post(
            f"{AUTH}/totp/confirm", json={"ceremony": begun["ceremony"], "code": code}
        )
    async with bench.browser(address="203.0.113.9") as stranger:
        for _ in range(3):  # only to be asked for the code is no wrong try
            assert (await log_in(stranger, "anna")).status_code == 401
        statuses = [
            (await log_in(stranger, "anna", totp=f"{number:06}")).status_code for number in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3


async def test_an_app_of_somebody_else_cannot_be_confirmed(bench: AuthBench) -> None:
    async with (
        bench.logged_in(UserRole.VIEWER) as anna,
        bench.logged_in(UserRole.VIEWER, "otto") as otto,
    ):
        begun = (await anna.post(f"{AUTH}/totp/begin")).json()
        body = {
            "ceremony": begun["ceremony"],
            "code": pyotp.TOTP(begun["secret"]).at(bench.clock.utc),
        }
        assert (await otto.post(f"{AUTH}/totp/confirm", json=body)).status_code == 403
        assert bench.account("otto").totp is None


async def test_a_passkey_lets_in_without_name_and_password(bench: AuthBench) -> None:
    key = Authenticator("http://localhost:9480")
    async with bench.logged_in(UserRole.OPERATOR) as client:
        begun = (await client.post(f"{AUTH}/passkeys/register/begin")).json()
        body = {
            "ceremony": begun["ceremony"],
            "credential": key.create(begun["options"]),
            "name": "phone",
        }
        made = await client.post(f"{AUTH}/passkeys/register/finish", json=body)
        assert (made.json()["name"], made.json()["host"]) == ("phone", "localhost")
        (listed,) = (await client.get(f"{AUTH}/me")).json()["passkeys"]

        async with bench.browser() as elsewhere:
            begun = (await elsewhere.post(f"{AUTH}/passkeys/login/begin")).json()
            body = {"ceremony": begun["ceremony"], "credential": key.get(begun["options"])}
            answer = await elsewhere.post(f"{AUTH}/passkeys/login/finish", json=body)
            assert (answer.json()["name"], answer.json()["role"]) == ("anna", "operator")
            assert (await elsewhere.get(STATUS)).json()["name"] == "anna"
            again = await elsewhere.post(f"{AUTH}/passkeys/login/finish", json=body)
            assert again.status_code == 403

            removed = await client.delete(f"{AUTH}/passkeys/{listed['id']}")
            assert removed.status_code == 204
            begun = (await elsewhere.post(f"{AUTH}/passkeys/login/begin")).json()
            body = {"ceremony": begun["ceremony"], "credential": key.get(begun["options"])}
            answer = await elsewhere.post(f"{AUTH}/passkeys/login/finish", json=body)
            assert answer.status_code == 401
    told = [row[2] for row in bench.told if row[1] == "second_factor"]
    assert told == ["passkey phone registered", "passkey removed"]


async def test_where_browsers_offer_no_passkeys_that_is_told(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.VIEWER, at="http://192.168.1.5:9480") as client:
        assert (await client.get(f"{AUTH}/state")).json()["passkeys"] is False
        for path in ("register/begin", "login/begin"):
            answer = await client.post(f"{AUTH}/passkeys/{path}")
            assert answer.status_code == 409
            assert "https and a name" in detail(answer)


# ------------------------------------------------------------------ accounts


async def test_an_admin_manages_who_has_access(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as admin, bench.browser() as otto:
        body = {"name": "Otto", "role": "viewer", "password": PASSWORD}
        assert (await admin.post(f"{AUTH}/users", json=body)).status_code == 201
        assert (await admin.post(f"{AUTH}/users", json=body)).status_code == 409
        assert (await log_in(otto, "otto")).json()["role"] == "viewer"
        assert (await otto.post(f"/{Right.SITE_START}")).status_code == 403
        change = await admin.patch(f"{AUTH}/users/otto", json={"role": "operator"})
        assert change.json()["role"] == "operator"
        assert (await otto.post(f"/{Right.SITE_START}")).status_code == 200  # at once
        listed = (await admin.get(f"{AUTH}/users")).json()
        assert [(row["name"], row["sessions"]) for row in listed] == [("anna", 1), ("otto", 1)]
        assert (await admin.delete(f"{AUTH}/users/otto/sessions")).json() == {"ended": 1}
        assert (await otto.get(STATUS)).status_code == 401
        await log_in(otto, "otto")
        new = {"password": "another good one", "second_factor": False}
        assert (await admin.patch(f"{AUTH}/users/otto", json=new)).status_code == 200
        assert (await otto.get(STATUS)).status_code == 401
        await log_in(otto, "otto", "another good one")
        assert (await admin.delete(f"{AUTH}/users/otto")).status_code == 204
        assert (await otto.get(STATUS)).status_code == 401
        assert (await admin.delete(f"{AUTH}/users/otto")).status_code == 404
    assert [row[2] for row in bench.told if row[1] == "account"] == [
        "otto added as viewer", "otto: role operator", "otto: password, second factor removed",
        "otto removed",
    ]  # fmt: skip


async def test_one_who_comes_back_under_an_old_name_has_not_the_old_sessions(
    bench: AuthBench,
) -> None:
    async with bench.logged_in(UserRole.VIEWER) as client:
        bench.auth.store.change(lambda accounts: accounts.without("anna"))  # by the command line
        bench.add("anna", UserRole.ADMIN)
        assert (await client.get(STATUS)).status_code == 401


async def test_the_last_admin_cannot_be_lost(bench: AuthBench) -> None:
    async with bench.logged_in(UserRole.ADMIN) as admin:
        bench.add("otto", UserRole.OPERATOR)
        for answer in (
            await admin.delete(f"{AUTH}/users/anna"),
            await admin.patch(f"{AUTH}/users/anna", json={"role": "service"}),
        ):
            assert answer.status_code == 409
            assert "is the last admin" in detail(answer)
        await admin.patch(f"{AUTH}/users/otto", json={"role": "admin"})
        assert (await admin.delete(f"{AUTH}/users/anna")).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {}, [], "x", {"name": "otto", "role": "viewer"},
        {"name": "otto", "role": "viewer", "password": "short"},
        {"name": "otto", "role": "boss", "password": PASSWORD},
        {"name": "otto", "role": None, "password": PASSWORD},
        {"name": "sso:otto", "role": "viewer", "password": PASSWORD},
        {"name": "ot to", "role": "viewer", "password": PASSWORD},
        {"name": "o" * 49, "role": "viewer", "password": PASSWORD},
        {"name": "", "role": "viewer", "password": PASSWORD},
        {"name": 7, "role": "viewer", "password": PASSWORD},
        {"name": "otto", "role": "viewer", "password": PASSWORD, "more": 1},
        {"name": "otto", "role": "viewer", "password": "x" * 300},
    ],
)  # fmt: skip
async def test_an_account_that_cannot_be_is_not_made(bench: AuthBench, body: Any) -> None:
    async with bench.logged_in(UserRole.ADMIN) as admin:
        assert (await admin.post(f"{AUTH}/users", json=body)).status_code in {409, 422}
    assert bench.auth.store.read().named("otto") is None


# ------------------------------------------------------------------ on site


async def test_after_an_emergency_stop_the_reset_comes_from_this_computer(
    bench: AuthBench,
) -> None:
    def asks(address: str) -> HTTPConnection:
        return HTTPConnection({"type": "http", "headers": [], "client": (address, 1)})

    bench.auth.check_reset(asks("192.0.2.7"), emergency_stop_latched=False)
    bench.auth.check_reset(asks("127.0.0.1"), emergency_stop_latched=True)
    with pytest.raises(AuthRefused, match="on site, with `holdfast reset`") as refused:
        bench.auth.check_reset(asks("192.0.2.7"), emergency_stop_latched=True)
    assert refused.value.status == 403


async def test_a_live_connection_is_guarded_as_a_request_is(bench: AuthBench) -> None:
    """A browser sends no header of ours with it, and tells whose page asks."""
    reader = Depends(needs(Right.SITE_READ))

    async def live(socket: WebSocket, principal: Principal = reader) -> None:
        await socket.accept()
        await socket.send_text(principal.name)

    bench.app.add_api_websocket_route("/live", live)

    async def connect(cookie: str, origin: str) -> list[dict[str, Any]]:
        headers = {"host": "localhost:9480", "cookie": cookie, "origin": origin}
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket", "scheme": "ws", "path": "/live", "query_string": b"",
            "client": ("192.0.2.7", 1), "subprotocols": [],
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "extensions": {"websocket.http.response": {}},
        }  # fmt: skip
        await bench.app(scope, receive, send)
        return sent

    async with bench.logged_in(UserRole.VIEWER) as client:
        cookie = f"holdfast_session={client.cookies['holdfast_session']}"
        accepted = await connect(cookie, "http://localhost:9480")
        assert accepted[1] == {"type": "websocket.send", "text": "anna"}
        for answer, status in (
            (await connect(cookie, "https://evil.example"), 403),
            (await connect("a=b", "http://localhost:9480"), 401),
        ):
            assert answer[0]["type"] == "websocket.http.response.start"
            assert answer[0]["status"] == status


def test_the_openapi_page_can_be_made(bench: AuthBench) -> None:
    paths = bench.app.openapi()["paths"]
    assert f"{AUTH}/login" in paths
