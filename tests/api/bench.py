"""The API beside a controller without a wire: a control loop on devices that answer at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from argon2 import PasswordHasher
from fastapi import FastAPI

from holdfast.api.access import UserRole
from holdfast.api.app import create_app
from holdfast.api.auth.account_edits import with_token
from holdfast.api.auth.accounts import Account
from holdfast.api.auth.auth import COOKIE, Auth
from holdfast.api.auth.passwords import PasswordDesk
from holdfast.api.auth.tokens import make_token
from holdfast.core.config import Site
from holdfast.core.state_machine import State
from holdfast.runtime.audit.folder import AuditFolder
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.audit.writer import SYNC_EVERY_S, AuditWriter
from holdfast.runtime.control_socket import serve
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import make_memory_folder, remove_memory_folder
from holdfast.site.site_file import load_site
from tests.builders import site_content
from tests.runtime.bench import LoopBench

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
URL = "http://127.0.0.1"
HOUR = timedelta(hours=1)
API = "/api/v1"
HEADER = "# My site. This comment stays.\n"


class ApiBench(LoopBench):
    """The loop, its sockets and its audit log, and the application that serves them.

    Its client is an admin who has logged in, at the computer itself.
    """

    def __init__(self, site: Site, config: Path, audit: AuditTrail) -> None:
        self.config = config
        super().__init__(Path(site.state_dir), site, audit=audit)
        self.audit = audit
        self.auth = Auth(site.api, self.files, site.name, passwords=PasswordDesk(QUICK))
        self.app: FastAPI = create_app(site, self.files, config, self.auth)
        self.client = self.client_of(UserRole.ADMIN)
        self._tokens: dict[UserRole, str] = {}

    def client_of(self, role: UserRole | None, *, address: str = "127.0.0.1") -> httpx.AsyncClient:
        """Returns the browser of somebody who has logged in, or has not, at ``address``."""
        transport = httpx.ASGITransport(app=self.app, client=(address, 40_000))
        client = httpx.AsyncClient(transport=transport, base_url=URL, headers={"X-Holdfast": "1"})
        if role is not None:
            client.cookies.set(COOKIE, self.secret_of(role))
        return client

    def account_of(self, role: UserRole) -> Account:
        """Returns the account of somebody with that role."""
        name = f"the {role}"
        if self.auth.store.read().named(name) is None:
            account = Account(name=name, role=role, made=datetime.now(UTC), password_hash="none")
            self.auth.store.change(lambda accounts: accounts.having(account))
        found = self.auth.store.read().named(name)
        assert found is not None
        return found

    def secret_of(self, role: UserRole) -> str:
        """Returns the secret of a new session of somebody with that role."""
        return self.auth.sessions.open(self.account_of(role), "password", "127.0.0.1")[0]

    def token_of(self, role: UserRole) -> str:
        """Returns a token of somebody with that role, the same each time."""
        if role not in self._tokens:
            account, now = self.account_of(role), datetime.now(UTC)
            secret, token = make_token(
                account, name="test", role=role, rights=None, expires=now + HOUR, now=now
            )
            self.auth.store.change(lambda accounts: with_token(accounts, account.name, token))
            self._tokens[role] = secret
        return self._tokens[role]

    async def show(self, cycles: int = 1) -> None:
        """Runs cycles, and has the last one shown."""
        self.show_next()
        await self.cycle(cycles)

    async def on_record(self) -> None:
        """Waits until all that has happened is in the audit log."""
        before = -1
        while (
            lines := self.audit.status().lines
        ) != before or not self.audit._writer._queue.empty():
            before = lines
            await asyncio.sleep(SYNC_EVERY_S + 0.1)  # so long what may wait is on its way

    async def to(self, state: State) -> None:
        """Cycles until it is in ``state``."""
        await self.cycle_until(lambda: self.state is state)
        await self.show()

    async def get(self, path: str, **query: Any) -> Any:
        """Returns what GET answers, which must be well."""
        answer = await self.client.get(f"{API}{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        self.sample()  # a busy computer makes no reading old
        return await self.client.request(method, f"{API}{path}", json=body)


def write_site(folder: Path, **changes: object) -> tuple[Site, Path]:
    """A site.yaml in ``folder``, and what it says."""
    config = folder / "site.yaml"
    content = site_content(state_dir="state", cycle={"period_ms": 1000}, **changes)
    config.write_text(HEADER + yaml.safe_dump(content, sort_keys=False))
    return load_site(config), config


@asynccontextmanager
async def api_bench(folder: Path, **changes: object) -> AsyncIterator[ApiBench]:
    """Runs the bench; it is in IDLE, and shown."""
    site, config = write_site(folder, **changes)
    files = SiteFiles.of(site)
    files.create()
    make_memory_folder(files.state_dir)
    audit = AuditTrail(site, AuditWriter(AuditFolder(files.audit)))
    bench = ApiBench(site, config, audit)
    audit.started(bench.loop.state.latches, real_time=False)
    server = await serve(
        files.control_socket, bench.loop, bench.plans, stops=files.stop_socket, audit=audit
    )
    try:
        await bench.to_idle()
        await bench.show()
        async with bench.client:
            yield bench
    finally:
        await server.close()
        bench.auth.close()
        await asyncio.to_thread(audit.ended, "the test is over")
        remove_memory_folder(files.state_dir)
