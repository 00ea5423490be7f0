"""A site whose devices speak SunSpec is checked without any of them."""

from pathlib import Path

import pytest

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SITE, Signal
from holdfast.site.check import check_site
from holdfast.site.devices import expected_signals, point_traits
from tests.builders import UNIT, build_site, device, unit_content

OWN = """
name: own
protocol: sunspec
roles: [meter]
source: these tests
poll_period_s: 0.3
reads:
  - {signal: grid_power_w, model: [203, 213], point: Watt}
"""


def site(meter: str = "sunspec_meter") -> Site:
    unit = unit_content(inverter=device("sunspec_704"), bms=device("sunspec_battery", "192.0.2.2"))
    unit["relays"] = {"none": "the battery has its own"}
    return build_site(
        unit,
        authority="observe",
        meter=device(meter, "192.0.2.3"),
        pv_meter={"none": "these tests"},
    )


def test_a_site_of_sunspec_devices_is_right() -> None:
    found = site()
    check_site(found)
    assert Signal.GRID_POWER_W in expected_signals(found)[SITE]
    assert point_traits(found)[UNIT][Point.SETPOINT_W].step == 10.0


def test_a_name_that_no_model_has_is_told_before_anything_starts(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    with pytest.raises(ConfigError, match="meter: profile own: model 203 has no point Watt"):
        check_site(site(str(own)))


def test_sunspec_is_spoken_over_modbus_and_not_over_can() -> None:
    can = {"kind": "can", "interface": "virtual", "channel": "x"}
    wrong = build_site(
        authority="observe", meter={"profile": "sunspec_meter", "connection": can},
        pv_meter={"none": "these tests"},
    )  # fmt: skip
    with pytest.raises(ConfigError, match="speaks sunspec, but the connection is can"):
        check_site(wrong)


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "modbus_rtu", "port": "/dev/ttyUSB0"},
        {"kind": "modbus_rtu_tcp", "host": "192.0.2.9"},
    ],
)
def test_sunspec_is_spoken_over_serial_lines_too(line: dict[str, str]) -> None:
    check_site(build_site(
        authority="observe", meter={"profile": "sunspec_meter", "connection": line},
        pv_meter={"none": "these tests"},
    ))  # fmt: skip
