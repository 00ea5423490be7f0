"""Rows of SunSpec tables: what they may say, and what they mean where they say nothing."""

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.sunspec.rows import SunSpecPoint, SunSpecRead, SunSpecStep, SunSpecVerbs

POINT = {"model": 103, "point": "W"}
READ = {**POINT, "signal": Signal.GRID_POWER_W}
STEP = {"model": 124, "point": "StorCtl_Mod", "value": 3}
VERBS = {
    "point": Point.SETPOINT_W,
    "readback": Signal.SETPOINT_READBACK_W,
    "step": 10,
    "verbs": {"charge": [STEP]},
}


def test_a_row_that_says_nothing_else_is_a_number_as_sunspec_has_it() -> None:
    point = SunSpecPoint.model_validate(POINT)
    assert (point.model, point.scale, point.not_available, point.device_id) == (
        (103,), 1.0, None, None,
    )  # fmt: skip
    read = SunSpecRead.model_validate(READ)
    assert (read.also, read.per, read.equals, read.mask) == ((), None, None, None)


def test_a_step_that_says_nothing_else_goes_out_alone_and_is_shown() -> None:
    step = SunSpecStep.model_validate(STEP)
    assert (step.value, step.scale, step.share_of) == (3.0, 1.0, None)
    assert (step.joined, step.stored, step.shown) == (False, False, True)
    verbs = SunSpecVerbs.model_validate(VERBS)
    assert (verbs.writes_per_day, verbs.refresh_s) == (None, None)


@pytest.mark.parametrize(
    ("row", "content", "key", "fitting", "beyond"),
    [
        (SunSpecPoint, POINT, "model", [1, 65534, [1, 65534]], [0, 65535, [], "103"]),
        (SunSpecPoint, POINT, "point", ["W"], ["", 7]),
        (SunSpecPoint, POINT, "device_id", [0, 255], [-1, 256]),
        (SunSpecPoint, POINT, "scale", [-0.5], [float("inf")]),
        (SunSpecRead, READ, "equals", [[1]], [[]]),
        (SunSpecRead, READ, "mask", [1, 0xFFFF_FFFF], [0, 0x1_0000_0000]),
        (SunSpecStep, STEP, "point", ["W"], [""]),
        (SunSpecStep, STEP, "value", ["power", 0], ["voltage"]),
        (SunSpecVerbs, VERBS, "point", ["setpoint_w"], ["enable", "export_limit_w"]),
        (SunSpecVerbs, VERBS, "readback", ["setpoint_readback_w"], ["soc_pct", None]),
        (SunSpecVerbs, VERBS, "step", [0.5], [0, float("inf")]),
        (SunSpecVerbs, VERBS, "verbs", [{"idle": [STEP]}], [{"idle": []}, {"sleep": [STEP]}]),
        (SunSpecVerbs, VERBS, "writes_per_day", [1], [0]),
        (SunSpecVerbs, VERBS, "refresh_s", [0.5, 60], [0, 60.5]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_row_says_what_it_may_and_nothing_beyond(
    row: Any, content: dict[str, Any], key: str, fitting: list[Any], beyond: list[Any]
) -> None:
    for value in fitting:
        row.model_validate({**content, key: value})
    for value in beyond:
        with pytest.raises(ValidationError, match=rf"(?m)^{key}"):
            row.model_validate({**content, key: value})


def test_every_point_that_a_signal_is_told_in_is_known() -> None:
    more, divisor = {**POINT, "point": "DCW"}, {**POINT, "point": "DCV"}
    assert [part.point for part in SunSpecRead.model_validate(READ).parts] == ["W"]
    whole = SunSpecRead.model_validate({**READ, "also": [more], "per": divisor})
    assert [part.point for part in whole.parts] == ["W", "DCW", "DCV"]
