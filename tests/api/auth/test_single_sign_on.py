"""Single sign-on with a real provider, all the way that a browser goes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.api.access import UserRole
from holdfast.api.auth.opening import open_auth
from holdfast.core.config.api import Api
from holdfast.core.errors import ConfigError
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from tests.api.auth.bench import PREFIX, AuthBench
from tests.api.auth.provider import RealProvider, query_of, running_provider
from tests.builders import build_site

ROLES = {"energy-admins": "admin", "family": "operator"}
CALLBACK = f"{PREFIX}/auth/oidc/callback"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with running_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


def api_of(issuer: str, **changes: Any) -> Api:
    oidc = {"issuer": issuer, "client_id": "holdfast", "roles": ROLES, "name": "Example login"}
    return Api.model_validate({"oidc": oidc | changes})


@pytest.fixture
def bench(tmp_path: Path, provider: RealProvider) -> Iterator[AuthBench]:
    bench = AuthBench(tmp_path, api_of(provider.issuer), "any secret")
    yield bench
    bench.close()


@asynccontextmanager
async def visitor(bench: AuthBench) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that follows links; each is a visit, and no page's request."""
    async with bench.browser(own_page=False) as client:
        yield client


async def sign_on(
    client: httpx.AsyncClient, provider: RealProvider, sub: str | None
) -> httpx.Response:
    begun = await client.get(f"{PREFIX}/auth/oidc/login")
    assert begun.status_code == 303, begun.text
    back = provider.log_in(begun.headers["location"], sub)
    assert back.startswith(f"http://localhost:9480{CALLBACK}?")
    return await client.get(back.removeprefix("http://localhost:9480"))


async def me(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"{PREFIX}/auth/me")).json()
    return found


@pytest.mark.parametrize(
    ("sub", "name", "role"), [("1", "sso:anna", "admin"), ("2", "sso:otto", "operator")]
)
async def test_who_has_a_role_by_his_claim_is_logged_in(
    bench: AuthBench, provider: RealProvider, sub: str, name: str, role: str
) -> None:
    async with visitor(bench) as client:
        answer = await sign_on(client, provider, sub)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers.get_list("set-cookie")[0]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        who = await me(client)
        assert (who["name"], who["role"], who["how"]) == (name, role, "session")
        assert (name, "login", f"as {role}", True) in bench.told


@pytest.mark.parametrize("sub", ["3", "4"])
async def test_who_has_none_stays_out_and_is_told_why(
    bench: AuthBench, provider: RealProvider, sub: str
) -> None:
    async with visitor(bench) as client:
        answer = await sign_on(client, provider, sub)
        assert answer.status_code == 403
        assert "none of api.oidc.roles is in his claim groups" in answer.text
        assert (await me(client))["name"] is None
    assert bench.auth.store.read().users == ()
    assert bench.told[0][1:] == ("login", bench.told[0][2], False)


async def test_a_role_that_changed_at_the_provider_has_changed_here(
    bench: AuthBench, provider: RealProvider
) -> None:
    async with visitor(bench) as client:
        await sign_on(client, provider, "2")
        bench.change("sso:otto", role=UserRole.ADMIN)
        assert (await me(client))["role"] == "admin"
        await sign_on(client, provider, "2")
        assert (await me(client))["role"] == "operator"


async def test_nobody_gets_an_account_by_calling_himself_like_another(
    bench: AuthBench, provider: RealProvider
) -> None:
    bench.add("anna", UserRole.ADMIN)
    async with visitor(bench) as client:
        assert (await sign_on(client, provider, "1")).status_code == 303
        assert (await me(client))["name"] == "sso:anna"
    async with visitor(bench) as client:
        answer = await sign_on(client, provider, "5")
        assert answer.status_code == 409
        assert "is somebody else at the provider" in answer.text


async def test_an_answer_counts_in_the_browser_that_asked_and_once(
    bench: AuthBench, provider: RealProvider
) -> None:
    async with visitor(bench) as client, visitor(bench) as other:
        begun = await client.get(f"{PREFIX}/auth/oidc/login")
        back = provider.log_in(begun.headers["location"], "1")
        path = back.removeprefix("http://localhost:9480")
        for stranger in (await other.get(path), await other.get(path, headers={"Cookie": "a=b"})):
            assert stranger.status_code == 403
            assert "not begun in this browser" in stranger.text
        assert (await client.get(path)).status_code == 303
        state = query_of(back)["state"]
        again = await client.get(path, headers={"Cookie": f"holdfast_sign_on={state}"})
        assert again.status_code == 403
        assert "used before" in again.text


async def test_a_code_that_somebody_made_up_lets_nobody_in(
    bench: AuthBench, provider: RealProvider
) -> None:
    async with visitor(bench) as client:
        begun = await client.get(f"{PREFIX}/auth/oidc/login")
        state = query_of(begun.headers["location"])["state"]
        answer = await client.get(CALLBACK, params={"state": state, "code": "made up"})
        assert answer.status_code == 403
        assert "does not know this login: begin again" in answer.text
        assert (await me(client))["name"] is None


async def test_who_refuses_at_the_provider_is_not_logged_in(
    bench: AuthBench, provider: RealProvider
) -> None:
    async with visitor(bench) as client:
        answer = await sign_on(client, provider, None)
        assert answer.status_code == 403
        assert "the provider has refused: access_denied" in answer.text
        evil = await client.get(CALLBACK, params={"error": "<script>alert(1)</script>"})
        assert "<script>" not in evil.text


async def test_what_is_asked_for_binds_the_answer_to_this_login(
    bench: AuthBench, provider: RealProvider
) -> None:
    async with visitor(bench) as client:
        queries = []
        for _ in range(2):
            begun = await client.get(f"{PREFIX}/auth/oidc/login")
            assert begun.headers["location"].startswith(f"{provider.issuer}/oauth2/authorize?")
            queries.append(query_of(begun.headers["location"]))
    for query in queries:
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["redirect_uri"] == f"http://localhost:9480{CALLBACK}"
    for key in ("state", "nonce", "code_challenge"):
        assert queries[0][key] != queries[1][key]
        assert len(queries[0][key]) >= 32


async def test_a_provider_that_does_not_answer_is_told_and_names_are_as_good(
    tmp_path: Path,
) -> None:
    bench = AuthBench(tmp_path, api_of(f"http://127.0.0.1:{free_port()}"))
    bench.add("anna", UserRole.ADMIN)
    async with visitor(bench) as client:
        answer = await client.get(f"{PREFIX}/auth/oidc/login")
        assert answer.status_code == 503
        assert "log in with name and password" in answer.json()["detail"]
    async with bench.logged_in(UserRole.ADMIN) as client:
        assert (await me(client))["name"] == "anna"
    bench.close()


async def test_where_site_yaml_names_no_provider_there_is_none(tmp_path: Path) -> None:
    bench = AuthBench(tmp_path)
    async with visitor(bench) as client:
        for path in ("login", "callback"):
            answer = await client.get(f"{PREFIX}/auth/oidc/{path}")
            assert answer.status_code == 404
            assert "api.oidc" in answer.json()["detail"]
    bench.close()


def test_a_secret_that_is_not_in_the_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = api_of("https://login.example.org", client_secret_env="HOLDFAST_OIDC")
    site = build_site(state_dir=str(tmp_path)).model_copy(update={"api": api})
    monkeypatch.delenv("HOLDFAST_OIDC", raising=False)
    with pytest.raises(ConfigError, match=r"api\.oidc\.client_secret_env: HOLDFAST_OIDC"):
        open_auth(site, SiteFiles.of(site))
    monkeypatch.setenv("HOLDFAST_OIDC", "secret")
    open_auth(site, SiteFiles.of(site)).close()
