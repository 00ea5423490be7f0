"""Tables of meters that are asked over HTTP, with answers like those that their makers show."""

import json
from typing import Any

import pytest

from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_path import Document, parse_document
from holdfast.devices.json_rows import Message, Unfit
from holdfast.devices.profile import load_profile, parse_profile

GOOD = """
name: x
protocol: http
roles: [meter, pv_meter]
source: test
poll_period_s: 0.3
reads:
  - at: /a?x=1
    values:
      - {signal: grid_power_w, json: p}
      - {signal: grid_voltage_v, json: v, optional: true}
  - at: /b
    values:
      - {signal: pv_power_w, json: p}
"""

BAD = [
    ("roles: [meter, pv_meter]", "roles: [meter]", "pv_power_w is produced by pv_meter"),
    ("roles: [meter, pv_meter]", "roles: [inverter]", "a inverter does not speak http"),
    ("poll_period_s: 0.3", "poll_period_s: 0.34", "leaves fewer than 3 of them in the shortest"),
    ("poll_period_s: 0.3", "poll_period_s: 0.05", "poll_period_s"),
    ("poll_period_s: 0.3", "poll_period_s: 2\nmax_age_s: 5", "maximum age, 5 s"),
    ("source: test", "source: test\nmax_age_s: 15.5", "max_age_s"),
    ("source: test", "source: test\nmax_age_s: 0", "max_age_s"),
    ("signal: pv_power_w", "signal: grid_power_w", "signal listed twice: grid_power_w"),
    ("at: /b", "at: /a?x=1", "path listed twice: /a?x=1"),
    ("at: /b", "at: b", "at"),
    ("at: /b", "at: /b c", "at"),
    ("json: v", "json: v..", "is no path"),
    ("at: /b", "at: /b\n    writes: []", "writes"),
]


def table(name: str) -> HttpProfile:
    profile = load_profile(name)
    assert isinstance(profile, HttpProfile)
    return profile


def answered(name: str, content: Any, which: int = 0) -> dict[Signal, float] | str:
    parsed = parse_document(json.dumps(content).encode())
    assert isinstance(parsed, Document)
    match table(name).reads[which].read(parsed):
        case Message(values=values):
            return dict(values)
        case Unfit(why=why):
            return why


@pytest.mark.parametrize(("right", "wrong", "told"), BAD, ids=[row[1][:30] for row in BAD])
def test_a_table_that_is_wrong_is_refused(right: str, wrong: str, told: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        parse_profile(GOOD.replace(right, wrong, 1), source="x.yaml")
    assert told in str(error.value)


def test_a_table_tells_what_it_has() -> None:
    profile = parse_profile(GOOD, source="x.yaml")
    assert isinstance(profile, HttpProfile)
    assert profile.signals == {
        Signal.GRID_POWER_W,
        Signal.GRID_VOLTAGE_V,
        Signal.PV_POWER_W,
    }
    assert profile.required == {Signal.GRID_POWER_W}
    assert profile.points == profile.traits == profile.lacks == {}
    assert profile.lost_s(Signal.GRID_POWER_W) == 1.0
    hardware = InverterHardware(charge_power_max_w=1, discharge_power_max_w=1)
    assert profile.bound(hardware) is profile


def test_a_table_of_two_roles_falls_into_their_parts() -> None:
    whole = parse_profile(GOOD, source="x.yaml")
    assert isinstance(whole, HttpProfile)
    meter, pv = whole.of(Role.METER), whole.of(Role.PV_METER)
    assert (meter.roles, [one.at for one in meter.reads]) == ((Role.METER,), ["/a?x=1"])
    assert (pv.roles, [one.at for one in pv.reads]) == ((Role.PV_METER,), ["/b"])
    assert meter.signals == {Signal.GRID_POWER_W, Signal.GRID_VOLTAGE_V}
    assert whole.of(*whole.roles) == whole


def test_a_slow_meter_says_how_old_its_values_may_be() -> None:
    slow = "poll_period_s: 5\nmax_age_s: 15"
    profile = parse_profile(GOOD.replace("poll_period_s: 0.3", slow), source="x.yaml")
    assert isinstance(profile, HttpProfile)
    assert profile.lost_s(Signal.GRID_POWER_W) == 15.0
    assert profile.of(Role.PV_METER).lost_s(Signal.PV_POWER_W) == 15.0


def test_a_shelly_pro_3em() -> None:
    content = {
        "id": 0, "a_current": 1.1, "a_voltage": 231.4, "a_act_power": -80.5, "a_freq": 50.0,
        "b_voltage": 230.9, "c_voltage": 232.0, "n_current": None, "total_act_power": -512.3,
    }  # fmt: skip
    assert answered("shelly_pro_3em", content) == {
        Signal.GRID_POWER_W: -512.3,
        Signal.GRID_POWER_L1_W: -80.5,
        Signal.GRID_CURRENT_L1_A: 1.1,
        Signal.GRID_VOLTAGE_V: 231.4,
        Signal.GRID_FREQUENCY_HZ: 50.0,
    }
    content["total_act_power"] = None
    assert answered("shelly_pro_3em", content) == "total_act_power is not there, for grid_power_w"


def test_a_shelly_3em() -> None:
    emeter = {"power": 100.5, "voltage": 229.1, "is_valid": True}
    content = {"emeters": [emeter, emeter, emeter], "total_power": 301.5, "unixtime": 1}
    assert answered("shelly_3em", content) == {
        Signal.GRID_POWER_W: 301.5,
        Signal.GRID_POWER_L1_W: 100.5,
        Signal.GRID_POWER_L2_W: 100.5,
        Signal.GRID_POWER_L3_W: 100.5,
        Signal.GRID_VOLTAGE_V: 229.1,
    }
    content["emeters"] = [emeter, emeter | {"is_valid": False}, emeter]
    assert answered("shelly_3em", content) == "emeters[1].is_valid is false, and not true"


def test_a_fronius_smart_meter() -> None:
    head = {"Status": {"Code": 0, "Reason": ""}}
    data = {
        "Meter_Location_Current": 0, "PowerReal_P_Sum": 1234.5, "Voltage_AC_Phase_1": 233.0,
        "Frequency_Phase_Average": 49.9, "TimeStamp": 1700000000,
    }  # fmt: skip
    content = {"Body": {"Data": data}, "Head": head}
    assert answered("fronius_solar_api_meter", content) == {
        Signal.GRID_POWER_W: 1234.5,
        Signal.GRID_VOLTAGE_V: 233.0,
        Signal.GRID_FREQUENCY_HZ: 49.9,
    }
    data["Meter_Location_Current"] = 1
    told = answered("fronius_solar_api_meter", content)
    assert told == "Body.Data.Meter_Location_Current is 1, and not 0"
    failed = {"Body": {"Data": {}}, "Head": {"Status": {"Code": 255}}}
    assert answered("fronius_solar_api_meter", failed) == "Head.Status.Code is 255, and not 0"


@pytest.mark.parametrize(("p_pv", "pv_w"), [(2500.0, 2500.0), (None, 0.0)])
def test_a_fronius_inverter_by_day_and_by_night(p_pv: float | None, pv_w: float) -> None:
    site = {"P_PV": p_pv, "P_Grid": -100.0}
    content = {"Body": {"Data": {"Site": site}}, "Head": {"Status": {"Code": 0}}}
    assert answered("fronius_solar_api_meter", content, 1) == {Signal.PV_POWER_W: pv_w}


def test_a_homewizard_p1_meter() -> None:
    content = {"smr_version": 50, "active_power_w": -543, "total_power_import_kwh": 13779.338}
    assert answered("homewizard_p1", content) == {Signal.GRID_POWER_W: -543.0}
    content |= {"active_voltage_l1_v": 230.1}
    assert answered("homewizard_p1", content) == {
        Signal.GRID_POWER_W: -543.0,
        Signal.GRID_VOLTAGE_V: 230.1,
    }


def parsed(text: str) -> HttpProfile:
    profile = parse_profile(text, source="x.yaml")
    assert isinstance(profile, HttpProfile)
    return profile


def documents(count: int) -> str:
    rows = ("grid_power_w", "grid_voltage_v", "grid_frequency_hz", "pv_power_w")
    told = [f"  - {{at: /{row}, values: [{{signal: {row}, json: p}}]}}" for row in rows[:count]]
    return GOOD[: GOOD.index("reads:")] + "reads:\n" + "\n".join(told)


def test_paths_and_periods_within_their_bounds_are_taken() -> None:
    assert len(parsed(GOOD.replace("/b", "/" + "b" * 299)).reads[1].at) == 300
    quick = parsed(GOOD.replace("poll_period_s: 0.3", "poll_period_s: 0.1"))
    assert (quick.poll_period_s, quick.period_s) == (0.1, 0.1)
    slow = parsed(GOOD.replace("poll_period_s: 0.3", "poll_period_s: 5\nmax_age_s: 15"))
    assert slow.period_s == 5.0
    assert slow.lost_s(Signal.GRID_POWER_W) == 15.0
    assert parsed(GOOD).lost_s(Signal.GRID_POWER_W) == 1.0
    assert (
        parsed(GOOD.replace("poll_period_s: 0.3", "poll_period_s: 0.3\nmax_age_s: 0.5")).lost_s(
            Signal.GRID_POWER_W
        )
        == 1.0
    )
    assert len(parsed(documents(4)).reads) == 4


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("/b", "/" + "b" * 300, r"reads\[1\].at"),
        ("poll_period_s: 0.3", "poll_period_s: 0.099", "poll_period_s: 0.099: must be at least"),
        ("poll_period_s: 0.3", "poll_period_s: 5.5", "poll_period_s: 5.5: must be at most 5"),
        ("poll_period_s: 0.3", "poll_period_s: 0.34", "http: a value every 0.34 s"),
    ],
)
def test_paths_and_periods_beyond_them_are_refused(before: str, after: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parsed(GOOD.replace(before, after))


def test_a_device_that_is_asked_for_nothing_or_for_six_documents_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"reads: .*at least 1 "):
        parsed(GOOD[: GOOD.index("reads:")] + "reads: []")
    six = [f"  - {{at: /{n}, values: [{{signal: pv_power_w, json: p}}]}}" for n in range(6)]
    five = GOOD[: GOOD.index("reads:")] + "reads:\n" + "\n".join(six[:5])
    with pytest.raises(ConfigError, match="reads"):
        parsed(GOOD[: GOOD.index("reads:")] + "reads:\n" + "\n".join(six))
    with pytest.raises(ConfigError) as error:  # five are not too many; one signal told twice is
        parsed(five)
    assert "at most" not in str(error.value)
