"""What tests of auth have in common: a site's auth with a clock of the test's, and a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI

from holdfast.api.access import Principal, Right, UserRole, needs
from holdfast.api.auth.accounts import Account
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.install import install
from holdfast.api.auth.passwords import PasswordDesk
from holdfast.core.config.api import Api
from holdfast.site.files import SiteFiles

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
PASSWORD = "three plain words"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PREFIX = "/api/v1"


class Clock:
    """Tells a time that only the test moves."""

    def __init__(self, utc: datetime = NOON) -> None:
        self.utc = utc

    def __call__(self) -> datetime:
        return self.utc

    def goes_on(self, **time: float) -> None:
        self.utc += timedelta(**time)


class AuthBench:
    """A site's auth, and an application with a route for each right."""

    def __init__(self, folder: Path, api: Api | None = None, oidc_secret: str = "") -> None:
        self.files = SiteFiles(state_dir=folder)
        self.clock = Clock()
        self.told: list[tuple[str, str, str, bool]] = []
        self.auth = Auth(
            api or Api(),
            self.files,
            "house",
            oidc_secret=oidc_secret,
            now=self.clock,
            passwords=PasswordDesk(QUICK),
        )
        self.auth._notes.add = lambda message: self.told.append(  # type: ignore[method-assign]
            (message.who, message.what.value, message.detail, message.accepted)
        )
        self.app = FastAPI()
        install(self.app, self.auth, PREFIX)
        for right in Right:
            self._add_route(right)

    def _add_route(self, right: Right) -> None:
        admitted = Depends(needs(right))

        async def asked(principal: Principal = admitted) -> dict[str, Any]:
            return {"name": principal.name, "how": principal.how, "sender": principal.sender}

        self.app.add_api_route(f"/{right}", asked, methods=["GET", "POST"], include_in_schema=False)

    def add(self, name: str, role: UserRole, password: str = PASSWORD) -> Account:
        """Adds an account, without anybody asking for it."""
        account = Account(
            name=name, role=role, made=NOON, password_hash=self.auth.passwords.hash(password)
        )
        self.auth.store.change(lambda accounts: accounts.having(account))
        return account

    def account(self, name: str) -> Account:
        found = self.auth.store.read().named(name)
        assert found is not None
        return found

    def change(self, name: str, **changes: Any) -> None:
        account = replace(self.account(name), **changes)
        self.auth.store.change(lambda accounts: accounts.having(account))

    @asynccontextmanager
    async def browser(
        self,
        *,
        at: str = "http://localhost:9480",
        address: str = "192.0.2.7",
        own_page: bool = True,
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Is a browser, or a program if it does not come from our ``own_page``."""
        transport = httpx.ASGITransport(self.app, client=(address, 40000))
        async with httpx.AsyncClient(transport=transport, base_url=at) as client:
            if own_page:
                own = {"X-Holdfast": "1", "Origin": at, "Sec-Fetch-Site": "same-origin"}
                client.headers.update(own)
            yield client

    @asynccontextmanager
    async def logged_in(
        self, role: UserRole, name: str = "anna", **where: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Is the browser of somebody who has logged in."""
        if self.auth.store.read().named(name) is None:
            self.add(name, role)
        async with self.browser(**where) as client:
            answer = await log_in(client, name)
            assert answer.status_code == 200, answer.text
            yield client

    def close(self) -> None:
        self.auth.close()


async def log_in(
    client: httpx.AsyncClient, name: str, password: str = PASSWORD, **more: str
) -> httpx.Response:
    body = {"name": name, "password": password} | more
    return await client.post(f"{PREFIX}/auth/login", json=body)


def detail(answer: httpx.Response) -> str:
    found = answer.json()["detail"]
    assert isinstance(found, str)
    return found
