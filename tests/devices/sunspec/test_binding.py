"""What a row says of a point stays as it is when the point gets its place on a device."""

from typing import Any

import pytest

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.scaled import ScaledPart, ScaledStep
from holdfast.devices.sunspec.binding import (
    DevicePoints,
    NotBound,
    Outline,
    bound_read,
    bound_verbs,
    check_named,
    named_in,
)
from holdfast.devices.sunspec.discovery import discover
from holdfast.devices.sunspec.model_files import load_models
from holdfast.devices.sunspec.rows import SunSpecRead, SunSpecVerbs
from holdfast.devices.verb_step import Verb
from tests.devices.sunspec.devices import COMMON, Asked, laid_out

INVERTER, STORAGE = (103, 50), (124, 24)
BASE = 40002 + 2 + 66
"""Where the model behind the common one begins."""
WINDOW = {"value": "power", "scale": -0.01, "share_of": "WChaMax"}
STEPS = [
    {"model": 124, "point": "OutWRte", **WINDOW},
    {"model": 124, "point": "InWRte", **WINDOW, "scale": 0.01, "joined": True, "shown": False},
    {"model": 124, "point": "StorCtl_Mod", "value": 3, "stored": True},
]


def points(*models: tuple[int, int], device_id: int | None = None) -> DevicePoints:
    found = discover(Asked(laid_out([COMMON, *models])))
    return DevicePoints({device_id: found}, load_models([1, 103, 124, 160]))


def read(**said: Any) -> SunSpecRead:
    row = {"signal": Signal.BATTERY_POWER_W, "model": 103, "point": "DCW"}
    return SunSpecRead.model_validate({**row, **said})


def verbs(**said: Any) -> SunSpecVerbs:
    row = {
        "point": Point.SETPOINT_W,
        "readback": Signal.SETPOINT_READBACK_W,
        "step": 10,
        "verbs": dict.fromkeys(("charge", "discharge", "idle"), STEPS),
    }
    return SunSpecVerbs.model_validate({**row, **said})


def part(offset: int, power_offset: int, **said: Any) -> ScaledPart:
    return ScaledPart(
        address=BASE + offset,
        type=said.pop("type", "int16"),
        scale_from=BASE + power_offset,
        **{"not_available": (0x8000,), **said},
    )


def test_all_parts_of_a_signal_get_their_places() -> None:
    row = read(scale=-1, also=[{"model": 103, "point": "W"}], per={"model": 103, "point": "DCV"})
    bound = bound_read(row, points(INVERTER))
    assert (bound.signal, bound.address, bound.scale, bound.scale_from) == (
        Signal.BATTERY_POWER_W, BASE + 31, -1.0, BASE + 32,
    )  # fmt: skip
    assert bound.also == (part(14, 15),)
    assert bound.per == part(29, 30, type="uint16", not_available=(0xFFFF,))


def test_what_stands_for_no_value_is_sunspecs_unless_the_row_says_otherwise() -> None:
    assert bound_read(read(), points(INVERTER)).not_available == (0x8000,)
    assert bound_read(read(not_available=[]), points(INVERTER)).not_available == ()
    assert bound_read(read(not_available=[7]), points(INVERTER)).not_available == (7,)


@pytest.mark.parametrize("said", [{"equals": (4, 5)}, {"mask": 0x30}])
def test_a_flag_stays_one(said: dict[str, Any]) -> None:
    bound = bound_read(read(point="St", **said), points(INVERTER))
    assert (bound.address, bound.scale_from) == (BASE + 38, None)
    assert bound.model_dump(include={*said}) == said


def test_a_command_is_as_its_row_says() -> None:
    bound = bound_verbs(verbs(writes_per_day=9, refresh_s=30), points(STORAGE))
    assert (bound.point, bound.readback) == (Point.SETPOINT_W, Signal.SETPOINT_READBACK_W)
    assert (bound.step, bound.writes_per_day, bound.refresh_s) == (10.0, 9, 30.0)
    assert {*bound.verbs} == {Verb.CHARGE, Verb.DISCHARGE, Verb.IDLE}
    out, into, mode = bound.verbs[Verb.CHARGE]
    share = part(2, 18, type="uint16", not_available=(0xFFFF,))
    assert isinstance(out, ScaledStep)
    assert (out.address, out.scale, out.scale_from) == (BASE + 12, -0.01, BASE + 25)
    assert (out.share_of, out.coarsest_w, out.function) == (share, 10.0, "multiple")
    assert (out.joined, out.stored, out.shown) == (False, False, True)
    assert (into.address, into.scale) == (BASE + 13, 0.01)
    assert (into.joined, into.stored, into.shown) == (True, False, False)
    assert isinstance(mode, ScaledStep)
    assert (mode.address, mode.value, mode.scale_from) == (BASE + 5, 3.0, None)
    assert (mode.share_of, mode.coarsest_w) == (None, None)
    assert (mode.joined, mode.stored, mode.shown) == (False, True, True)


def test_a_power_at_the_ac_side_has_steps_of_bounded_length_too_and_a_timer_has_none() -> None:
    ac_power = {"model": 124, "point": "OutWRte", **WINDOW, "value": "ac_power"}
    timer = {"model": 124, "point": "InOutWRte_RvrtTms", "value": "timeout"}
    mode = {"model": 124, "point": "StorCtl_Mod"}
    row = verbs(
        verbs={
            verb: [ac_power, timer, {**mode, "value": number}]
            for number, verb in enumerate(("charge", "discharge", "idle"))
        }
    )
    power, revert, _ = bound_verbs(row, points(STORAGE)).verbs[Verb.CHARGE]
    assert isinstance(power, ScaledStep)
    assert isinstance(revert, ScaledStep)
    assert (power.coarsest_w, revert.coarsest_w) == (10.0, None)


def test_without_a_device_each_point_has_a_place_of_its_own_and_always_the_same() -> None:
    outline = Outline()
    power = bound_read(read(), outline)
    other = bound_read(read(point="W"), outline)
    elsewhere = bound_read(read(device_id=9), outline)
    places = [row.places for row in (power, other)]
    assert len({place[2] for row in (power, other, elsewhere) for place in row.places}) == 6
    assert [len(row) for row in places] == [2, 2], "whatever type it has fits"
    assert bound_read(read(), outline) == power
    assert power.address == 0
    first, second, _ = bound_verbs(verbs(), Outline()).verbs[Verb.CHARGE]
    assert (first.joined, second.joined) == (False, False), "who is whose neighbour is not known"


@pytest.mark.parametrize(
    ("length", "point", "fits"),
    [(30, "DCW", False), (31, "DCW", True), (29, "DCW", False), (12, "W", False), (14, "W", True)],
)
def test_a_model_that_ends_early_has_what_it_has(length: int, point: str, fits: bool) -> None:
    models = points((103, length))
    if fits:
        assert bound_read(read(point=point), models).scale_from is not None
        return
    with pytest.raises(NotBound, match=rf"^model 103 ends before its point {point}(_SF)?$"):
        bound_read(read(point=point), models)


def test_the_models_that_were_used_are_marked_by_number_and_length() -> None:
    models = points(INVERTER, STORAGE, device_id=9)
    bound_read(read(model=[160, 103], device_id=9), models)
    assert models.marks == {(9, "holding", BASE): 103, (9, "holding", BASE + 1): 50}


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(NotBound, match=r"^model 103 or 160 is not there behind device id 9$"):
        bound_read(read(model=[103, 160], device_id=9), points(STORAGE, device_id=9))
    with pytest.raises(NotBound, match=r"^model 103 is not there$"):
        bound_read(read(), points(STORAGE))
    with pytest.raises(NotBound, match=r"^model 103 has no point Dcw$"):
        bound_read(read(point="Dcw"), points(INVERTER))
    with pytest.raises(NotBound, match=r"^SN of model 1 is a string, which is not read$"):
        bound_read(read(model=1, point="SN"), points())


def test_a_constant_is_told_where_there_is_no_power_of_ten_or_none_is_needed() -> None:
    def with_constant(point: str, value: float) -> SunSpecVerbs:
        steps = [*STEPS, {"model": 124, "point": point, "value": value}]
        return verbs(verbs=dict.fromkeys(("charge", "discharge", "idle"), steps))

    for point, value in (("ChaGriSet", 1), ("MinRsvPct", 0)):
        last = bound_verbs(with_constant(point, value), points(STORAGE)).verbs[Verb.IDLE][-1]
        assert last.value == value
    with pytest.raises(NotBound, match="MinRsvPct has a power of ten: 5 cannot always be told"):
        bound_verbs(with_constant("MinRsvPct", 5), points(STORAGE))


def test_every_point_that_is_named_has_to_be_one_of_each_model() -> None:
    definitions = load_models([1, 103, 124])
    rows = (read(also=[{"model": 124, "point": "ChaState"}]), verbs())
    assert set(named_in(rows)) == {
        ((103,), "DCW"),
        ((124,), "ChaState"),
        *(((124,), point) for point in ("OutWRte", "InWRte", "StorCtl_Mod", "WChaMax")),
    }
    check_named(rows, definitions)
    with pytest.raises(NotBound, match=r"^model 124 has no point DCW$"):
        check_named((read(model=[103, 124]),), definitions)
    with pytest.raises(NotBound, match=r"^SN of model 1 is a string, which is not read$"):
        check_named((read(model=1, point="SN"),), definitions)
