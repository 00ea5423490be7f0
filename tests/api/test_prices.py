"""Prices by the API: what is kept is told, and sources are asked anew when somebody may."""

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.api import price_desk
from holdfast.markets.price_collector import PriceCollector
from holdfast.testing.waiting import until
from tests.api.bench import API, ApiBench, api_bench


def tariffs(source: dict[str, Any]) -> dict[str, Any]:
    feed_in = {"source": {"kind": "fixed", "price_per_kwh": 0.1}}
    return {"purchase": {"source": source}, "feed_in": feed_in}


@pytest.fixture
async def by_the_clock(tmp_path: Path) -> AsyncIterator[ApiBench]:
    prices = tariffs({"kind": "fixed", "price_per_kwh": 0.3})
    async with api_bench(tmp_path, prices=prices) as bench:
        yield bench


async def test_prices_of_the_coming_hours_are_told(by_the_clock: ApiBench) -> None:
    told = await by_the_clock.get("/prices", hours=2)
    assert told["currency"] == "EUR"
    assert told["problem"] == ""
    assert {slot["purchase_per_kwh"] for slot in told["prices"]} == {0.3}
    assert {slot["feed_in_per_kwh"] for slot in told["prices"]} == {0.1}
    assert told["prices"][0]["start"].endswith("Z")


async def test_without_prices_that_is_told(bench: ApiBench) -> None:
    told = await bench.get("/prices")
    assert "self-consumption" in told["problem"]
    assert (await bench.ask("POST", "/prices/refresh")).status_code == 409


async def test_sources_are_asked_in_the_background_and_not_all_the_time(
    by_the_clock: ApiBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    monkeypatch.setattr(PriceCollector, "refresh", lambda *_: asked.set())
    answer = await by_the_clock.ask("POST", "/prices/refresh")
    assert answer.status_code == 202
    until(asked.is_set, "the sources are asked")
    answer = await by_the_clock.ask("POST", "/prices/refresh")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= price_desk.REFRESH_EVERY_S


async def test_a_file_that_was_written_anew_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_desk, "TOLD_FOR_S", -1.0)
    path = tmp_path / "prices.csv"
    source = {"kind": "file", "path": str(path)}
    async with api_bench(tmp_path, prices=tariffs(source)) as bench:
        assert "cannot be read" in (await bench.get("/prices"))["problem"]
        for price in (0.25, 0.35):
            rows = [f"2026-01-01T00:00:00Z,{price}", f"2100-01-01T00:00:00Z,{price}"]
            path.write_text("\n".join(["start,price", *rows]) + "\n")
            os.utime(path, ns=(0, int(price * 1e12)))
            answer = await bench.client.get(f"{API}/prices")
            assert answer.status_code == 200
