"""What the planner's process makes of a status, and what it keeps on disk."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.client.plan_report import read_report
from holdfast.core.plan import PlanStatus
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.judgement import Judgement, encode_judgement
from holdfast.monitoring.plan_judge import Weighed, WhoLeads
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.schema import ReadingStatus
from holdfast.runtime.measured import load_memory, sample_of
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.planner import Planner, planner_of
from holdfast.runtime.price_watch import PriceWatch
from holdfast.runtime.weather_watch import WeatherWatch
from holdfast.scheduling.loads.progress import LoadsNow, RoomState
from holdfast.scheduling.planner_memory import PlannerMemory, decode, encode
from holdfast.scheduling.power_sample import PowerSample
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.shared_memory import RecordWriter
from tests.builders import UNIT, Bench, build_site, load_content, room_content
from tests.monitoring.explain.test_text import status_of

SITE_WITH_LOADS = build_site(loads=[load_content()], rooms=[room_content()])
MEMORY = PlannerMemory(
    loads_now=LoadsNow(
        rooms={"parlour": RoomState(temperature_c=19.0, utc=datetime(2026, 5, 8, tzinfo=UTC))}
    ),
    peaks_w={"2026-05": 4_000.0},
)


def reading(signal: Signal, value: float, quality: str = "good") -> dict[Signal, ReadingStatus]:
    return {
        signal: ReadingStatus(value=value, unit=SIGNALS[signal].unit, quality=quality, age_s=0.1)
    }


MEASURED = {
    SITE: reading(Signal.GRID_POWER_W, 3_000.0) | reading(Signal.PV_POWER_W, 1_000.0),
    UNIT: reading(Signal.BATTERY_POWER_W, 500.0),
}


def sampled(**readings: dict[Signal, ReadingStatus]) -> PowerSample:
    """With 3 kW from the grid, 1 kW of PV and a battery that takes 500 W."""
    bench = Bench()
    bench.run(0.02)
    status = status_of(bench, readings=MEASURED | readings)
    return sample_of(SITE_WITH_LOADS, status)


def test_a_sample_holds_what_switches_and_thermometers_say() -> None:
    sample = sampled(
        boiler=reading(Signal.LOAD_ON, 1.0),
        parlour=reading(Signal.LOAD_ON, 0.0) | reading(Signal.ROOM_TEMPERATURE_C, 19.5),
    )
    assert sample.load_w == 3_500.0
    assert sample.on == {"boiler": True, "parlour": False}
    assert sample.room_c == {"parlour": 19.5}


def test_what_is_not_good_is_not_known() -> None:
    sample = sampled(
        boiler=reading(Signal.LOAD_ON, 1.0, "stale"),
        parlour=reading(Signal.ROOM_TEMPERATURE_C, 19.5, "stale"),
    )
    assert sample.on == {}
    assert sample.room_c == {}


def test_the_present_load_counts_though_no_planner_has_saved_it(files: SiteFiles) -> None:
    """In the first quarter hour nothing is on disk yet: commands take what is measured now."""
    bench = Bench()
    bench.run(0.02)
    memory = RecordWriter(files.status)

    def load_w(age_s: float) -> float | None:
        at_ns = time.monotonic_ns() - round(age_s * NS_PER_S)
        status = status_of(bench, monotonic_ns=at_ns, readings=MEASURED)
        memory.publish(encode_status(status))
        return planner_of(build_site(), files).forecast(status.utc).learned.load_w

    assert load_w(age_s=0.0) == 3_500.0
    assert load_w(age_s=10.0) is None


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


def process_of(files: SiteFiles) -> Planner:
    site = SITE_WITH_LOADS
    return Planner(
        site, files, PriceWatch(site, files), WeatherWatch(site, files), PlanWorker(site)
    )


def test_what_the_desk_knows_is_there_after_a_restart(files: SiteFiles) -> None:
    write_atomically(files.planner_memory, encode(MEMORY))
    first = process_of(files)
    assert first._rolling.memory == MEMORY
    first._rolling.observe(
        PowerSample(utc=datetime.now(UTC), load_w=None, pv_w=None, room_c={"parlour": 21.0})
    )
    first.close()
    known = decode(files.planner_memory.read_bytes())
    assert known.loads_now.rooms["parlour"].temperature_c == 21.0
    assert known.peaks_w == MEMORY.peaks_w
    assert process_of(files)._rolling.memory == known


def test_a_file_is_written_only_if_there_is_something_new(files: SiteFiles) -> None:
    process_of(files).save_memory()
    assert not files.planner_memory.exists()


def test_a_disk_that_is_full_does_not_stop_the_planner(
    files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    planner = process_of(files)
    planner._rolling.observe(
        PowerSample(utc=datetime.now(UTC), load_w=None, pv_w=None, room_c={"parlour": 21.0})
    )
    files.planner_memory.mkdir()
    planner.save_memory()
    assert "what loads had is not on disk" in caplog.text
    files.planner_memory.rmdir()
    planner.save_memory()
    assert files.planner_memory.exists()


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"peaks_w": {"2026": -1}}'])
def test_without_a_usable_file_it_begins_anew_and_says_so(
    content: bytes | None, files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    if content is not None:
        files.planner_memory.write_bytes(content)
    assert load_memory(SITE_WITH_LOADS, files) == PlannerMemory()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "count from now on" in record.getMessage()


def test_a_site_with_nothing_to_remember_does_not_miss_the_file(
    files: SiteFiles, caplog: pytest.LogCaptureFixture
) -> None:
    load_memory(build_site(), files)
    assert caplog.records == []


def test_while_self_consumption_leads_it_is_handed_over(files: SiteFiles) -> None:
    """And no longer than the file says so: the process looks each time it plans."""
    fixed = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
    site = build_site(prices={"purchase": fixed, "feed_in": fixed})
    now = datetime.now(UTC)
    judgement = Judgement(
        site=site.name, currency="EUR", made=now, leads=WhoLeads.RULE,
        weighed=Weighed(days=28, total=-1.2, mean=-0.043, low=-0.07, high=-0.01),
    )  # fmt: skip
    write_atomically(files.judgement, encode_judgement(judgement))
    prices, weather = PriceWatch(site, files), WeatherWatch(site, files)
    with PlanWorker(site) as worker:
        planner = Planner(site, files, prices, weather, worker)
        planner._plan([50.0])
        ruled = read_report(files)
        files.judgement.unlink()
        planner._plan([50.0])
        free = read_report(files)
        planner.close()
    assert ruled is not None
    assert ruled.plan is not None
    assert ruled.plan.status is PlanStatus.STRATEGY
    assert ruled.plan.note.startswith("self-consumption leads: plans earned 1.20 EUR less")
    assert free is not None
    assert free.plan is not None
    assert free.plan.status is PlanStatus.OPTIMAL
