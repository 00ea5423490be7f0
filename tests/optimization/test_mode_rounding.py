"""Modes next to a mixture of modes: kept as long as they must be, and proven where they fit."""

from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from benchmarks.hard_plans import heated_house
from holdfast.core.device_mode import DeviceMode
from holdfast.optimization import site_model
from holdfast.optimization.mode_rounding import nearest_modes
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import ModeRules, SiteProblem
from holdfast.optimization.site_program import build_site
from holdfast.optimization.sparse import run


def nearest(asked: SiteProblem, rules: ModeRules) -> tuple[DeviceMode, ...]:
    blocks, columns = build_site(asked)
    return nearest_modes(asked, rules, columns, run(blocks.build({})))


@pytest.mark.parametrize("number", range(5))
def test_a_mode_is_kept_as_long_as_the_rules_say(number: int) -> None:
    rules = ModeRules(dwell_slots=5, now=DeviceMode.GRID_FIRST, kept_slots=number)
    modes = nearest(heated_house(48, number, rooms=3), rules)
    stretches = [(mode, len(list(slots))) for mode, slots in groupby(modes)]
    assert len(modes) == 48
    assert all(length >= 5 for _, length in stretches[1:-1])
    first, length = stretches[0]
    if number:
        assert first is DeviceMode.GRID_FIRST
        assert length >= number
    assert first is DeviceMode.GRID_FIRST or length >= 5 or len(stretches) == 1


def test_each_slot_has_a_mode_that_permits_what_is_best() -> None:
    asked = heated_house(96, 0, rooms=12)
    best = solve_site(replace(asked, modes=None))
    modes = nearest(asked, ModeRules(dwell_slots=1))
    charges = best.plan.battery_w > 1.0
    assert {modes[slot] for slot in np.flatnonzero(charges)}.isdisjoint(
        {DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST}
    )


def test_thirty_rooms_need_no_search_for_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = heated_house(192, 1, rooms=30)
    monkeypatch.setitem(site_model._OPTIONS, "mip_max_nodes", 0)
    monkeypatch.setitem(site_model._OPTIONS, "time_limit", 600.0)
    plan = solve_site(asked).plan
    assert not plan.cut_short
    assert plan.objective - plan.bound <= 1e-4 * plan.objective


@pytest.mark.parametrize("number", range(6))
def test_a_search_for_modes_finds_nothing_better(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = heated_house(32, number, rooms=number % 3)
    asked = replace(
        asked,
        modes=ModeRules(dwell_slots=3, now=DeviceMode.BATTERY_FIRST, kept_slots=number % 2),
        change_cost=0.01,
    )
    found = solve_site(asked)
    with monkeypatch.context() as patched:
        patched.setattr(site_model, "_in_nearest_modes", lambda *_: None)
        searched = solve_site(asked)
    assert found.cost == pytest.approx(searched.cost, rel=2e-4, abs=1e-4)
    assert found.plan.bound <= searched.plan.objective + 2e-4 * abs(searched.cost) + 1e-4
