"""How well the site is controlled: the budgets of modes, limits at the meter and regulation.

Houses are steered in simulated time, by the product's own control: what is measured is what the
battery does, and only the cost of a step depends on the computer. Exit status 1 if a budget is
missed. A part is a function that measures and a row of PARTS; each tells its results and budgets.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.control_limits import layer_us, narrowed_s, quarter_hours
from benchmarks.control_scenes import (
    AFTER_WASH_S,
    BASE_W,
    HOUR_S,
    WASH_WHOLE_S,
    flipping,
    household,
    recorded,
    ripple,
    stepped,
    washing,
)
from benchmarks.report import (
    Budget,
    Report,
    at_least_one,
    at_most,
    new_parser,
    percentile,
    run,
    summarise,
)
from benchmarks.steered_house import House, Run, SteeredHouse
from holdfast.control.modes.table import MODES
from holdfast.control.modes.wish import ModeView
from holdfast.control.regulation.regulator import RegulationMemory, Regulator, RegulatorWish
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.units import ns_from_s
from holdfast.simulation.demo_site import demo_content
from holdfast.site.site_file import parse_site

RESPONSE_S = 1.0
"""Of the inverter, from a setpoint to 95 % of it."""
MODE_US = 50.0
STEP_S = 60.0
DELAYS_S = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
GAINS = (0.5, 0.75, 1.0, 1.25, 1.5)
LAST_MINUTE_S = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one part has come to."""

    results: dict[str, Any]
    budgets: list[Budget]


def site_of(response_s: float = RESPONSE_S) -> Site:
    """One battery of 5 kW behind an inverter that responds within ``response_s``."""
    content = demo_content(Path("/nowhere"))
    hardware = content["storage"][0]["inverter_hardware"]
    hardware |= {
        "charge_power_max_w": 5000,
        "discharge_power_max_w": 5000,
        "response_time_s": 1.5 * response_s,
    }
    return parse_site(yaml.safe_dump(content))


def steered(house: House) -> Run:
    """What ``house`` does."""
    return SteeredHouse(site_of(house.response_s), house).run()


def _told(run: Run, to_s: float) -> dict[str, Any]:
    return {
        "RMS, W": run.rms_w(to_s=to_s),
        "steady RMS, W": run.steady_rms_w(),
        "cost, ct/h": run.cost_ct_per_h(to_s),
        "band crossings an hour": run.crossings_per_h(to_s),
        "reversals of the battery": run.reversals(to_s=to_s),
        "verdict": str(run.quality.verdict) if run.quality else "none",
        "delay within, s": list(run.window_s),
    }


def _steps(seed: int, *, delay_s: float, period_s: float = 0.0) -> Run:
    """A household that steps for an hour, behind a late meter."""
    steps = household(seed)
    return steered(
        House(
            load_w=stepped(BASE_W, steps, ripple(seed, 3.0)),
            duration_s=HOUR_S,
            steps_s=tuple(time_s for time_s, _ in steps),
            delay_s=delay_s,
            period_s=period_s,
            seed=seed,
        )
    )


def _wash(seed: int) -> Run:
    """A washing machine, and one step after it."""
    return steered(
        House(
            load_w=washing(seed),
            duration_s=AFTER_WASH_S + 120.0,
            steps_s=(AFTER_WASH_S,),
            delay_s=1.0,
            seed=seed,
        )
    )


def _fresh(seed: int) -> Run:
    """The step that comes after the wash, with no wash before it."""
    return steered(
        House(
            load_w=stepped(450.0, ((60.0, 2000.0),), ripple(seed, 2.0)),
            duration_s=180.0,
            steps_s=(60.0,),
            delay_s=1.0,
            seed=seed,
        )
    )


def _lived(seed: int, cooks: int) -> Run:
    """A recorded house in which ``cooks`` meals are cooked."""
    return steered(
        House(load_w=recorded(seed, cooks), duration_s=HOUR_S, delay_s=0.8, noise_w=5.0, seed=seed)
    )


def scenes(options: argparse.Namespace) -> Measured:
    """Four houses, whose costs have been compared with those of other products."""
    seed = options.seed
    prompt = _steps(seed, delay_s=0.5)
    slow = _steps(seed, delay_s=1.0, period_s=10.0)
    wash = _wash(seed)
    runs = {
        "zero export, 0.5 s late": (prompt, HOUR_S, 0.4),
        "new value each 10 s, 1 s late": (slow, HOUR_S, 0.53),
        "washing machine, 1 s late": (wash, WASH_WHOLE_S, 0.27),
        "recorded house, 0.8 s late": (_lived(seed, 1), HOUR_S, 0.65),
    }
    settled_s = [settled for settled in slow.settle_s() if settled is not None]
    unsettled = sum(settled is None for run in (prompt, slow, wash) for settled in run.settle_s())
    budgets = [
        *(
            at_most(f"{name}: cost against an ideal battery", "ct/h", most, run.cost_ct_per_h(to_s))
            for name, (run, to_s, most) in runs.items()
        ),
        at_most("unsettled steps", "", 0, unsettled),
        at_most("new value each 10 s: steady RMS", "W", 20.0, slow.steady_rms_w()),
        at_most(
            "new value each 10 s: settled, p95", "s", 60.0, percentile(sorted(settled_s), 95.0)
        ),
        at_most("washing machine: RMS", "W", 60.0, wash.rms_w(to_s=WASH_WHOLE_S)),
        at_most("washing machine: crossings", "1/h", 320.0, wash.crossings_per_h(WASH_WHOLE_S)),
        at_most(
            "the first step after washing, beside one without",
            "s",
            _fresh(seed).back_s(60.0) + 0.1,
            wash.back_s(AFTER_WASH_S),
        ),
    ]
    results = {name: _told(run, to_s) for name, (run, to_s, _) in runs.items()}
    results["recorded house, cooking twice"] = _told(_lived(seed, 2), HOUR_S)
    results["washing machine, 1 s late"]["RMS while it turns, W"] = wash.rms_w(270.0, 1530.0)
    results["new value each 10 s, 1 s late"]["settled, s"] = settled_s
    return Measured(results=results, budgets=budgets)


def step_back(options: argparse.Namespace) -> Measured:
    """A step of 3 kW, by the response of the device: back within 100 W."""
    results, budgets = {}, []
    for response_s in (1.0, 3.0, 10.0):
        house = House(
            load_w=stepped(BASE_W, ((STEP_S, 3000.0),), ripple(options.seed, 2.0)),
            duration_s=180.0,
            steps_s=(STEP_S,),
            delay_s=0.5,
            response_s=response_s,
            seed=options.seed,
        )
        back_s = steered(house).back_s(STEP_S)
        name = f"3 kW, a device of {response_s:g} s: back within 100 W"
        results[name] = back_s
        budgets.append(at_most(name, "s", max(3.0, 3.0 * response_s), back_s))
    return Measured(results=results, budgets=budgets)


def gains(options: argparse.Namespace) -> Measured:
    """A device that delivers less or more than it is asked, behind late and slow meters."""
    worst_turns, worst_w, rows = 0.0, 0.0, {}
    meters = [(delay_s, 0.0) for delay_s in DELAYS_S] + [(1.0, 10.0), (1.0, 1.0)]
    for delivers in GAINS:
        for delay_s, period_s in meters:
            house = House(
                load_w=stepped(BASE_W, ((STEP_S, 1900.0),), ripple(options.seed, 2.0)),
                duration_s=LAST_MINUTE_S + 60.0,
                steps_s=(STEP_S,),
                delay_s=delay_s,
                period_s=period_s,
                delivers=delivers,
                seed=options.seed,
            )
            run = steered(house)
            turns = run.crossings(LAST_MINUTE_S)
            last_w = run.rms_w(from_s=LAST_MINUTE_S)
            rows[f"delivers {delivers:g}, {delay_s:g} s late, each {period_s:g} s"] = {
                "RMS of the last minute, W": last_w,
                "crossings in it": turns,
                "back within 100 W, s": run.back_s(STEP_S),
            }
            worst_turns, worst_w = max(worst_turns, turns), max(worst_w, last_w)
    budgets = [
        at_most("wrong gains and delays: crossings in the last minute", "", 1, worst_turns),
        at_most("wrong gains and delays: RMS of the last minute", "W", 25.0, worst_w),
    ]
    return Measured(results=rows, budgets=budgets)


def flip_flop(options: argparse.Namespace) -> Measured:
    """A surplus that comes and goes, and then stays."""
    house = House(load_w=flipping, duration_s=240.0, delay_s=0.5, seed=options.seed)
    run = steered(house)
    stored_s = run.stored_s(120.0, 1000.0)
    quiet = House(load_w=ripple(options.seed, 60.0), duration_s=HOUR_S, delay_s=0.5)
    quiet_turns = steered(quiet).reversals() / 60.0
    return Measured(
        results={
            "surplus by turns of 5 s: reversals in that minute": run.reversals(60.0, 120.0),
            "surplus by turns of 5 s: exported in that minute, Wh": run.exported_wh(60.0, 120.0),
            "a load about 0 W: reversals a minute": quiet_turns,
        },
        budgets=[
            at_most("a surplus of 1.5 kW that stays is in the battery", "s", 10.0, stored_s),
            at_most("reversals in quiet load", "1/min", 1.0, quiet_turns),
        ],
    )


def step_cost(options: argparse.Namespace) -> Measured:
    """What one step of the regulator costs, CPU time."""
    site = site_of()
    regulator, memory = Regulator(site), RegulationMemory()
    store, unit = DataStore(site.unit_names), site.unit_names[0]
    wanders = ripple(options.seed, 400.0)
    taken_us = []
    for count in range(options.steps):
        now_ns = ns_from_s(1e6 + 0.02 * count)
        if count % 5 == 0:
            load_w = wanders(0.02 * count)
            store.put(Role.METER, SITE, Signal.GRID_POWER_W, load_w, now_ns)
            store.put(Role.INVERTER, unit, Signal.BATTERY_POWER_W, -0.9 * load_w, now_ns)
        snapshot = freeze(store.image(), now_ns)
        wish = RegulatorWish(power_w=-wanders(0.02 * count), grid_w=0.0)
        began_ns = time.thread_time_ns()
        _, memory = regulator.step(wish, snapshot, memory, 0.02)
        taken_us.append((time.thread_time_ns() - began_ns) / 1e3)
    figures = summarise(taken_us)
    return Measured(
        results={"one step of the regulator, µs": figures},
        budgets=[at_most("one step of the regulator, median", "µs", MODE_US, figures["p50"])],
    )


def quarter_hour_limit(options: argparse.Namespace) -> Measured:
    """Means of the clock's quarter hours under load steps, whoever asks for what meanwhile."""
    found = quarter_hours(options.days, options.seed)
    return Measured(
        results={
            "quarter hours": {"days": options.days, "worst_share": found.worst, "over": found.above}
        },
        budgets=[
            at_most("quarter hours more than 1 % over", "quarter hours", 0.0, float(found.above))
        ],
    )


def narrowed_limit(_: argparse.Namespace) -> Measured:
    """How soon a cap that comes is what the inverter was told."""
    took_s = narrowed_s()
    return Measured(
        results={"a narrowed limit": {"at_the_device_s": took_s}},
        budgets=[at_most("a narrowed limit at the device", "s", 1.0, took_s)],
    )


def layer_cost(_: argparse.Namespace) -> Measured:
    """What the limits at the meter cost a cycle."""
    taken_us = layer_us()
    return Measured(
        results={"the limits at the meter, µs": {"p50": taken_us}},
        budgets=[at_most("the limits at the meter, median", "µs", MODE_US, taken_us)],
    )


def mode_cost(options: argparse.Namespace) -> Measured:
    """What the dearest mode costs a cycle, CPU time."""
    medians_us = {str(mode): _mode_us(mode, options.steps) for mode in SlotMode}
    return Measured(
        results={"one mode, median, µs": medians_us},
        budgets=[at_most("the dearest mode, median", "µs", MODE_US, max(medians_us.values()))],
    )


def _mode_us(mode: SlotMode, steps: int) -> float:
    terms = SlotTerms(soc_target_pct=80.0, soc_ceiling_pct=70.0, import_max_w=3000.0)
    view = ModeView(
        rest_w=1200.0,
        mean_rest_w=900.0,
        soc_pct=50.0,
        capacity_wh=10_000.0,
        charge_max_w=5000.0,
        discharge_max_w=5000.0,
        export_max_w=10_000.0,
    )
    taken_us = []
    for _ in range(steps // 10 + 1):
        began_ns = time.thread_time_ns()
        MODES[mode](view.asked(1000.0, terms, 600.0))
        taken_us.append((time.thread_time_ns() - began_ns) / 1e3)
    return float(summarise(taken_us)["p50"])


PARTS: dict[str, Callable[[argparse.Namespace], Measured]] = {
    "scenes": scenes,
    "step_back": step_back,
    "gains": gains,
    "flip_flop": flip_flop,
    "step_cost": step_cost,
    "mode_cost": mode_cost,
    "layer_cost": layer_cost,
    "narrowed_limit": narrowed_limit,
    "quarter_hour_limit": quarter_hour_limit,
}


def measure(options: argparse.Namespace) -> Report:
    """All parts, or the one that was asked for."""
    parts = [options.part] if options.part else list(PARTS)
    measured = {part: PARTS[part](options) for part in parts}
    return Report(
        settings={"seed": options.seed, "import_ct_per_kwh": 30.0, "export_ct_per_kwh": 8.0},
        results={name: row for part in measured.values() for name, row in part.results.items()},
        unit="as named",
        budgets=[budget for part in measured.values() for budget in part.budgets],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("control", "Modes, limits at the meter and regulation.")
    parser.add_argument("--seed", type=int, default=1, help="of loads and noise")
    parser.add_argument("--steps", type=at_least_one, default=20_000, help="whose cost is taken")
    parser.add_argument("--days", type=float, default=30.0, help="of quarter hours")
    parser.add_argument("--part", choices=PARTS, help="measure only this")
    options = parser.parse_args(arguments)
    missed: list[Budget] = []

    def measured() -> Report:
        report = measure(options)
        missed.extend(budget for budget in report.budgets if not budget.met)
        return report

    return run("control", options, measured) or int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
