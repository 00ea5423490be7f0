"""What a planner knows outlives it; a file that is damaged does not pass for one that is not."""

import json
from typing import Any

import pytest

from holdfast.core.device_mode import DeviceMode
from holdfast.scheduling.loads.progress import LoadsNow, LoadState, ModeState, RoomState
from holdfast.scheduling.planner_memory import PlannerMemory, decode, encode
from tests.scheduling.planning import NOW

MEMORY = PlannerMemory(
    loads_now=LoadsNow(
        loads={"boiler": LoadState(window_end=NOW, delivered_wh=1234.5)},
        rooms={"parlour": RoomState(temperature_c=19.5, utc=NOW)},
        mode=ModeState(mode=DeviceMode.LOAD_FIRST, since=NOW),
    ),
    peaks_w={"2026-05": 4321.0},
)


def test_it_comes_back_as_it_was() -> None:
    assert decode(encode(MEMORY)) == MEMORY
    assert decode(encode(PlannerMemory())) == PlannerMemory()


def test_a_part_of_it_is_nothing() -> None:
    content = encode(MEMORY)
    for length in range(len(content)):
        with pytest.raises(ValueError, match="PlannerMemory"):
            decode(content[:length])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("loads_now", "loads", "boiler", "delivered_wh"), -1.0),
        (("loads_now", "loads", "boiler", "delivered_wh"), 1e9),
        (("loads_now", "loads", "boiler", "delivered_wh"), "NaN"),
        (("loads_now", "loads", "boiler", "window_end"), "2026-05-08T10:00:00"),
        (("loads_now", "rooms", "parlour", "temperature_c"), 100.1),
        (("loads_now", "rooms", "parlour", "temperature_c"), -50.1),
        (("loads_now", "rooms", "parlour", "utc"), "2026-05-08T10:00:00"),
        (("loads_now", "mode", "mode"), "warp"),
        (("loads_now", "mode", "since"), "2026-05-08T10:00:00"),
        (("peaks_w",), {"2026-05": -1.0}),
        (("peaks_w",), {str(number): 1.0 for number in range(65)}),
        (("peaks_w",), None),
    ],
)
def test_what_cannot_be_is_refused(path: tuple[str, ...], value: Any) -> None:
    content = json.loads(encode(MEMORY))
    part = content
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    with pytest.raises(ValueError, match=r"holds|PlannerMemory"):
        decode(json.dumps(content).encode())
