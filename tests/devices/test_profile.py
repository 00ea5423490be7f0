"""The contract of every device table, those that come with Holdfast and those to come."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.devices.can_frames import CanFrame
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.modbus_profile import MAY_BE_SLOW, ModbusProfile
from holdfast.devices.profile import load_profile, parse_profile, profile_names
from holdfast.devices.registers import RegisterRead, RegisterWrite

PROFILES = [load_profile(name) for name in profile_names()]
MODBUS = [profile for profile in PROFILES if isinstance(profile, ModbusProfile)]
CAN = [profile for profile in PROFILES if isinstance(profile, CanProfile)]
READS = [
    (profile.name, row)
    for profile in MODBUS
    for row in profile.reads
    if row.equals is None and row.mask is None
]
"""Flags are tried in test_registers.py."""


def plain(profile):
    """What is written to one register; what is told in verbs is tried on its box."""
    return [row for row in profile.writes if isinstance(row, RegisterWrite)]


WRITES = [(profile.name, row) for profile in MODBUS for row in plain(profile)]
WHOLE = [each for each in READS + WRITES if each[1].type != "float32"]
"""Rows whose registers hold whole numbers."""
FRAMES = [(profile.name, frame) for profile in CAN for frame in profile.frames]

RAW_RANGE = {
    "uint16": (0, 2**16 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint32": (0, 2**32 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "bool": (0, 1),
}
USUAL = {"uint16": 2**16 - 1, "int16": -(2**15), "uint32": 2**32 - 1, "int32": -(2**31)}


def says_nothing(row, words):
    """Says whether these words are the row's for "not available"."""
    of_limit = row.signal is Signal.EXPORT_LIMIT_READBACK_W  # all ones: no limit
    usual = () if of_limit else (USUAL.get(row.type),)
    named = usual if row.not_available is None else row.not_available
    raw = RegisterWrite.model_construct(type=row.type, words=row.words, scale=1.0).decode(words)
    return raw in named


def named(profile):
    return profile.name


def row_id(value):
    if isinstance(value, RegisterRead):
        return value.signal
    if isinstance(value, RegisterWrite):
        return value.point
    return f"0x{value.id:03X}" if isinstance(value, CanFrame) else value


def test_there_are_profiles_of_both_kinds():
    assert MODBUS
    assert CAN
    assert READS
    assert WRITES
    assert FRAMES


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_is_called_like_its_file_and_has_a_source(profile):
    assert load_profile(profile.name) is profile
    assert profile.source


def test_a_table_is_read_once():
    read_again = load_profile.__wrapped__("generic_meter")
    assert read_again == load_profile("generic_meter") is load_profile("generic_meter")


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_every_signal_belongs_to_the_role(profile):
    assert profile.signals
    assert {SIGNALS[signal].producer for signal in profile.signals} == set(profile.roles)


def wanted(profile):
    return {place for row in profile.tellers for run in row.runs for place in run}


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_blocks_read_every_row_once_and_nothing_else(profile):
    places = [place for block in profile.blocks() for place in block.places]
    assert len(set(places)) == len(places)
    assert set(places) >= wanted(profile)
    assert profile.read_gap or set(places) == wanted(profile)
    assert all(block.count <= profile.longest_read for block in profile.blocks())


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_blocks_of_one_table_do_not_touch(profile):
    blocks = sorted(profile.blocks(), key=lambda block: (block.table, block.address))
    for one, following in itertools.pairwise(blocks):
        if (one.device_id, one.table) == (following.device_id, following.table):
            assert following.address > one.address + one.count


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["uint16", "int32"])),
        min_size=1,
        max_size=20,
    )
)
def test_blocks_of_any_table_cover_all_rows(rows):
    signals = [signal for signal in Signal if SIGNALS[signal].producer is Role.BMS]
    reads = [
        RegisterRead(signal=signal, address=address, type=type_)
        for signal, (address, type_) in zip(signals, rows, strict=False)
    ]
    profile = ModbusProfile(
        name="x", protocol="modbus", roles=["bms"], source="x", poll_period_s=1, reads=reads
    )
    blocks = profile.blocks()
    assert {place for block in blocks for place in block.places} == wanted(profile)
    for block in blocks:
        assert 1 <= block.count <= 100
    # The two words of a number come in one request, or they may be of two numbers.
    for row in reads:
        assert any(set(row.places) <= set(block.places) for block in blocks)


@pytest.mark.parametrize(("name", "row"), WHOLE, ids=row_id)
def test_what_is_encoded_decodes_to_itself_within_a_step(name, row):
    reads = isinstance(row, RegisterRead)
    low, high = RAW_RANGE[row.type]
    for raw in {low, low + 1, high - 1, high, 0, 1, (low + high) // 2}:
        for offset in (0,) if row.type == "bool" else (-0.4, 0, 0.4):
            if low <= raw + offset <= high:
                value = (raw + offset) * row.scale + getattr(row, "plus", 0.0)
                words = row.encode(value)
                assert len(words) == row.count
                assert all(0 <= word <= 65535 for word in words)
                if reads and says_nothing(row, words):
                    assert math.isnan(row.decode(words))
                    continue
                step = abs(row.scale) * (0.500001 if reads else 1.000001)
                assert abs(row.decode(words) - value) <= step
                # What is written never holds more than was asked for.
                assert reads or abs(row.decode(words)) <= abs(value) * (1 + 1e-9)


@pytest.mark.parametrize(("name", "row"), READS + WRITES, ids=row_id)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308])
def test_what_is_no_number_or_too_large_is_refused(name, row, value):
    with pytest.raises(ValueError, match=r"cannot be written|does not fit|neither 0 nor 1"):
        row.encode(value)


@pytest.mark.parametrize(("name", "row"), WHOLE, ids=row_id)
def test_one_step_outside_the_range_is_refused(name, row):
    for raw in (RAW_RANGE[row.type][0] - 1, RAW_RANGE[row.type][1] + 1):
        with pytest.raises(ValueError, match=r"does not fit|neither 0 nor 1"):
            row.encode(raw * row.scale + getattr(row, "plus", 0.0))


@pytest.mark.parametrize(("name", "row"), [each for each in WHOLE if each in READS], ids=row_id)
def test_range_of_the_register_reaches_plausible_values(name, row):
    signal = SIGNALS[row.signal]
    ends = sorted(raw * row.scale for raw in RAW_RANGE[row.type])
    assert ends[0] <= signal.high
    assert ends[1] >= signal.low


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_readback_is_read_by_the_same_profile_with_the_same_scale(profile):
    reads = {row.signal: row for row in profile.reads}
    for write in plain(profile):
        if write.readback is not None:
            assert write.readback in reads
        if write.readback is not None and write.table == reads[write.readback].table:
            assert reads[write.readback].scale == write.scale


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_safe_value_of_every_point_can_be_written(profile):
    for point, row in {row.point: row for row in plain(profile)}.items():
        assert row.decode(row.encode(0.0)) == 0, point


def needed_by(frame):
    """An optional frame is read as far as it goes, if one part of it is there."""
    return min(part.end for part in frame.parts) if frame.optional else frame.length


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=row_id)
def test_frame_fits_eight_bytes_and_refuses_less_than_it_needs(name, frame):
    assert 1 <= frame.length <= 8
    frame.decode(bytes(frame.length))
    frame.decode(bytes(8))
    needed = needed_by(frame)
    frame.decode(bytes(needed))
    with pytest.raises(ValueError, match=f"0x{frame.id:03X} has {needed - 1} bytes, {needed} are"):
        frame.decode(bytes(needed - 1))


@given(data=st.binary(max_size=8), pair=st.sampled_from(FRAMES))
def test_any_bytes_decode_to_finite_values_are_not_available_or_are_refused(data, pair):
    _, frame = pair
    try:
        values = frame.decode(data)
    except ValueError:
        assert len(data) < needed_by(frame)
        return
    assert not any(math.isinf(value) for value in values.values())
    if frame.optional:
        assert not any(math.isnan(value) for value in values.values())
        assert values.keys() <= {part.signal for part in frame.parts if part.end <= len(data)}
    else:
        assert values.keys() == {part.signal for part in frame.parts}


@given(words=st.lists(st.integers(0, 65535), min_size=2, max_size=2), pair=st.sampled_from(READS))
def test_any_registers_decode_to_finite_values_or_are_not_available(words, pair):
    _, row = pair
    words = words[: row.count]
    value = row.decode(words)
    if row.type == "float32":  # what is no number in it is no value of anything
        assert math.isfinite(value) or not SIGNALS[row.signal].is_plausible(value)
    else:
        assert math.isfinite(value) is not says_nothing(row, words)


GOOD_MODBUS = """
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

GOOD_CAN = """
name: x
protocol: can
roles: [bms]
source: test
burst_period_s: 1
frames:
  - id: 0x355
    fields:
      - {signal: soc_pct, byte: 0, type: uint16}
    flags:
      - {signal: bms_alarm, masks: {2: 0x80}}
"""

BAD = [
    (GOOD_MODBUS, "protocol: modbus", "protocol: telepathy", "protocol must be one of"),
    (GOOD_MODBUS, "roles: [inverter]", "roles: [meter]", "battery_power_w is produced by inverter"),
    (GOOD_MODBUS, "roles: [inverter]", "roles: [toaster]", "roles"),
    (GOOD_MODBUS, "source: test", "", "source"),
    (GOOD_MODBUS, "source: test", "source: test\ncolour: red", "colour"),
    (GOOD_MODBUS, "source: test", "source: test\nsource: twice", "source stands in line"),
    (GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: 0.5", "fewer than three polls"),
    (GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: 0", "poll_period_s"),
    (GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: .nan", "poll_period_s"),
    (GOOD_MODBUS, "address: 0", "address: 65536", "address"),
    (GOOD_MODBUS, "address: 0", "address: 65535", "ends behind the last register"),
    (GOOD_MODBUS, "address: 0", "address: -1", "address"),
    (GOOD_MODBUS, "address: 0, type: int32", "address: 0, type: float", "type"),
    (GOOD_MODBUS, "address: 0, type: int32", "address: 0, type: uint8", "type"),
    (GOOD_MODBUS, "address: 0,", "address: 0, scale: 0,", "scale 0"),
    (GOOD_MODBUS, "address: 0,", "address: 0, scale: .inf,", "scale"),
    (GOOD_MODBUS, "address: 0,", "address: 0, table: coil,", "a coil is a bool"),
    (GOOD_MODBUS, "signal: battery_power_w", "signal: battery_power_kw", "signal"),
    (GOOD_MODBUS, "battery_power_w", "setpoint_readback_w", "signal listed twice: setpoint_read"),
    (GOOD_MODBUS, "function: multiple, ", "", "function must be multiple"),
    (GOOD_MODBUS, "point: setpoint_w", "point: thrust", "point"),
    (GOOD_MODBUS, "readback: setpoint_readback_w", "readback: inverter_enabled", "is not read"),
    (
        GOOD_MODBUS,
        "writes:\n",
        "writes:\n  - {point: setpoint_w, address: 9, type: int16}\n",
        "point listed twice: setpoint_w",
    ),
    (
        GOOD_MODBUS,
        "point: setpoint_w,",
        "point: setpoint_w, writes_per_day: 100,",
        "setpoint_w cannot wear out: it is written anew all the time",
    ),
    (
        GOOD_MODBUS,
        "point: setpoint_w,",
        "point: load_on, writes_per_day: 100,",
        "load_on cannot wear out: it is written anew all the time",
    ),
    (
        GOOD_MODBUS,
        "writes:\n",
        "writes:\n  - {point: enable, address: 9, type: uint16, writes_per_day: 0}\n",
        "writes_per_day",
    ),
    (
        GOOD_MODBUS,
        "writes:\n",
        "writes:\n  - {point: enable, address: 9, type: uint16, wears_out: true}\n",
        "wears_out",
    ),
    (GOOD_MODBUS, "address: 0,", "address: 0, not_available: [0x1FFFFFFFF],", "is no int32"),
    (GOOD_MODBUS, "address: 0,", "address: 0, not_available: [x],", "not_available"),
    (GOOD_CAN, "byte: 0", "byte: 7", "would need 9 bytes"),
    (
        GOOD_CAN,
        "byte: 0,",
        "byte: 0, not_available: [-1],",
        "-1 is no uint16: those are 0 to 65535",
    ),
    (GOOD_CAN, "byte: 0,", "byte: 0, up_to: 0,", "up_to"),
    (GOOD_CAN, "byte: 0,", "byte: 0, up_to: .inf,", "up_to"),
    (GOOD_CAN, "0x80}", "0x80}, paired: true", "mask 0x80 of byte 2 is not of lower bits alone"),
    (GOOD_CAN, "byte: 0", "byte: 8", "byte"),
    (GOOD_CAN, "{2: 0x80}", "{8: 0x80}", "masks"),
    (GOOD_CAN, "{2: 0x80}", "{2: 0x100}", "masks"),
    (GOOD_CAN, "{2: 0x80}", "{}", "masks"),
    (GOOD_CAN, "bms_alarm", "soc_pct", "signal listed twice: soc_pct"),
    (GOOD_CAN, "0x355", "0x800", "id"),
    (GOOD_CAN, "roles: [bms]", "roles: [inverter]", "is produced by bms"),
    (
        GOOD_MODBUS,
        "writes:\n",
        "writes:\n  - {point: contactor, address: 9, type: uint16}\n",
        "contactor is taken by relays, not by inverter",
    ),
    (GOOD_CAN, "frames:\n", "frames:\n  - {id: 0x111}\n", "0x111 carries nothing"),
    (
        GOOD_CAN,
        "frames:\n",
        "frames:\n  - {id: 0x355, fields: [{signal: soh_pct, byte: 0, type: uint8}]}\n",
        "frame listed twice: 0x355",
    ),
]


@pytest.mark.parametrize("text", [GOOD_MODBUS, GOOD_CAN])
def test_the_base_of_the_bad_texts_is_good(text):
    assert parse_profile(text, source="x.yaml").name == "x"


@pytest.mark.parametrize(
    ("text", "right", "wrong", "named"), BAD, ids=[f"{row[2].strip()[:40]}" for row in BAD]
)
def test_bad_profile_is_refused_with_the_name_of_what_is_wrong(text, right, wrong, named):
    assert right in text
    with pytest.raises(ConfigError, match=r"file\.yaml") as error:
        parse_profile(text.replace(right, wrong, 1), source="file.yaml")
    assert named in str(error.value)


def parsed(text, right, wrong):
    assert right in text
    return parse_profile(text.replace(right, wrong, 1), source="file.yaml")


@pytest.mark.parametrize(
    ("period_s", "refused"),
    [
        ("0.01", None),
        ("0.0095", "must be at least 0.01"),
        ("10", "fewer than three polls"),  # no signal may be that old, yet it is a period
        ("10.5", "must be at most 10"),
    ],
)
def test_a_device_is_polled_every_ten_milliseconds_to_ten_seconds(period_s, refused):
    if refused is None:
        profile = parsed(GOOD_MODBUS, "poll_period_s: 0.1", f"poll_period_s: {period_s}")
        assert profile.poll_period_s == float(period_s)
    else:
        with pytest.raises(ConfigError, match=f"(?s)poll_period_s.*{refused}"):
            parsed(GOOD_MODBUS, "poll_period_s: 0.1", f"poll_period_s: {period_s}")


@pytest.mark.parametrize("quick", [Signal.BATTERY_POWER_W, Signal.SETPOINT_READBACK_W])
def test_three_polls_fit_into_the_shortest_maximum_age(monkeypatch, quick):
    monkeypatch.setitem(SIGNALS, quick, replace(SIGNALS[quick], max_age_s=0.75))
    parsed(GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: 0.25")
    with pytest.raises(ConfigError, match=r"fewer than three polls.*0\.75 s"):
        parsed(GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: 0.2501")


def test_a_point_needs_no_readback():
    profile = parsed(GOOD_MODBUS, ", readback: setpoint_readback_w", "")
    assert profile.points["setpoint_w"].readback is None


@pytest.mark.parametrize(
    ("period_s", "fits"), [("0.001", True), ("3.3333", True), ("0", False), ("3.3334", False)]
)
def test_a_burst_that_is_late_by_half_is_not_yet_lost(period_s, fits):
    change = "burst_period_s: 1\n", f"burst_period_s: {period_s}\n"
    if fits:
        assert parsed(GOOD_CAN, *change).burst_period_s == float(period_s)
    else:
        with pytest.raises(ConfigError, match="burst_period_s"):
            parsed(GOOD_CAN, *change)


@pytest.mark.parametrize(
    ("id_", "fits"), [("0", True), ("0x7FF", True), ("-1", False), ("0x800", False)]
)
def test_a_keep_alive_has_an_identifier_of_eleven_bits(id_, fits):
    change = "frames:\n", f"keep_alive_id: {id_}\nframes:\n"
    if fits:
        assert parsed(GOOD_CAN, *change).keep_alive_id == int(id_, base=0)
    else:
        with pytest.raises(ConfigError, match="keep_alive_id"):
            parsed(GOOD_CAN, *change)
    assert parse_profile(GOOD_CAN, source="file.yaml").keep_alive_id is None


@pytest.mark.parametrize(("text", "rows"), [(GOOD_MODBUS, "reads"), (GOOD_CAN, "frames")])
def test_a_device_of_which_nothing_is_read_is_refused(text, rows):
    head, _ = text.split(f"{rows}:\n")
    with pytest.raises(ConfigError, match=rf"{rows}: needs at least 1 entry"):
        parse_profile(f"{head}{rows}: []\n", source="file.yaml")


def layout(*rows):
    """Requests for registers at these addresses: more than there are signals for."""
    reads = tuple(
        RegisterRead(signal=Signal.SOC_PCT, address=address, type=type_) for address, type_ in rows
    )
    blocks = ModbusProfile.model_construct(reads=reads, writes=()).blocks()
    return [(block.table, block.address, block.count) for block in blocks]


def test_one_request_reads_up_to_a_hundred_registers():
    run = [(address, "uint32") for address in range(10, 108, 2)]
    assert layout(*run, (108, "uint32")) == [("holding", 10, 100)]
    assert layout(*run, (108, "uint16"), (109, "uint32")) == [
        ("holding", 10, 99),
        ("holding", 109, 2),
    ]


@pytest.mark.parametrize(
    ("rows", "blocks"),
    [
        ([(5, "uint16")], [("holding", 5, 1)]),
        ([(5, "uint16"), (6, "uint32")], [("holding", 5, 3)]),  # touch
        ([(5, "uint16"), (7, "uint32")], [("holding", 5, 1), ("holding", 7, 2)]),
        ([(5, "uint32"), (5, "uint16")], [("holding", 5, 2)]),  # overlap
        ([(5, "uint32"), (6, "uint16")], [("holding", 5, 2)]),
        ([(6, "uint16"), (5, "uint16")], [("holding", 5, 2)]),  # whatever their order
    ],
)
def test_neighbours_are_read_together_and_what_lies_between_others_is_not_read(rows, blocks):
    assert layout(*rows) == blocks


def test_profiles_are_the_tables_in_their_folder_by_name(monkeypatch, tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    for name in "hbgcfdea":
        (folder / f"{name}.yaml").write_text("")
    (folder / "README.md").write_text("")
    (folder / "a.yaml.orig").write_text("")
    monkeypatch.setattr("holdfast.devices.profile.files", lambda _: tmp_path)
    assert profile_names() == tuple("abcdefgh")


@pytest.mark.parametrize(
    "text", ["", "[]", "a: [", "7", "name: \x00", "source: 2026-99-99", "? [a, b]\n: 1\n"]
)
def test_text_that_is_no_table_is_refused(text):
    with pytest.raises(ConfigError, match=r"file\.yaml"):
        parse_profile(text, source="file.yaml")


def test_the_traits_of_a_profile_tell_which_points_wear_out():
    worn = GOOD_MODBUS + (
        "  - {point: enable, address: 9, type: uint16, writes_per_day: 1}\n"
        "  - {point: revert_timeout_s, address: 10, type: uint16, writes_per_day: 20}\n"
    )
    profile = parse_profile(worn, source="x.yaml")
    told = {point: traits.writes_per_day for point, traits in profile.traits.items()}
    assert told == {Point.SETPOINT_W: None, Point.ENABLE: 1, Point.REVERT_TIMEOUT_S: 20}
    assert parse_profile(GOOD_CAN, source="x.yaml").traits == {}


@pytest.mark.parametrize(
    ("read", "written", "step"),
    [
        ("", "", 1.0),
        ("", ", scale: -50", 50.0),
        ("", ", step: 100", 100.0),
        ("", ", scale: 50, step: 5", 50.0),
        (", scale: -20", "", 20.0),
        (", scale: 20", ", scale: 50", 50.0),
    ],
)
def test_a_point_is_kept_in_the_coarsest_step_of_writing_and_reading_back(read, written, step):
    text = (
        GOOD_MODBUS.replace("signal: setpoint_readback_w", f"signal: setpoint_readback_w{read}")
        .replace("point: setpoint_w", f"point: setpoint_w{written}")
    )  # fmt: skip
    assert parse_profile(text, source="x.yaml").traits[Point.SETPOINT_W].step == step


@pytest.mark.parametrize("step", ["-1", ".inf", ".nan"])
def test_a_step_that_is_none_is_refused(step):
    text = GOOD_MODBUS.replace("point: setpoint_w", f"point: setpoint_w, step: {step}")
    with pytest.raises(ConfigError, match=r"writes\[0\]\.step"):
        parse_profile(text, source="x.yaml")


@pytest.mark.parametrize("point", [Point.CONTACTOR, Point.PRECHARGE])
def test_a_contactor_takes_no_budget(point):
    text = GOOD_MODBUS.replace("point: setpoint_w,", f"point: {point}, writes_per_day: 100,")
    with pytest.raises(ConfigError, match=f"{point} cannot wear out: whether it opens must not"):
        parse_profile(text, source="x.yaml")


def test_unknown_profile_is_refused_with_the_known_names():
    with pytest.raises(ConfigError, match=r"no profile 'x'.*generic_bms"):
        load_profile("x")


@given(text=st.text(max_size=200))
def test_any_text_is_refused_as_a_wrong_configuration(text):
    with pytest.raises(ConfigError):
        parse_profile(text, source="file.yaml")


@pytest.mark.parametrize("name", profile_names())
def test_what_is_required_of_a_device_is_some_of_what_it_provides(name):
    profile = load_profile(name)
    assert bool(profile.required) is (
        profile.roles not in ((Role.PV_METER,), (Role.GRID_OPERATOR,))  # they stop no battery
    )
    if isinstance(profile, ModbusProfile):
        assert profile.required == profile.signals - INFORMATIVE
    else:
        assert profile.required <= profile.signals


def test_a_site_starts_though_its_battery_does_not_know_its_health():
    modbus = GOOD_MODBUS.split("reads:")[0].replace("inverter", "bms") + (
        "reads:\n"
        "  - {signal: soc_pct, address: 0, type: uint16}\n"
        "  - {signal: soh_pct, address: 1, type: uint16}\n"
    )
    can = GOOD_CAN.replace(
        "    flags:", "      - {signal: soh_pct, byte: 3, type: uint8}\n    flags:"
    )
    for text, others in ((modbus, set()), (can, {Signal.BMS_ALARM})):
        profile = parse_profile(text, source="x.yaml")
        assert profile.signals == {Signal.SOC_PCT, Signal.SOH_PCT} | others
        assert profile.required == {Signal.SOC_PCT} | others


def test_over_can_nothing_is_written_and_frames_that_not_every_pack_sends_are_not_required():
    profiles = [load_profile(name) for name in profile_names()]
    can = [profile for profile in profiles if isinstance(profile, CanProfile)]
    assert can
    for profile in can:
        assert profile.points == {}
        optional = {
            part.signal for frame in profile.frames if frame.optional for part in frame.parts
        }
        assert profile.signals - profile.required <= optional | INFORMATIVE
    pylontech = load_profile("pylontech_lv_can")
    assert Signal.SOC_PCT in pylontech.required < pylontech.signals
    not_of_every_pack = {Signal.BMS_PROTECTION, Signal.CHARGE_ALLOWED, Signal.CELL_VOLTAGE_MIN_V}
    assert pylontech.required.isdisjoint(not_of_every_pack)


def test_a_table_of_a_slow_inverter_says_how_old_its_values_may_be():
    slow = "poll_period_s: 10\nmax_age_s: 30"
    profile = parsed(GOOD_MODBUS, "poll_period_s: 0.1", slow)
    assert profile.max_age_s == 30.0
    with pytest.raises(ConfigError, match="fewer than three polls in the shortest maximum age, 29"):
        parsed(GOOD_MODBUS, "poll_period_s: 0.1", slow.replace("30", "29"))
    with pytest.raises(
        ConfigError, match="fewer than three polls in the shortest maximum age, 1 s"
    ):
        parsed(GOOD_MODBUS, "poll_period_s: 0.1", "poll_period_s: 0.34\nmax_age_s: 0.5")


@pytest.mark.parametrize("age_s", ["0", "61", ".nan"])
def test_an_age_that_is_none_is_refused(age_s):
    with pytest.raises(ConfigError, match="max_age_s"):
        parsed(GOOD_MODBUS, "poll_period_s: 0.1", f"poll_period_s: 0.1\nmax_age_s: {age_s}")


def test_only_an_inverter_may_be_slow():
    assert {Role.INVERTER} == MAY_BE_SLOW
    text = """
        name: x
        protocol: modbus
        roles: [relays]
        source: test
        poll_period_s: 0.1
        max_age_s: 3
        reads:
          - {signal: contactor_closed, address: 0, type: uint16}
        """
    with pytest.raises(ConfigError, match="max_age_s: the usual age holds for a relays, slow or"):
        parse_profile(text, source="x.yaml")
    assert parse_profile(text.replace("max_age_s: 3", ""), source="x.yaml").max_age_s is None


# What one role sees of a table. -------------------------------------------------------------------


def test_a_table_of_several_roles_falls_into_their_parts():
    whole = load_profile("generic_integrated")
    assert whole.roles == (Role.INVERTER, Role.BMS, Role.METER, Role.PV_METER)
    parts = [whole.of(role) for role in whole.roles]
    assert [part.roles for part in parts] == [(role,) for role in whole.roles]
    for part, role in zip(parts, whole.roles, strict=True):
        assert part.signals == {s for s in whole.signals if SIGNALS[s].producer is role}
        assert part.points.keys() == (whole.points.keys() if role is Role.INVERTER else set())
        assert (part.name, part.poll_period_s) == (whole.name, whole.poll_period_s)
    assert sorted(row.address for part in parts for row in part.reads) == sorted(
        row.address for row in whole.reads
    )


def test_several_roles_see_their_rows_together_in_the_order_of_the_table():
    whole = load_profile("generic_integrated")
    two = whole.of(Role.METER, Role.INVERTER)
    assert two.roles == (Role.INVERTER, Role.METER)
    assert [row.signal for row in two.reads] == [
        row.signal
        for row in whole.reads
        if SIGNALS[row.signal].producer in {Role.METER, Role.INVERTER}
    ]
    assert whole.of(*whole.roles) == whole
    assert whole.of().reads == whole.of().writes == ()


def test_who_broadcasts_on_can_has_one_role():
    pylontech = load_profile("pylontech_lv_can")
    assert pylontech.of(Role.BMS) is pylontech


@pytest.mark.parametrize(
    ("roles", "told"),
    [
        ("[inverter, inverter]", "role listed twice: inverter"),
        ("[inverter, bms]", "roles: nothing that it reads is produced by bms"),
        ("[bms, meter]", "battery_power_w is produced by inverter, not by bms or meter"),
        ("[]", "roles: needs at least 1 entry"),
    ],
)
def test_roles_and_rows_fit_each_other(roles, told):
    with pytest.raises(ConfigError) as error:
        parse_profile(
            GOOD_MODBUS.replace("roles: [inverter]", f"roles: {roles}"), source="file.yaml"
        )
    assert told in str(error.value)


@pytest.mark.parametrize(("age_s", "fits"), [("60", True), ("60.5", False), ("0", False)])
def test_the_data_of_a_slow_inverter_are_a_minute_old_at_most(age_s, fits):
    text = GOOD_MODBUS.replace("roles: [inverter]", f"roles: [inverter]\nmax_age_s: {age_s}")
    if fits:
        assert parse_profile(text, source="file.yaml").max_age_s == float(age_s)
    else:
        with pytest.raises(ConfigError, match=r"max_age_s: .*must be"):
            parse_profile(text, source="file.yaml")


@pytest.mark.parametrize(("period_s", "fits"), [("3.3333333333333335", True), ("3.34", False)])
def test_a_burst_that_is_late_by_half_is_as_old_as_a_bms_may_be(period_s, fits):
    change = ("burst_period_s: 1\n", f"burst_period_s: {period_s}\n")
    if fits:
        assert parsed(GOOD_CAN, *change).burst_period_s == float(period_s)
    else:
        with pytest.raises(ConfigError, match="a burst that is late by half"):
            parsed(GOOD_CAN, *change)
