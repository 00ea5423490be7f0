"""A provider of single sign-on: another's program, in a process of its own, on a free port."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from holdfast.simulation.net import free_port
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until

PEOPLE: tuple[dict[str, object], ...] = (
    {"sub": "1", "preferred_username": "Anna", "groups": ["energy-admins", "family"]},
    {"sub": "2", "preferred_username": "Otto", "groups": ["family"]},
    {"sub": "3", "preferred_username": "Eve", "groups": ["strangers"]},
    {"sub": "4", "preferred_username": "Nobody"},
    {"sub": "5", "preferred_username": "anna", "groups": "family"},
)


class RealProvider:
    """Is where a browser logs in."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer

    def log_in(self, address: str, sub: str | None) -> str:
        """Does as the person ``sub`` does at ``address``, or refuses for None; returns where the
        provider sends the browser back to."""
        form = {"action": "deny"} if sub is None else {"sub": sub}
        answer = httpx.post(address, data=form, follow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@contextmanager
def running_provider(folder: Path) -> Iterator[RealProvider]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    claims = [word for person in PEOPLE for word in ("--user-claims", json.dumps(person))]
    process = Process(
        folder / "provider.log", "-W", "ignore", "-m", "oidc_provider_mock",
        "--port", str(port), "--require-nonce", "true", *claims,
    )  # fmt: skip

    def answers() -> bool:
        try:
            return httpx.get(f"{issuer}/.well-known/openid-configuration").is_success
        except httpx.TransportError:
            return False

    try:
        until(answers, "the provider", 60.0)
        yield RealProvider(issuer)
    finally:
        process.end()


def query_of(address: str) -> dict[str, str]:
    return dict(httpx.QueryParams(urlsplit(address).query))
