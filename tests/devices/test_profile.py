"""The contract of every device table, those that come with Holdfast and those to come."""

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, Producer, Signal
from holdfast.devices.profile import (
    CanFrame,
    CanProfile,
    ModbusProfile,
    RegisterRead,
    RegisterWrite,
    load_profile,
    parse_profile,
    profile_names,
)

PROFILES = [load_profile(name) for name in profile_names()]
MODBUS = [profile for profile in PROFILES if isinstance(profile, ModbusProfile)]
CAN = [profile for profile in PROFILES if isinstance(profile, CanProfile)]
READS = [(profile.name, row) for profile in MODBUS for row in profile.reads]
WRITES = [(profile.name, row) for profile in MODBUS for row in profile.writes]
FRAMES = [(profile.name, frame) for profile in CAN for frame in profile.frames]

RAW_RANGE = {
    "uint16": (0, 2**16 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "uint32": (0, 2**32 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "bool": (0, 1),
}


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


@pytest.mark.parametrize("profile", PROFILES, ids=named)
def test_every_signal_belongs_to_the_role(profile):
    assert profile.signals
    assert {SIGNALS[signal].producer for signal in profile.signals} == {profile.role}


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_blocks_read_every_row_once_and_nothing_else(profile):
    blocks = profile.blocks()
    assert sorted(row.signal for block in blocks for row in block.reads) == sorted(profile.signals)
    for block in blocks:
        covered = set()
        for row in block.reads:
            assert row.table == block.table
            covered |= set(range(row.address, row.address + row.count))
        assert covered == set(range(block.address, block.address + block.count))
        assert block.count <= 125


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_blocks_of_one_table_do_not_touch(profile):
    blocks = sorted(profile.blocks(), key=lambda block: (block.table, block.address))
    for one, following in itertools.pairwise(blocks):
        if one.table == following.table:
            assert following.address > one.address + one.count


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["uint16", "int32"])),
        min_size=1,
        max_size=20,
    )
)
def test_blocks_of_any_table_cover_all_rows(rows):
    signals = [signal for signal in Signal if SIGNALS[signal].producer is Producer.BMS]
    reads = [
        RegisterRead(signal=signal, address=address, type=type_)
        for signal, (address, type_) in zip(signals, rows, strict=False)
    ]
    profile = ModbusProfile(
        name="x", protocol="modbus", role="bms", source="x", poll_period_s=1, reads=reads
    )
    blocks = profile.blocks()
    assert sorted(row.signal for block in blocks for row in block.reads) == sorted(profile.signals)
    for block in blocks:
        assert 1 <= block.count <= 100
        for row in block.reads:
            assert block.address <= row.address
            assert row.address + row.count <= block.address + block.count


@pytest.mark.parametrize(("name", "row"), READS + WRITES, ids=row_id)
def test_what_is_encoded_decodes_to_itself_within_a_step(name, row):
    reads = isinstance(row, RegisterRead)
    low, high = RAW_RANGE[row.type]
    for raw in {low, low + 1, high - 1, high, 0, 1, (low + high) // 2}:
        for offset in (0,) if row.type == "bool" else (-0.4, 0, 0.4):
            if low <= raw + offset <= high:
                value = (raw + offset) * row.scale
                words = row.encode(value)
                assert len(words) == row.count
                assert all(0 <= word <= 65535 for word in words)
                step = abs(row.scale) * (0.500001 if reads else 1.000001)
                assert abs(row.decode(words) - value) <= step
                # What is written never holds more than was asked for.
                assert reads or abs(row.decode(words)) <= abs(value) * (1 + 1e-9)


@pytest.mark.parametrize(("name", "row"), READS + WRITES, ids=row_id)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, -1e308])
def test_what_is_no_number_or_too_large_is_refused(name, row, value):
    with pytest.raises(ValueError, match=r"cannot be written|does not fit|neither 0 nor 1"):
        row.encode(value)


@pytest.mark.parametrize(("name", "row"), READS + WRITES, ids=row_id)
def test_one_step_outside_the_range_is_refused(name, row):
    for raw in (RAW_RANGE[row.type][0] - 1, RAW_RANGE[row.type][1] + 1):
        with pytest.raises(ValueError, match=r"does not fit|neither 0 nor 1"):
            row.encode(raw * row.scale)


@pytest.mark.parametrize(("name", "row"), READS, ids=row_id)
def test_range_of_the_register_reaches_plausible_values(name, row):
    signal = SIGNALS[row.signal]
    ends = sorted(raw * row.scale for raw in RAW_RANGE[row.type])
    assert ends[0] <= signal.high
    assert ends[1] >= signal.low


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_readback_is_read_by_the_same_profile_with_the_same_scale(profile):
    reads = {row.signal: row for row in profile.reads}
    for write in profile.writes:
        if write.readback is not None:
            assert write.readback in reads
        if write.readback is not None and write.table == reads[write.readback].table:
            assert reads[write.readback].scale == write.scale


@pytest.mark.parametrize("profile", MODBUS, ids=named)
def test_safe_value_of_every_point_can_be_written(profile):
    for point, row in profile.points.items():
        assert row.decode(row.encode(0.0)) == 0, point


@pytest.mark.parametrize(("name", "frame"), FRAMES, ids=row_id)
def test_frame_fits_eight_bytes_and_refuses_less_than_it_needs(name, frame):
    assert 1 <= frame.length <= 8
    frame.decode(bytes(frame.length))
    frame.decode(bytes(8))
    with pytest.raises(ValueError, match=f"0x{frame.id:03X}"):
        frame.decode(bytes(frame.length - 1))


@given(data=st.binary(max_size=8), pair=st.sampled_from(FRAMES))
def test_any_bytes_decode_to_finite_values_or_are_refused(data, pair):
    _, frame = pair
    try:
        values = frame.decode(data)
    except ValueError:
        assert len(data) < frame.length
        return
    assert values.keys() == {part.signal for part in frame.parts}
    assert all(math.isfinite(value) for value in values.values())


@given(words=st.lists(st.integers(0, 65535), min_size=2, max_size=2), pair=st.sampled_from(READS))
def test_any_registers_decode_to_finite_values(words, pair):
    _, row = pair
    assert math.isfinite(row.decode(words[: row.count]))


GOOD_MODBUS = """
name: x
protocol: modbus
role: inverter
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
role: bms
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
    (GOOD_MODBUS, "protocol: modbus", "protocol: telepathy", "telepathy"),
    (GOOD_MODBUS, "role: inverter", "role: meter", "battery_power_w is produced by inverter"),
    (GOOD_MODBUS, "role: inverter", "role: toaster", "role"),
    (GOOD_MODBUS, "source: test", "", "source"),
    (GOOD_MODBUS, "source: test", "source: test\ncolour: red", "colour"),
    (GOOD_MODBUS, "source: test", "source: test\nsource: twice", "line 2: a key is written twice"),
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
    (GOOD_CAN, "byte: 0", "byte: 7", "would need 9 bytes"),
    (GOOD_CAN, "byte: 0", "byte: 8", "byte"),
    (GOOD_CAN, "{2: 0x80}", "{8: 0x80}", "masks"),
    (GOOD_CAN, "{2: 0x80}", "{2: 0x100}", "masks"),
    (GOOD_CAN, "{2: 0x80}", "{}", "masks"),
    (GOOD_CAN, "bms_alarm", "soc_pct", "signal listed twice: soc_pct"),
    (GOOD_CAN, "0x355", "0x800", "id"),
    (GOOD_CAN, "role: bms", "role: inverter", "is produced by bms"),
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
        ("0.0095", "greater than or equal to 0.01"),
        ("10", "fewer than three polls"),  # no signal may be that old, yet it is a period
        ("10.5", "less than or equal to 10"),
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
    ("period_s", "fits"), [("0.001", True), ("10", True), ("0", False), ("10.5", False)]
)
def test_a_burst_comes_every_ten_seconds_at_least(period_s, fits):
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
    with pytest.raises(ConfigError, match=rf"\.{rows}\n.*at least 1 item"):
        parse_profile(f"{head}{rows}: []\n", source="file.yaml")


def test_of_several_signals_of_another_device_the_first_by_name_is_named():
    """A message that changes from run to run cannot be searched for."""
    others = [signal for signal in Signal if SIGNALS[signal].producer is Producer.INVERTER]
    for pair in itertools.combinations(others, 2):
        rows = "".join(f"\n      - {{signal: {one}, byte: 4, type: uint8}}" for one in pair)
        with pytest.raises(ConfigError, match=f"{min(pair)} is produced by inverter"):
            parsed(GOOD_CAN, "fields:", f"fields:{rows}")


def layout(*rows):
    """Requests for registers at these addresses: more than there are signals for."""
    reads = tuple(
        RegisterRead(signal=Signal.SOC_PCT, address=address, type=type_) for address, type_ in rows
    )
    blocks = ModbusProfile.model_construct(reads=reads).blocks()
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


def test_the_budgets_of_a_profile_are_those_of_its_points_that_wear_out():
    worn = GOOD_MODBUS + (
        "  - {point: enable, address: 9, type: uint16, writes_per_day: 1}\n"
        "  - {point: revert_timeout_s, address: 10, type: uint16, writes_per_day: 20}\n"
    )
    profile = parse_profile(worn, source="x.yaml")
    assert profile.budgets == {Point.ENABLE: 1, Point.REVERT_TIMEOUT_S: 20}
    assert profile.points.keys() > profile.budgets.keys()
    assert parse_profile(GOOD_MODBUS, source="x.yaml").budgets == {}
    assert parse_profile(GOOD_CAN, source="x.yaml").budgets == {}


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
