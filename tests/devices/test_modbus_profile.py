"""What a table of a Modbus device must not say, and what it is for one unit and some roles."""

import math

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.device_mode import PLANNED, DeviceMode
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile, parse_profile
from holdfast.devices.register_image import NOTHING_SHOWN
from holdfast.devices.scaled import ScaledRead
from holdfast.devices.verbs import VerbWrite
from tests.devices.test_mode_write import MODES
from tests.devices.test_mode_write import told as told_of_modes
from tests.devices.test_verbs import VERBS as TOLD_IN_VERBS
from tests.devices.test_verbs import table

INVERTER = """
name: x
protocol: modbus
roles: [inverter]
source: test
poll_period_s: 0.1
reads:
  - {signal: battery_power_w, address: 0, type: int32}
  - {signal: setpoint_readback_w, address: 2, type: int32}
writes:
  - {point: setpoint_w, address: 2, type: int32, function: multiple, readback: setpoint_readback_w}
"""
HARDWARE = InverterHardware(
    charge_power_max_w=4000, discharge_power_max_w=5000, revert_timeout_s=30
)


def parsed(text: str) -> ModbusProfile:
    profile = parse_profile(text, source="x.yaml")
    assert isinstance(profile, ModbusProfile)
    return profile


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("constants: {revert_timeout_readback_s: -1}", "revert_timeout_readback_s cannot be -1"),
        ("constants: {revert_timeout_readback_s: .nan}", "revert_timeout_readback_s cannot be nan"),
        ("constants: {battery_power_w: 0}", "signal listed twice: battery_power_w"),
        (
            (
                "constants: {revert_timeout_readback_s: 60}\n"
                "lacks: {revert_timeout_readback_s: it has none}"
            ),
            "signal listed twice: revert_timeout_readback_s",
        ),
        (
            "lacks: {setpoint_readback_w: why}",
            (
                "lacks: setpoint_readback_w cannot be done without; what can is inverter_enabled, "
                "revert_timeout_readback_s"
            ),
        ),
        ("lacks: {inverter_enabled: no}", "lacks.inverter_enabled"),
        ("longest_read: 1", "battery_power_w is longer than longest_read"),
    ],
)
def test_what_cannot_be_is_refused(more: str, named: str) -> None:
    text = INVERTER
    if "setpoint_readback_w: why" in more:
        text = text.replace("  - {signal: setpoint_readback_w, address: 2, type: int32}\n", "")
        text = text.replace(", readback: setpoint_readback_w", "")
    with pytest.raises(ConfigError) as error:
        parsed(text + more)
    assert named in str(error.value)


def test_a_setpoint_wears_out_only_where_nothing_has_to_be_written_all_the_time() -> None:
    worn = INVERTER.replace("point: setpoint_w,", "point: setpoint_w, writes_per_day: 96,")
    with pytest.raises(ConfigError, match="setpoint_w cannot wear out"):
        parsed(worn)
    kept = parsed(worn + "lacks: {revert_timeout_readback_s: it keeps what it was told}")
    assert kept.traits[Point.SETPOINT_W].writes_per_day == 96


VERBS = """
    verbs:
      charge: [{address: 9, type: int16, value: ac_power}]
      discharge: [{address: 9, type: int16, value: ac_power}]
      idle: [{address: 9, type: int16, value: ac_power}]
"""


def told_in_verbs(roles: str, pv: str) -> str:
    head = INVERTER[: INVERTER.index("writes:")].replace("[inverter]", roles)
    head = head.replace("  - {signal: setpoint_readback_w, address: 2, type: int32}\n", pv)
    row = "writes:\n  - point: setpoint_w\n    readback: setpoint_readback_w"
    return head + row + VERBS


def test_a_command_that_rests_on_the_sun_needs_a_device_that_tells_it() -> None:
    with pytest.raises(ConfigError, match="they rest on pv_power_w, which is not read"):
        parsed(told_in_verbs("[inverter]", ""))
    pv = "  - {signal: pv_power_w, address: 20, type: uint16}\n"
    whole = parsed(told_in_verbs("[inverter, pv_meter]", pv))
    assert whole.rests_on(Point.SETPOINT_W) == {Signal.PV_POWER_W}
    assert whole.traits[Point.SETPOINT_W].follows_pv
    # Where another device is the PV meter it is read all the same, and not told.
    part = whole.of(Role.INVERTER)
    assert Signal.PV_POWER_W not in part.signals
    assert (None, "holding", 20) in {place for block in part.blocks() for place in block.places}
    image = dict.fromkeys((place for block in part.blocks() for place in block.places), 7)
    assert Signal.PV_POWER_W not in {
        one.signal for one in part.told(image, dict.fromkeys(image, 1))
    }
    assert part.value_of(Signal.PV_POWER_W, image) == 7.0
    assert whole.aside == ()
    # What the AC side was told is the setpoint only together with what PV gave.
    setpoint = Signal.SETPOINT_READBACK_W
    told = {one.signal: one.value for one in part.told(image, dict.fromkeys(image, 1), 600.0)}
    assert told[setpoint] == part.value_of(setpoint, image, 600.0) == 607.0
    dark = {one.signal: one.value for one in part.told(image, dict.fromkeys(image, 1))}
    assert dark[setpoint] == part.value_of(setpoint, image) == 7.0


def test_what_is_always_so_is_told_with_every_poll_and_is_part_of_its_role() -> None:
    profile = parsed(INVERTER + "constants: {revert_timeout_readback_s: 60}")
    assert Signal.REVERT_TIMEOUT_READBACK_S in profile.signals
    image = dict.fromkeys((place for block in profile.blocks() for place in block.places), 0)
    asked_ns = {place: 5 + place[2] for place in image}
    told = {one.signal: one for one in profile.told(image, asked_ns)}
    assert told[Signal.REVERT_TIMEOUT_READBACK_S].value == 60.0
    assert told[Signal.REVERT_TIMEOUT_READBACK_S].time_ns == 5
    assert told[Signal.SETPOINT_READBACK_W].time_ns == 7
    assert profile.value_of(Signal.REVERT_TIMEOUT_READBACK_S, {}) == 60.0
    assert math.isnan(profile.value_of(Signal.SOC_PCT, image))
    whole = load_profile("sungrow_sh")
    assert isinstance(whole, ModbusProfile)
    assert whole.of(Role.METER).constants == {}
    assert whole.of(Role.METER).lacks == {}
    assert whole.of(Role.INVERTER).constants == whole.constants
    assert whole.of(Role.INVERTER).lacks == whole.lacks


def test_a_table_is_bound_to_the_powers_and_the_timer_of_a_unit() -> None:
    profile = load_profile("foxess_h3")
    assert isinstance(profile, ModbusProfile)
    row, *_ = profile.bound(HARDWARE).writes
    image = dict.fromkeys((place for run in row.runs for place in run), 0)
    assert image
    plain = parsed(INVERTER)
    assert plain.bound(HARDWARE) == plain


# What each key may be. ----------------------------------------------------------------------------


def test_a_table_that_says_nothing_of_manners_has_none() -> None:
    profile = parsed(INVERTER)
    assert (profile.longest_read, profile.read_gap) == (100, 0)
    assert (profile.pause_s, profile.connect_pause_s, profile.single_client) == (0.0, 0.0, False)
    assert profile.traits[Point.SETPOINT_W].refresh_ns is None
    assert not profile.traits[Point.SETPOINT_W].follows_pv


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("longest_read", 2), ("longest_read", 125), ("read_gap", 0), ("read_gap", 100),
        ("pause_s", 0), ("pause_s", 1), ("connect_pause_s", 0), ("connect_pause_s", 5),
        ("single_client", True),
    ],
)  # fmt: skip
def test_manners_within_their_bounds_are_taken(key: str, value: float) -> None:
    text = f"{INVERTER}{key}: {value}".replace("True", "true")
    assert getattr(parsed(text), key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("longest_read", 0), ("longest_read", 126), ("read_gap", -1), ("read_gap", 101),
        ("pause_s", -0.1), ("pause_s", 1.1), ("connect_pause_s", -0.1), ("connect_pause_s", 5.1),
    ],
)  # fmt: skip
def test_manners_beyond_them_are_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{key}: {value}: must be at"):
        parsed(f"{INVERTER}{key}: {value}")


def test_a_row_that_is_none_is_told_as_such() -> None:
    text = INVERTER.replace("  - {signal: battery_power_w, address: 0, type: int32}", "  - 5")
    with pytest.raises(ConfigError, match=r"reads\[0\]"):
        parsed(text)


def test_a_row_with_a_power_of_ten_is_one_from_a_file_and_from_a_program() -> None:
    text = INVERTER.replace("address: 0, type: int32", "address: 0, type: int16, scale_from: 1")
    (row, _) = parsed(text).reads
    assert isinstance(row, ScaledRead)
    content = parsed(text).model_dump()
    again = ModbusProfile.model_validate(content | {"reads": (row,), "writes": ()})
    assert again.reads == (row,)
    assert again.model_dump()["reads"] == (row.model_dump(),), "with its power of ten"


def test_a_read_back_that_is_listed_and_told_by_verbs_stands_twice() -> None:
    pv = "  - {signal: setpoint_readback_w, address: 30, type: int16}\n"
    pv += "  - {signal: pv_power_w, address: 20, type: uint16}\n"
    with pytest.raises(ConfigError, match="signal listed twice: setpoint_readback_w"):
        parsed(told_in_verbs("[inverter, pv_meter]", pv))


def test_a_contactor_cannot_wear_out_whatever_the_inverter_lacks() -> None:
    text = INVERTER.replace("[inverter]", "[inverter, relays]").replace(
        "writes:",
        "  - {signal: contactor_closed, address: 9, type: uint16}\n"
        "writes:\n  - {point: contactor, address: 9, type: uint16, writes_per_day: 9}",
    )
    with pytest.raises(ConfigError, match="contactor cannot wear out"):
        parsed(text + "lacks: {revert_timeout_readback_s: it keeps what it was told}")


def test_a_refresh_of_the_table_is_a_trait_of_the_point() -> None:
    text = INVERTER.replace("point: setpoint_w,", "point: setpoint_w, refresh_s: 2,")
    assert parsed(text).traits[Point.SETPOINT_W].refresh_ns == 2_000_000_000


SHARES = """
    verbs:
      charge: [{address: 8, type: uint16, value: timeout}, {address: 9, type: int16, value: power, of_rated: true, scale: 0.01}]
      discharge: [{address: 8, type: uint16, value: timeout}, {address: 9, type: int16, value: power, of_rated: true, scale: 0.01}]
      idle: [{address: 9, type: int16, value: 0}]
"""  # noqa: E501 - a table


def test_each_direction_has_its_own_rated_power_and_the_timer_is_whole_seconds() -> None:
    head = told_in_verbs("[inverter]", "").replace(VERBS, SHARES)
    hardware = HARDWARE.model_copy(update={"revert_timeout_s": 29.6})
    row, *_ = parsed(head).bound(hardware).writes
    assert isinstance(row, VerbWrite)
    for power_w, word in ((2000.0, 50), (-2500.0, 0x10000 - 50)):
        timer, share = row.requests(power_w, NOTHING_SHOWN)
        assert (timer.words, share.words) == ((30,), (word,))


OTHER_WAY = "it would be 100 with its two words the other way round (words)"


@pytest.mark.parametrize(
    ("row", "words", "hint"),
    [
        ("type: int32", (100, 0), OTHER_WAY),
        ("type: int32, words: low_first", (0, 100), OTHER_WAY),
        ("type: int32", (0, 100), ""),  # as it should be
        ("type: int32", (100, 100), ""),  # wrong either way
        ("type: int32, also: [{address: 9, type: int16}]", (100, 0), ""),
        ("type: int32, scale_from: 9", (100, 0), ""),
        ("type: int16, scale: 1000", (30_000, 0), ""),
    ],
)
def test_words_that_would_be_right_the_other_way_round_are_hinted_at(
    row: str, words: tuple[int, int], hint: str
) -> None:
    profile = parsed(INVERTER.replace("address: 0, type: int32", f"address: 0, {row}"))
    image = dict.fromkeys((place for block in profile.blocks() for place in block.places), 0)
    image |= {(None, "holding", 0): words[0], (None, "holding", 1): words[1]}
    told = {one.signal: one for one in profile.told(image, dict.fromkeys(image, 1))}
    assert told[Signal.BATTERY_POWER_W].hint == hint
    assert told[Signal.SETPOINT_READBACK_W].hint == ""


def test_what_is_no_verb_is_hinted_at_as_no_command_of_ours() -> None:
    profile = parsed(told_in_verbs("[inverter]", "").replace("ac_power", "power"))
    image = dict.fromkeys((place for block in profile.blocks() for place in block.places), 0)
    told = {one.signal: one for one in profile.told(image, dict.fromkeys(image, 1))}
    assert told[Signal.SETPOINT_READBACK_W].hint == "what it holds is no command of ours"


def test_one_signal_is_read_by_its_own_registers() -> None:
    profile = parsed(INVERTER)
    assert [(one.address, one.count) for one in profile.blocks_of(Signal.BATTERY_POWER_W)] == [
        (0, 2)
    ]
    assert profile.blocks_of(Signal.SOC_PCT) == ()
    pv = "  - {signal: pv_power_w, address: 20, type: uint16}\n"
    part = parsed(told_in_verbs("[inverter, pv_meter]", pv)).of(Role.INVERTER)
    assert [(one.address, one.count) for one in part.blocks_of(Signal.PV_POWER_W)] == [(20, 1)]
    # Nothing of another role is read that no command rests on.
    whole = load_profile("foxess_h3")
    assert isinstance(whole, ModbusProfile)
    assert {row.signal for row in whole.of(Role.INVERTER).aside} == {Signal.PV_POWER_W}
    assert whole.of(Role.BMS).aside == ()
    assert whole.of(Role.INVERTER, Role.PV_METER).aside == ()


def test_a_device_that_no_longer_holds_its_marks_has_moved() -> None:
    place, other = (None, "holding", 70), (None, "holding", 71)
    plain = parsed(INVERTER)
    marked = plain.marked({place: 103, other: 50})
    assert marked.marks == {place: 103, other: 50}
    assert plain.marks == {}
    assert {place, other} <= {each for block in marked.blocks() for each in block.places}
    assert not marked.moved({place: 103, other: 50})
    assert marked.moved({place: 103, other: 51})
    assert not marked.moved({place: 103}), "what was not asked for has not moved"
    assert not plain.moved({place: 1})


def test_over_a_wire_that_hands_over_a_few_nothing_is_read_that_nobody_wants() -> None:
    whole = load_profile("growatt_sph")
    assert isinstance(whole, ModbusProfile)
    part = whole.in_pieces(2)
    wanted = {place for row in whole.tellers for run in row.runs for place in run}
    blocks = part.blocks()
    assert max(block.count for block in blocks) == 2
    assert {place for block in blocks for place in block.places} == wanted
    assert (1090, 2) in {(block.address, block.count) for block in blocks}, "neighbours together"
    assert whole.longest_read > 2, "the table itself stays as it is"
    mod = load_profile("growatt_mod")
    assert isinstance(mod, ModbusProfile)
    read = {place for block in mod.in_pieces(3).blocks() for place in block.places}
    assert (None, "holding", 3037) not in read, "it is between two that are wanted"
    assert part.of(Role.INVERTER).in_pieces(2).signals < whole.signals


def test_registers_that_belong_together_come_in_one_piece_or_not_at_all() -> None:
    table = load_profile("growatt_sph")
    assert isinstance(table, ModbusProfile)
    with pytest.raises(ValueError, match="reads more registers together than the 1 of this wire"):
        table.in_pieces(1)


# Modes of its own. --------------------------------------------------------------------------------


def test_a_device_that_keeps_a_rule_of_its_own_is_asked_for_no_power():
    assert told_of_modes(r11=9)[Signal.SETPOINT_READBACK_W].value == 0.0
    assert told_of_modes(r11=1, r12=25)[Signal.SETPOINT_READBACK_W].value == 1000.0
    neither = told_of_modes(r11=77)
    assert math.isnan(neither[Signal.SETPOINT_READBACK_W].value)
    assert neither[Signal.DEVICE_MODE].value == 0.0


def test_the_modes_that_a_table_has_are_a_trait_of_it():
    traits = table(TOLD_IN_VERBS + MODES).traits
    assert traits[Point.DEVICE_MODE].modes == {DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST}
    assert traits[Point.SETPOINT_W].modes == set(PLANNED)
    assert Signal.DEVICE_MODE in table(TOLD_IN_VERBS + MODES).signals
    assert table(TOLD_IN_VERBS).traits[Point.DEVICE_MODE].modes == {DeviceMode.OWN_RULE}


def test_modes_that_cannot_be_told_from_a_setpoint_are_refused():
    with pytest.raises(ConfigError, match="shows grid_first shows discharge as well"):
        table(TOLD_IN_VERBS + MODES.replace("value: 8}", "value: 2}"))
    plain = "writes:\n  - {point: setpoint_w, address: 11, type: int16}\n"
    with pytest.raises(ConfigError, match="only where the setpoint is told in verbs"):
        table(f"\n{plain}{MODES}")


def test_a_device_without_modes_that_shows_no_command_of_ours_shows_none():
    profile = table(TOLD_IN_VERBS)
    image = {place: 0 for block in profile.blocks() for place in block.places}
    image[None, "holding", 11] = 77
    assert math.isnan(profile.value_of(Signal.SETPOINT_READBACK_W, image))


def test_what_has_to_be_known_before_a_command_is_read_where_the_command_rests_on_it():
    assert table(TOLD_IN_VERBS).basis_of(Point.SETPOINT_W) == ()
    plain = parse_profile(INVERTER, source="plain.yaml")
    assert plain.basis_of(Point.SETPOINT_W) == ()
    assert plain.basis_of(Point.ENABLE) == ()


def test_a_point_is_as_coarse_as_what_shows_it_and_no_other_signal_matters():
    coarse = INVERTER.replace("battery_power_w, ", "battery_power_w, scale: 500, ")
    assert coarse != INVERTER
    assert parsed(coarse).traits[Point.SETPOINT_W] == parsed(INVERTER).traits[Point.SETPOINT_W]
    shown = INVERTER.replace("setpoint_readback_w, ", "setpoint_readback_w, scale: 500, ", 1)
    assert shown != INVERTER
    assert parsed(shown).traits[Point.SETPOINT_W].step == 500.0


def test_marks_alone_are_no_reason_to_read():
    marked = parsed(INVERTER).marked({(None, "holding", 70): 103})
    assert marked.planned(()) == ()
