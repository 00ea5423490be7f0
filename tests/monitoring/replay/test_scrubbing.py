"""A recording tells of site.yaml what the cycle reads: no secret, no address, nobody's habits."""

import gzip
import json
from pathlib import Path

import pytest
import yaml

from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.monitoring.replay.coding import MalformedRecord
from holdfast.monitoring.replay.reading import parse_recording
from holdfast.monitoring.replay.scrubbing import DEVICES, KEPT, scrubbed, site_of
from holdfast.site.site_file import parse_site
from tests.builders import build_site, load_content, room_content, site_content, unit_content
from tests.monitoring.replay.recordings import KeepingBench, content_of, first_difference

LEFT_OUT = {
    Site: {
        "version", "name", "timezone", "currency", "commissioning", "resume", "state_dir",
        "accepts", "devices", "prices", "schedule", "location", "pv", "weather", "rules",
        "storm_reserve", "full_charge", "gateway", "api", "contacts", "notifications", "history",
        "hardware_watchdog",
        "storage", "planner", "loads", "rooms", "metered_loads",
    },
    StorageUnit: {"accepts", "losses", "hybrid"},
    FlexibleLoad: {"energy_wh", "from_minute", "to_minute", "days"},
    HeatedRoom: {"comfort", "discomfort_cost_per_k_h"},
    MeteredLoad: set(),
}  # fmt: skip
"""The last row of a site is told in part: a unit, load or room by its own keys."""

SECRET = "sesame"


def secretive() -> Site:
    """A site whose every text holds a secret."""
    broker = {
        "kind": "mqtt", "host": f"{SECRET}.example.org", "topic": SECRET, "username": SECRET,
        "password_file": f"/etc/{SECRET}",
    }  # fmt: skip
    can = {"kind": "can", "interface": "socketcan", "channel": SECRET, "options": [f"a={SECRET}"]}
    content = site_content(
        unit_content(
            bms={"profile": "pylontech_lv_can", "connection": can},
            accepts={"cell_overvoltage": SECRET, "cell_undervoltage": SECRET},
        )
        | {"relays": {"none": SECRET}},
        name=SECRET,
        state_dir=f"/var/{SECRET}",
        commissioning={"none": SECRET},
        meter={"profile": f"./{SECRET}.yaml", "connection": broker},
        emergency_input={"none": SECRET},
        timezone="Antarctica/Troll",
        location={"latitude_deg": 12.3456, "longitude_deg": 65.4321},
        contacts=[{"name": SECRET, "role": SECRET, "email": f"{SECRET}@example.org"}],
        rules=f"{SECRET}.yaml",
        loads=[load_content(**{"from": "06:15", "to": "23:45", "days": ["sun"]})],
        rooms=[
            room_content(
                comfort=[
                    {"from": "06:15", "to": "23:45", "low_c": 21, "high_c": 22},
                    {"low_c": 20, "high_c": 23},
                ]
            )
        ],
        notifications={
            "recipients": [
                {"name": SECRET, "channel": {"kind": "ntfy", "topic": f"{SECRET}-of-jo"}}
            ]
        },
    )
    return parse_site(yaml.safe_dump(content), folder=Path(f"/home/{SECRET}"))


@pytest.mark.parametrize("kind", KEPT, ids=lambda kind: kind.__name__)
def test_each_key_is_decided_about(kind):
    told = {*KEPT[kind], *DEVICES[kind]}
    assert told | LEFT_OUT[kind] == set(kind.model_fields)
    assert not told & LEFT_OUT[kind]


def test_nothing_of_a_secret_is_left():
    told = json.dumps(scrubbed(secretive()))
    assert SECRET not in told
    for private in ("Troll", "12.34", "65.43", "06:15", "375", "1425", "sun", "192.0.2"):
        assert private not in told


def test_nor_in_a_recording_of_it():
    bench = KeepingBench(build_site(name=SECRET, state_dir=f"/var/{SECRET}"))
    bench.step()
    content = content_of(bench.site, bench.kept)
    assert SECRET.encode() not in gzip.decompress(content)


def test_the_cycle_decides_the_same_with_what_is_left():
    site = build_site(
        unit_content(limits={"cell_voltage_high": {"warning": 3.4}}),
        grid={"import_max_w": 9000, "export_max_w": 0},
        modes={"default": "charge_only", "soc_target_pct": 60},
        loads=[load_content()],
        rooms=[room_content()],
    )
    bench = KeepingBench(site)
    bench.start()
    for _ in range(30):
        bench.step()
    assert first_difference(parse_recording(content_of(site, bench.kept))) is None


def test_it_is_a_site_again():
    site = site_of(scrubbed(secretive()))
    assert site.grid == secretive().grid
    assert site.storage[0].limits == secretive().storage[0].limits
    assert not site.storage[0].has_contactor
    assert site.rooms[0].comfort[0].is_always


def test_what_is_no_site_is_refused():
    with pytest.raises(MalformedRecord, match="grid: is missing"):
        site_of({"name": "x"})
