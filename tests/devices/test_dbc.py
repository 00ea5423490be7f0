"""A battery by its DBC file: what is found in its frames is what cantools finds in them."""

import math
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import ConfigError
from holdfast.core.signals import INFORMATIVE, Signal
from holdfast.devices import dbc
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.profile import load_profile, parse_profile

cantools = pytest.importorskip("cantools")

DBC = """VERSION ""

NS_ :

BS_:

BU_: BMS Inverter

BO_ 100 Pack: 8 BMS
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" Inverter
 SG_ Current : 16|16@1- (0.1,0) [0|0] "A" Inverter
 SG_ SOC : 32|8@1+ (0.5,0) [0|100] "%" Inverter
 SG_ Temp : 40|8@1- (1,0) [0|0] "degC" Inverter
 SG_ Odd : 52|12@1+ (1,0) [0|0] "" Inverter

BO_ 2566844672 Cells: 8 BMS
 SG_ MaxCell : 7|16@0+ (1,0) [0|0] "mV" Inverter
 SG_ MinCell : 23|16@0+ (1,0) [0|0] "mV" Inverter
 SG_ MaxTemp : 39|8@0+ (1,-40) [0|0] "degC" Inverter
 SG_ Reversed : 40|16@1+ (1,0) [0|0] "" Inverter

BO_ 101 Flags: 4 BMS
 SG_ OverVoltage : 0|1@1+ (1,0) [0|1] "" Inverter
 SG_ UnderVoltage : 3|1@1+ (1,0) [0|1] "" Inverter
 SG_ Fault : 8|2@1+ (1,0) [0|3] "" Inverter
 SG_ Motorola : 17|4@0+ (1,0) [0|3] "" Inverter
 SG_ MayCharge : 7|1@1+ (1,0) [0|1] "" Inverter
 SG_ Mode : 10|2@1+ (1,0) [0|3] "" Inverter

BO_ 102 Muxed: 8 BMS
 SG_ Which M : 0|8@1+ (1,0) [0|0] "" Inverter
 SG_ Inner m0 : 8|16@1+ (1,0) [0|0] "" Inverter
 SG_ Real : 32|32@1- (1,0) [0|0] "" Inverter

BO_ 103 Long: 12 BMS
 SG_ Far : 64|16@1+ (1,0) [0|0] "" Inverter

BO_ 104 Wide: 8 BMS
 SG_ Energy : 0|32@1+ (0.01,0) [0|0] "V" Inverter
 SG_ Net : 39|32@0- (0.001,5) [0|0] "A" Inverter

SIG_VALTYPE_ 102 Real : 1;
"""

TABLE = """
name: mine
protocol: can
roles: [bms]
source: the battery's maker
burst_period_s: 0.5
dbc: ./my.dbc
signals:
{rows}
"""

ROWS = (
    "{signal: pack_voltage_v, message: Pack, name: Voltage}",
    "{signal: battery_current_a, message: Pack, name: Current, scale: -1}",
    "{signal: soc_pct, message: Pack, name: SOC, up_to: 100, not_available: [255]}",
    "{signal: cell_temperature_min_c, message: Pack, name: Temp}",
    "{signal: cell_voltage_max_v, message: Cells, name: MaxCell, scale: 0.001}",
    "{signal: cell_voltage_min_v, message: Cells, name: MinCell, scale: 0.001}",
    "{signal: cell_temperature_max_c, message: Cells, name: MaxTemp, plus: 0.5}",
    "{signal: bms_protection, message: Flags, name: OverVoltage}",
    "{signal: bms_protection, message: Flags, name: UnderVoltage}",
    "{signal: bms_alarm, message: Flags, name: Fault}",
    "{signal: charge_allowed, message: Flags, name: MayCharge}",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("dbc")
    (place / "my.dbc").write_text(DBC, encoding="latin-1")
    return place


def table_of(*rows, more=""):
    return TABLE.format(rows="\n".join(f"  - {row}" for row in rows)) + more


def read(folder, *rows, more=""):
    return parse_profile(table_of(*rows, more=more), source="my.yaml", folder=folder)


def by_id(profile):
    return {frame.id: frame for frame in profile.frames}


def test_a_battery_of_ones_own_is_read_as_its_dbc_file_says(folder):
    profile = read(folder, *ROWS, more="optional: [Cells]\nkeep_alive_id: 0x305\n")
    assert isinstance(profile, CanProfile)
    frames = by_id(profile)
    pack, flags, cells = frames[100], frames[101], frames[2566844672 & 0x1FFF_FFFF]
    assert (pack.extended, cells.extended) == (False, True)
    assert (pack.optional, cells.optional) == (False, True)
    assert (pack.byte_order, cells.byte_order) == ("low_first", "high_first")
    assert profile.keep_alive_id == 0x305
    assert pack.decode(bytes.fromhex("0E02 F2FE B4 F6 0000")) == pytest.approx({
        Signal.PACK_VOLTAGE_V: 52.6,
        Signal.BATTERY_CURRENT_A: 27.0,
        Signal.SOC_PCT: 90.0,
        Signal.CELL_TEMPERATURE_MIN_C: -10.0,
    })  # fmt: skip
    assert cells.decode(bytes.fromhex("0D1C 0CFE 41 000000")) == pytest.approx({
        Signal.CELL_VOLTAGE_MAX_V: 3.356,
        Signal.CELL_VOLTAGE_MIN_V: 3.326,
        Signal.CELL_TEMPERATURE_MAX_C: 25.5,
    })  # fmt: skip
    assert flags.decode(bytes.fromhex("880000")) == {
        Signal.BMS_PROTECTION: 1.0,
        Signal.BMS_ALARM: 0.0,
        Signal.CHARGE_ALLOWED: 1.0,
    }
    assert flags.decode(bytes.fromhex("000200"))[Signal.BMS_ALARM] == 1.0
    assert flags.decode(bytes.fromhex("760500"))[Signal.BMS_PROTECTION] == 0.0
    assert Signal.CELL_VOLTAGE_MAX_V not in profile.required
    assert Signal.SOC_PCT in profile.required - INFORMATIVE


def test_what_the_table_says_is_not_available_is_none(folder):
    pack = by_id(read(folder, *ROWS))[100]
    assert math.isnan(pack.decode(bytes.fromhex("0E02 F2FE FF F6 0000"))[Signal.SOC_PCT])


NAMES = MappingProxyType({
    Signal.PACK_VOLTAGE_V: ("Pack", "Voltage"),
    Signal.BATTERY_CURRENT_A: ("Pack", "Current"),
    Signal.CELL_VOLTAGE_MAX_V: ("Cells", "MaxCell"),
    Signal.CELL_TEMPERATURE_MAX_C: ("Cells", "MaxTemp"),
    Signal.CHARGE_VOLTAGE_LIMIT_V: ("Wide", "Energy"),
    Signal.SOC_PCT: ("Pack", "SOC"),
})  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=8, max_size=8))
def test_any_frame_gives_the_numbers_that_cantools_finds_in_it(folder, data):
    rows = [
        f"{{signal: {signal}, message: {message}, name: {name}, not_available: []}}"
        for signal, (message, name) in NAMES.items()
    ]
    profile = READ.setdefault("profile", read(folder, *rows))
    database = READ.setdefault("database", cantools.database.load_string(DBC, "dbc"))
    for frame in profile.frames:
        message = database.get_message_by_frame_id(frame.id)
        expected = message.decode(data, decode_choices=False)
        for signal, value in frame.decode(data).items():
            assert value == pytest.approx(float(expected[NAMES[signal][1]]))


READ = {}
"""What takes long to read."""


def test_numbers_of_four_bytes_and_big_endian_ones_are_read(folder):
    (frame,) = read(
        folder, "{signal: battery_current_a, message: Wide, name: Net, scale: 2, plus: 1}"
    ).frames
    told = frame.decode(bytes.fromhex("00000000 FFFFFC18"))
    assert told == {Signal.BATTERY_CURRENT_A: pytest.approx((-1000 * 0.001 + 5) * 2 + 1)}


def test_a_flag_of_big_endian_bits_may_lie_in_two_bytes(folder):
    (frame,) = read(folder, "{signal: bms_alarm, message: Flags, name: Motorola}").frames
    (flag,) = frame.flags
    assert flag.masks == {2: 0b11, 3: 0b1100_0000}


SOC_ROW = "{signal: soc_pct, message: Pack, name: SOC}"


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("{signal: soc_pct, message: Pak, name: SOC}", "the DBC file has no message Pak"),
        ("{signal: soc_pct, message: Pack, name: Soc}", "Pack has no signal Soc"),
        ("{signal: soh_pct, message: Pack, name: Odd}", "Odd has 12 bits from bit 52 on; what can"),
        ("{signal: soh_pct, message: Muxed, name: Inner}", "Inner is multiplexed"),
        ("{signal: soh_pct, message: Muxed, name: Which}", "Which is multiplexed"),
        ("{signal: soh_pct, message: Muxed, name: Real}", "Real is a floating-point number"),
        ("{signal: soh_pct, message: Long, name: Far}", "Long has 12 bytes, 8 are possible"),
        ("{signal: charge_allowed, message: Flags, name: Mode}", "a permission, which has one bit"),
        (
            "{signal: bms_alarm, message: Flags, name: Fault, scale: 2}",
            "bms_alarm is a flag, which",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_line_and_name(folder, row, text):
    with pytest.raises(ConfigError, match=rf"(?s)line 10: signals\[1\]: .*{text}"):
        read(folder, SOC_ROW, row)


def test_a_permission_of_two_bits_is_refused(folder):
    with pytest.raises(ConfigError, match=r"signals\[1\]: charge_allowed is a permission"):
        read(
            folder,
            "{signal: charge_allowed, message: Flags, name: MayCharge}",
            "{signal: charge_allowed, message: Flags, name: OverVoltage}",
        )


def test_numbers_of_both_byte_orders_in_one_message_are_refused(folder):
    text = r"signals\[1\]: Reversed has another byte order than the numbers before it"
    with pytest.raises(ConfigError, match=text):
        read(
            folder,
            "{signal: cell_voltage_max_v, message: Cells, name: MaxCell}",
            "{signal: cell_voltage_min_v, message: Cells, name: Reversed}",
        )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("optional: [Cells]", r"line 10: optional\[0\]: no signal of Cells is read"),
        ("frames: []", "a table has either frames or dbc"),
        ("colour: red", "colour"),
    ],
)
def test_what_stands_beside_it_has_to_fit(folder, more, text):
    with pytest.raises(ConfigError, match=text):
        read(folder, SOC_ROW, more=f"{more}\n")


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (["{signal: soc_pct, message: Pack}"], r"line 9: signals\[0\].name: is missing"),
        (["{signal: soc, message: Pack, name: SOC}"], r"line 9: signals\[0\].signal"),
        ([SOC_ROW, SOC_ROW], "signal listed twice: soc_pct"),
        (["{signal: grid_power_w, message: Pack, name: SOC}"], "grid_power_w is produced by meter"),
    ],
)
def test_rows_are_checked_as_those_of_every_table(folder, rows, text):
    with pytest.raises(ConfigError, match=text):
        read(folder, *rows)


def test_a_file_that_is_not_there_or_no_dbc_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match=r"line 7: dbc: .*my.dbc cannot be read: No such file"):
        read(tmp_path, SOC_ROW)
    (tmp_path / "my.dbc").write_text("BO_ what is this")
    with pytest.raises(ConfigError, match=r"line 7: dbc: .*my.dbc is no DBC file that can be read"):
        read(tmp_path, SOC_ROW)


def test_without_cantools_it_is_told_what_brings_it(folder, monkeypatch):
    monkeypatch.setattr(dbc, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[dbc\]' brings what reads"):
        read(folder, SOC_ROW)


def test_the_dbc_file_lies_beside_the_table(tmp_path):
    (tmp_path / "my.dbc").write_bytes(DBC.replace("degC", "\xb0C").encode("latin-1"))
    table = Path(tmp_path / "my_battery.yaml")
    table.write_text(table_of(*ROWS))
    profile = load_profile(str(table))
    assert profile.name == "mine"
    assert set(by_id(profile)) == {100, 101, 2566844672 & 0x1FFF_FFFF}
