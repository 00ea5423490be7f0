"""What people ask of the batteries by the API: taken if it can be, told, and taken back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.client.manual_slots import read_manual
from tests.api.bench import API, ApiBench

HOUR = timedelta(hours=1)


def wish(**changes: Any) -> dict[str, Any]:
    end = datetime.now(UTC) + HOUR
    return {"start": None, "end": end.isoformat(), "mode": "charge", "power_w": 1000.0} | changes


async def test_a_wish_is_kept_with_who_and_ends_by_itself(bench: ApiBench) -> None:
    answer = await bench.ask("POST", "/manual", wish())
    assert answer.status_code == 201, answer.text
    slot = answer.json()
    assert (slot["mode"], slot["power_w"], slot["by"]) == ("charge", 1000.0, "the admin")
    (kept,) = read_manual(bench.files, bench.site, datetime.now(UTC)).slots
    assert kept.id == slot["id"]
    told = await bench.get("/manual")
    assert [one["id"] for one in told["slots"]] == [slot["id"]]
    assert told["power_max_w"]["charge"] == 5000.0
    assert (await bench.get("/plan"))["manual"] == told["slots"]
    assert (await bench.client.delete(f"{API}/manual/{slot['id']}")).status_code == 200
    assert (await bench.client.delete(f"{API}/manual/{slot['id']}")).status_code == 404
    assert (await bench.get("/manual"))["slots"] == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"power_w": 99_000.0}, 409),
        ({"power_w": None}, 409),
        ({"mode": "rest"}, 409),
        ({"mode": "stand_aside", "power_w": None}, 409),
        ({"owner": "somebody"}, 409),
        ({"end": "2020-01-01T00:00:00Z"}, 409),
        ({"end": (datetime.now(UTC) + 48 * HOUR).isoformat()}, 409),
        ({"power_w": -1.0}, 422),
        ({"power_w": False}, 422),
        ({"power_w": "1000"}, 422),
        ({"mode": "explode"}, 422),
        ({"end": "tomorrow"}, 422),
        ({"by": "somebody else"}, 422),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    bench: ApiBench, changes: dict[str, Any], status: int
) -> None:
    answer = await bench.ask("POST", "/manual", wish(**changes))
    assert answer.status_code == status, answer.text
    assert not bench.files.manual.exists()
