"""What the API tells of a running site, and of one whose controller does not run."""

import pytest

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.status.codec import decode_status
from tests.api.bench import API, ApiBench
from tests.builders import UNIT

ALWAYS = ("/status", "/state", "/assurance", "/devices", "/plan", "/prices", "/audit", "/incidents",
          "/notices", "/config",
          "/config/history", "/audit/verify")  # fmt: skip
ONLY_WITH_A_CONTROLLER = ("/snapshot", "/limits", "/findings", "/blocks", "/recommendation/now",
                          "/explain")  # fmt: skip


async def test_a_snapshot_is_the_status_with_its_age_and_the_glance(bench: ApiBench) -> None:
    told = await bench.get("/snapshot")
    assert 0.0 <= told.pop("age_s") < 3.0
    assert told["state"] == "idle"
    assert told["glance"]["verdict"]
    assert told["readings"][UNIT][Signal.SOC_PCT]["value"] == 50.0
    answer = await bench.client.get(f"{API}/snapshot")
    assert decode_status(answer.content).site == "Test site"


async def test_which_site_it_is_is_told_with_times_in_utc(bench: ApiBench) -> None:
    told = await bench.get("/status")
    assert (told["site"], told["currency"], told["state"]) == ("Test site", "EUR", "idle")
    assert told["fresh"] is True
    assert told["utc"].endswith("Z")


async def test_limits_tell_value_and_margin(bench: ApiBench) -> None:
    rows = {row["row"]: row for row in await bench.get("/limits")}
    high = rows["cell_voltage_high"]
    assert high["value"] == 3.31
    assert high["margin"] == pytest.approx(high["levels"]["alarm"] - 3.31, abs=0.3)
    assert high["unit"] == "V"


async def test_what_is_wrong_is_told(bench: ApiBench) -> None:
    bench.values[UNIT, Signal.SOC_PCT] = 101.0
    await bench.show()
    assert any(found["owner"] == UNIT for found in await bench.get("/findings"))


async def test_a_device_tells_readings_with_age_and_quality_and_how_it_answers(
    bench: ApiBench,
) -> None:
    told = await bench.get("/devices")
    meter = next(one for one in told["devices"] if one["path"] == "meter")
    assert meter["table"] == "generic_meter"
    assert meter["comms"]["reads"] == 0
    grid = next(one for one in meter["readings"] if one["signal"] == Signal.GRID_POWER_W)
    assert (grid["owner"], grid["value"], grid["quality"], grid["unit"]) == (SITE, 0.0, "good", "W")
    assert grid["age_s"] >= 0.0
    assert meter["proof"] is None


async def test_who_guards_what_is_told(bench: ApiBench) -> None:
    rows = {(row["owner"], row["goal"]): row for row in await bench.get("/assurance")}
    assert rows["site", "main_fuse"]["guard"] == "watched"
    assert rows[UNIT, "cell_overvoltage"]["text"]


async def test_the_recommendation_tells_who_asks_and_why(bench: ApiBench) -> None:
    told = await bench.get("/recommendation/now")
    assert told["power_w"] == 0.0
    assert told["reason"]
    assert told["mode"] is None


async def test_now_and_a_moment_on_record_are_explained(bench: ApiBench) -> None:
    now = await bench.get("/explain")
    assert not now["recorded"]
    assert any("IDLE" in sentence for sentence in now["sentences"])
    then = await bench.get("/explain", at=now["time"])
    assert then["recorded"]
    assert then["sentences"]
    answer = await bench.client.get(f"{API}/explain", params={"at": "2001-01-01T00:00:00Z"})
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ONLY_WITH_A_CONTROLLER)
async def test_without_a_controller_nothing_old_is_told_for_new(bench: ApiBench, path: str) -> None:
    bench.files.status.unlink()
    answer = await bench.client.get(f"{API}{path}")
    assert answer.status_code == 503
    assert "no controller" in answer.json()["detail"]


@pytest.mark.parametrize("path", ALWAYS)
async def test_what_rests_on_no_controller_is_told_without_one(bench: ApiBench, path: str) -> None:
    bench.files.status.unlink()
    answer = await bench.client.get(f"{API}{path}")
    assert answer.status_code == 200, answer.text
    if path == "/state":
        assert answer.json()["state"] is None


async def test_health_is_of_the_site_and_needs_no_login(bench: ApiBench) -> None:
    answer = await bench.client.get("/health")
    assert (answer.status_code, answer.json()["healthy"]) == (200, True)
    await bench.ask("POST", "/commands/estop")
    await bench.to(State.STOPPED)
    answer = await bench.client.get("/health")
    assert (answer.status_code, answer.json()["state"]) == (503, "STOPPED")
    assert answer.json()["why"]


async def test_a_glance_is_told_in_the_language_that_is_asked_for(bench: ApiBench) -> None:
    for path in ("/status", "/snapshot"):
        for asked, accepted in (("?language=de", "en"), ("", "de-AT, en;q=0.5")):
            headers = {"Accept-Language": accepted}
            answer = await bench.client.get(f"{API}{path}{asked}", headers=headers)
            assert "Anlage" in answer.json()["glance"]["headline"]
        assert "site" in (await bench.get(path))["glance"]["headline"]
    assert (await bench.client.get(f"{API}/status?language=fr")).status_code == 422
