"""SunSpec tables: what they tell without a device, and the registers that they become on one."""

import math

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile, outline_of, parse_profile, profile_names
from holdfast.devices.register_image import NOTHING_SHOWN, LastShown
from holdfast.devices.sunspec.binding import DevicePoints, NotBound, bound_read
from holdfast.devices.sunspec.definitions import ModelDefinition, PointDefinition
from holdfast.devices.sunspec.discovery import discover
from holdfast.devices.sunspec.model_files import check_names, load_models
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.devices.sunspec.rows import SunSpecRead
from tests.devices.sunspec.devices import COMMON, Asked, laid_out

HARDWARE = InverterHardware(
    charge_power_max_w=4000, discharge_power_max_w=5000, revert_timeout_s=30
)
TABLES = [
    profile for name in profile_names() if isinstance(profile := load_profile(name), SunSpecProfile)
]
TEXT = """
name: x
protocol: sunspec
roles: [inverter, bms]
source: these tests
poll_period_s: 0.2
reads:
  - {signal: battery_power_w, model: [103, 113], point: W, scale: -1}
  - {signal: soc_pct, model: 124, point: ChaState}
writes:
  - point: setpoint_w
    readback: setpoint_readback_w
    step: 10
    verbs:
      charge: &both
        - {model: 124, point: OutWRte, value: power, scale: -0.01, share_of: WChaMax}
        - {model: 124, point: InWRte, value: power, scale: 0.01, share_of: WChaMax, joined: true}
        - {model: 124, point: InOutWRte_RvrtTms, value: timeout}
        - {model: 124, point: StorCtl_Mod, value: 3}
      discharge: *both
      idle: *both
      release:
        - {model: 124, point: StorCtl_Mod, value: 0}
"""
INVERTER, FLOATS, STORAGE = (103, 50), (113, 60), (124, 24)


def table(text=TEXT):
    profile = parse_profile(text, source="x.yaml")
    assert isinstance(profile, SunSpecProfile)
    return profile


def bound(*models, text=TEXT, roles=()):
    profile = table(text)
    profile = profile.of(*roles) if roles else profile
    found = discover(Asked(laid_out([COMMON, *models])))
    maps = dict.fromkeys(profile.device_ids, found)
    return profile.at(maps, load_models(profile.model_ids))


def row_of(profile, signal):
    (row,) = (each for each in profile.reads if each.signal is signal)
    return row


@pytest.mark.parametrize("profile", TABLES, ids=lambda profile: profile.name)
def test_a_table_names_points_that_its_models_have(profile):
    check_names(profile)


@pytest.mark.parametrize("profile", TABLES, ids=lambda profile: profile.name)
def test_no_table_is_confirmed_on_hardware_yet(profile):
    assert profile.confirmed is None


def test_what_it_tells_and_takes_is_known_without_a_device():
    profile = table()
    told = {Signal.BATTERY_POWER_W, Signal.SOC_PCT, Signal.SETPOINT_READBACK_W, Signal.DEVICE_MODE}
    assert profile.signals == told == profile.required
    assert list(profile.points) == [Point.SETPOINT_W, Point.DEVICE_MODE]
    assert profile.traits[Point.SETPOINT_W].step == 10.0
    assert profile.model_ids == {103, 113, 124}
    assert profile.device_ids == (None,)
    assert outline_of(profile) is profile.outline
    assert outline_of(profile.outline) is profile.outline


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("writes:", "  - {signal: soc_pct, model: 9, point: W}\nwrites:", "listed twice: soc_pct"),
        ("poll_period_s: 0.2", "poll_period_s: 0.5", "fewer than three polls"),
        ("step: 10", "", "step"),
        ("model: 124, point: ChaState", "model: [], point: ChaState", "model"),
        ("point: StorCtl_Mod, value: 0", "point: StorCtl_Mod, value: 3", "shows charge"),
        ("point: ChaState}", "point: ChaState, address: 3}", "address"),
    ],
)
def test_a_mistake_in_a_table_is_told_when_it_is_read(before, after, why):
    assert before in TEXT
    with pytest.raises(ConfigError, match=why):
        table(TEXT.replace(before, after))


SLOW = TEXT.replace("poll_period_s: 0.2", "poll_period_s: 0.2\nmax_age_s: 60")


@pytest.mark.parametrize(
    ("key", "fitting", "beyond"),
    [
        ("poll_period_s", [0.01, 10], [0.0099, 10.1]),
        ("max_age_s", [0.5, 60], [0, 60.5]),
        ("longest_read", [2, 125], [0, 126]),
        ("read_gap", [0, 100], [-1, 101]),
        ("pause_s", [0, 0.5, 1], [-0.1, 1.1]),
        ("connect_pause_s", [0, 0.5, 5], [-0.1, 5.1]),
        ("single_client", [True], [2]),
    ],
)
def test_how_a_device_may_be_asked_has_its_bounds(key, fitting, beyond):
    text = "\n".join(line for line in SLOW.splitlines() if not line.startswith(f"{key}:"))
    for value in fitting:
        outline = table(f"{text}\n{key}: {value}").outline
        assert getattr(outline, key) == value
    for value in beyond:
        with pytest.raises(ConfigError, match=rf"line \d+: {key}: {value}(\.0)?: "):
            table(f"{text}\n{key}: {value}")


def test_a_device_tells_something():
    rows = TEXT[TEXT.index("reads:") : TEXT.index("writes:")]
    with pytest.raises(ConfigError, match=r"line 7: reads: .*at least 1 "):
        table(TEXT.replace(rows, "reads: []\n"))


def test_a_table_that_says_no_more_is_asked_in_long_requests_without_a_pause():
    outline = table().outline
    assert (outline.longest_read, outline.read_gap) == (125, 60)
    assert (outline.pause_s, outline.connect_pause_s, outline.single_client) == (0.0, 0.0, False)
    assert (outline.max_age_s, outline.constants, outline.lacks) == (None, {}, {})
    with pytest.raises(ConfigError, match="is longer than longest_read"):
        table(f"{TEXT}\nlongest_read: 1")


def test_points_are_where_the_device_has_their_models():
    profile = bound(INVERTER, STORAGE)
    power = row_of(profile, Signal.BATTERY_POWER_W)
    assert (power.address, power.type, power.scale_from, power.scale) == (40084, "int16", 40085, -1)
    assert profile.marks == {
        (None, "holding", 40070): 103, (None, "holding", 40071): 50,
        (None, "holding", 40122): 124, (None, "holding", 40123): 24,
    }  # fmt: skip


def test_the_first_model_that_is_there_is_taken():
    power = row_of(bound(FLOATS, STORAGE), Signal.BATTERY_POWER_W)
    assert (power.address, power.type, power.scale_from) == (40092, "float32", None)
    both = row_of(bound(FLOATS, INVERTER, STORAGE), Signal.BATTERY_POWER_W)
    assert both.type == "int16"


@pytest.mark.parametrize(
    ("models", "why"),
    [
        ([STORAGE], "model 103 or 113 is not there: no battery_power_w"),
        ([INVERTER], "model 124 is not there: no soc_pct, setpoint_w"),
        ([], "model 103 or 113 is not there.*; model 124 is not there"),
        ([INVERTER, (124, 12)], "model 124 ends before its point ChaState_SF: no soc_pct"),
        ([INVERTER, (124, 10)], "model 124 ends before its point OutWRte: no setpoint_w"),
    ],
)
def test_what_is_lacking_is_named(models, why):
    with pytest.raises(NotBound, match=why):
        bound(*models)


def test_of_another_device_id_it_is_told_which():
    text = TEXT.replace("model: 124, point: ChaState", "model: 802, device_id: 9, point: SoC")
    profile = table(text)
    assert profile.device_ids == (None, 9)
    with pytest.raises(NotBound, match="model 802 is not there behind device id 9: no soc_pct"):
        bound(INVERTER, STORAGE, text=text)
    soc = row_of(bound(INVERTER, STORAGE, (802, 62), text=text), Signal.SOC_PCT)
    assert soc.device_id == 9


def test_commands_go_to_the_device_id_of_the_connection_wherever_it_is_read():
    text = TEXT.replace("scale: -1}", "scale: -1, device_id: 9}").replace(
        "point: ChaState}", "point: ChaState, device_id: 9}"
    )
    assert table(text).device_ids == (None, 9)
    assert table(text[: text.index("writes:")]).device_ids == (9,)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("point: ChaState", "point: Chastate", "model 124 has no point Chastate"),
        ("model: 124, point: ChaState", "model: 1, point: SN", "SN of model 1 is a string"),
        ("share_of: WChaMax}", "share_of: WMax}", "model 124 has no point WMax"),
    ],
)
def test_a_name_that_no_model_has_is_told_without_a_device(before, after, why):
    profile = table(TEXT.replace(before, after))
    with pytest.raises(ConfigError, match=f"profile x: .*{why}"):
        check_names(profile)
    with pytest.raises(NotBound, match=why):
        bound(INVERTER, STORAGE, text=TEXT.replace(before, after))


def test_a_constant_with_a_power_of_ten_can_only_be_0():
    released = "{model: 124, point: StorCtl_Mod, value: 0}"
    for value in (0, 100):
        also = f"{released}\n        - {{model: 124, point: InWRte, value: {value}}}"
        text = TEXT.replace(f"- {released}", f"- {also}")
        if value:
            with pytest.raises(NotBound, match="InWRte has a power of ten: 100"):
                bound(INVERTER, STORAGE, text=text)
        else:
            bound(INVERTER, STORAGE, text=text)


def test_what_does_not_go_together_on_this_device_is_told():
    text = TEXT.replace("point: InWRte, value: power", "point: InBatV, value: power")
    with pytest.raises(NotBound, match=r"does not go with these models.* joined"):
        bound(INVERTER, STORAGE, text=text)


def test_a_number_that_is_too_far_from_its_power_of_ten_for_one_request_is_told():
    text = TEXT.replace("reads:", "longest_read: 10\nreads:")
    with pytest.raises(NotBound, match="these models: soc_pct is longer than longest_read"):
        bound(INVERTER, STORAGE, text=text)


def test_a_part_of_it_wants_no_model_of_the_rest():
    profile = bound(INVERTER, STORAGE, roles=[Role.BMS])
    assert [row.signal for row in profile.reads] == [Signal.SOC_PCT]
    assert profile.roles == (Role.BMS,)
    assert profile.writes == ()
    assert bound(STORAGE, roles=[Role.BMS]).signals == {Signal.SOC_PCT}
    part = table().of(Role.BMS)
    assert part.signals == part.required == {Signal.SOC_PCT}
    assert part.points == part.traits == {}


def test_what_is_always_so_and_what_is_lacking_belong_to_the_part_of_their_role():
    text = TEXT + "constants: {revert_timeout_readback_s: 60}\nlacks: {inverter_enabled: always on}"
    whole, told = table(text), {Signal.REVERT_TIMEOUT_READBACK_S: 60.0}
    for role, constants, lacks in (
        (Role.INVERTER, told, {Signal.INVERTER_ENABLED: "always on"}),
        (Role.BMS, {}, {}),
    ):
        on_a_device = bound(INVERTER, STORAGE, text=text, roles=[role])
        for part in (whole.of(role), on_a_device):
            assert (part.constants, part.lacks) == (constants, lacks)


def test_what_a_command_rests_on_comes_with_it():
    text = TEXT.replace("[inverter, bms]", "[inverter, bms, pv_meter]").replace(
        "writes:", "  - {signal: pv_power_w, model: 120, point: WRtg}\nwrites:"
    )
    text = text.replace("value: power", "value: ac_power")
    profile = bound(INVERTER, (120, 26), STORAGE, text=text, roles=[Role.INVERTER])
    assert profile.roles == (Role.INVERTER,)
    assert [row.signal for row in profile.aside] == [Signal.PV_POWER_W]
    assert {row.signal for row in profile.reads} == {Signal.BATTERY_POWER_W}


def image_of(profile, values):
    """All that a poll reads: 0, but for what is given."""
    image = {place: 0 for block in profile.blocks() for place in block.places}
    image |= profile.marks
    image |= {(None, "holding", address): word for address, word in values.items()}
    return image


SCALES = {40122 + 25: 0xFFFE, 40122 + 2: 5000}
"""The window counts in 0.01 %; 100 % are 5000 W."""


def commanded(power_w):
    """Returns a table of one unit, the requests for a power, and what the device shows then."""
    found = discover(Asked(laid_out([COMMON, INVERTER, STORAGE])))
    whole = table().bound(HARDWARE)
    profile = whole.at({None: found}, load_models(whole.model_ids))
    image = image_of(profile, SCALES)
    verbs, *_ = profile.writes
    requests = verbs.requests(power_w, LastShown(image=image, told={}))
    for request in requests:
        image |= dict(zip(request.places, request.words, strict=True))
    return profile, requests, image


@pytest.mark.parametrize("power_w", [2500.0, 0.0, -1000.0])
def test_a_window_of_one_power_is_written_and_read_back(power_w):
    profile, requests, image = commanded(power_w)
    raw = round(power_w * 2)
    assert [(request.address, request.words) for request in requests] == [
        (40134, (-raw & 0xFFFF, raw & 0xFFFF)), (40137, (30,)), (40127, (3,)),
    ]  # fmt: skip
    told = {one.signal: one.value for one in profile.told(image, dict.fromkeys(image, 0))}
    assert told[Signal.SETPOINT_READBACK_W] == power_w


def test_before_the_device_is_found_its_commands_know_the_revert_timer_as_well():
    row, *_ = table().bound(HARDWARE).outline.writes
    ones = {place: place[2] % 2 for run in row.runs for place in run}  # each number is 1
    shown = LastShown(image=ones, told={})
    assert (0, 30) in [request.words for request in row.requests(0.0, shown)]
    row, *_ = table().outline.writes
    with pytest.raises(ValueError, match="the table stands for no unit"):
        row.requests(0.0, shown)


def test_a_window_with_two_ends_is_no_command_of_ours():
    profile, _, image = commanded(2500.0)
    image[None, "holding", 40134] = 0
    told = {one.signal: one.value for one in profile.told(image, dict.fromkeys(image, 0))}
    assert math.isnan(told[Signal.SETPOINT_READBACK_W])


def test_without_what_the_device_shows_nothing_can_be_written():
    profile = bound(INVERTER, STORAGE)
    verbs, *_ = profile.writes
    with pytest.raises(ValueError, match="has not told in which steps"):
        verbs.requests(100.0, NOTHING_SHOWN)
    places = {place[2] for block in profile.basis_of(Point.SETPOINT_W) for place in block.places}
    assert {40124, 40140, 40147} <= places
    assert load_profile("generic_inverter").basis_of(Point.SETPOINT_W) == ()


def test_that_the_models_have_moved_is_seen_in_what_is_read():
    profile = bound(INVERTER, STORAGE)
    image = image_of(profile, {})
    assert not profile.moved(image)
    image[None, "holding", 40122] = 123
    assert profile.moved(image)
    heads = {(None, "holding", address) for address in (40070, 40071, 40122, 40123)}
    for blocks in (profile.blocks(), profile.blocks_of(Signal.SOC_PCT)):
        assert heads <= {place for block in blocks for place in block.places}


def test_value_and_power_of_ten_come_in_one_request():
    for row in bound(INVERTER, STORAGE).reads:
        assert any(
            {*row.places, (None, "holding", row.scale_from)} <= set(block.places)
            for block in bound(INVERTER, STORAGE).blocks()
        )


def defined(power):
    """A model of one point, as nobody has published it."""
    point = PointDefinition(offset=2, type="int16", size=1, power=power)
    return {103: ModelDefinition(id=103, size=3, points={"W": point}, groups={})}


def of_one_point(power):
    found = discover(Asked(laid_out([COMMON, (103, 1)])))
    points = DevicePoints({None: found}, defined(power))
    return bound_read(SunSpecRead(signal=Signal.GRID_POWER_W, model=103, point="W"), points)


def test_a_power_of_ten_of_the_model_itself_counts():
    row = of_one_point(-2)
    assert (row.scale_from, row.scale) == (None, 0.01)
    assert of_one_point(None).scale == 1.0


def test_a_definition_without_the_power_of_ten_that_it_names_is_no_use():
    with pytest.raises(NotBound, match="model 103 has no point W_SF"):
        of_one_point("W_SF")
