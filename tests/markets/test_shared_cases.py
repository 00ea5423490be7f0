"""Situations of real sources that are no part of the project: each gives the right prices."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import PriceDataError
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SiteTariffs
from holdfast.site.files import write_atomically
from holdfast.site.site_file import parse_site
from tests.markets.http_server import Reply, Seen, serving

_TOKENS = ("ENTSOE_TOKEN", "OCTOPUS_API_KEY", "TIBBER_TOKEN", "HA_TOKEN")
_ADDRESS = "http://127.0.0.1:18731"


class Case:
    """A folder with a site, answers, and which request gets which; steps, and what is right."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._folder = folder
        self._scratch = scratch
        self._routes = (folder / "routes.json").read_text(encoding="utf-8")
        self.content: dict[str, Any] = json.loads((folder / "case.json").read_text("utf-8"))

    def answer(self, seen: Seen) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in seen.query.items())
        asked = f"{seen.path}?{query} {seen.body.decode()}"
        for route in json.loads(self._routes):
            if route["match"] in asked:
                body = route.get("text", "").encode()
                if "file" in route:
                    body = (self._folder / route["file"]).read_bytes()
                return Reply(body=body, status=route.get("status", 200))
        return Reply(status=404)

    def run(self) -> tuple[PriceCollector, SiteTariffs, datetime]:
        """All steps, each by a process of its own."""
        with serving(self.answer) as server:
            text = (self._folder / "site.yaml").read_text(encoding="utf-8")
            site = parse_site(text.replace(_ADDRESS, server.url), folder=self._folder)
            for step in self.content["steps"]:
                now = datetime.fromisoformat(step["at"])
                for old, new in step.get("swap", {}).items():
                    whole = (self._folder / new).read_text("utf-8") if old == "*" else None
                    self._routes = whole or self._routes.replace(old, new)
                collector = PriceCollector(
                    site,
                    cache=PriceCache(self._scratch, write_atomically),
                    fetch=Fetcher().fetch,
                    chance=lambda: 1.0,
                    now_utc=now,
                )
                collector.refresh(now)
        return collector, SiteTariffs(site, collector.read), now


def _wrong(case: Case) -> Iterator[str]:
    collector, tariffs, now = case.run()
    expected = case.content["expect"]
    (state,) = collector.states()
    problem, purchase = state.error, PriceSeries(currency="EUR", slots=())
    try:
        purchase = tariffs.prices(now, now + timedelta(days=3)).purchase
    except PriceDataError as error:
        problem = problem or str(error)
    if expected.get("error") is False and problem:
        yield problem
    if expected.get("has", "").lower() not in problem.lower():
        yield f"{problem!r} lacks {expected['has']!r}"
    until = expected.get("known_until")
    if until is not None and state.known_until(now) != datetime.fromisoformat(until):
        yield f"known until {state.known_until(now)}"
    latest = expected.get("ask_again_before")
    if latest is not None and state.ask_utc > datetime.fromisoformat(latest):
        yield f"asked again at {state.ask_utc}"
    for start, bought, _ in expected.get("prices", ()):
        price = purchase.price_at(datetime.fromisoformat(start))
        if price != (None if bought == "missing" else pytest.approx(bought)):
            yield f"{price} at {start}"


def test_each_situation_gives_the_right_prices(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in _TOKENS:
        monkeypatch.setenv(name, "0000-1111-2222")
    folders = sorted(path.parent for path in shared_data.glob("../cases/prices/*/case.json"))
    wrong = {folder.name: list(_wrong(Case(folder, tmp_path / folder.name))) for folder in folders}
    assert {name: why for name, why in wrong.items() if why} == {}
