"""The loads of the houses that ``benchmarks.control`` steers: seeded, in W, by seconds."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence

Load = Callable[[float], float]
Steps = Sequence[tuple[float, float]]
"""Holds (time in s, W that are added to the load from then on)."""

HOUR_S = 3600.0
BASE_W = 300.0
WASH_BASE_W, WASH_W, WASH_PHASE_S = 450.0, 120.0, 8.0
WASH_S = (270.0, 1530.0)
"""The drum turns for 70 % of half an hour, as in the report that the budget is from."""
WASH_WHOLE_S = 1800.0
AFTER_WASH_S, AFTER_WASH_W = 1860.0, 2000.0


def ripple(seed: int, spread_w: float) -> Load:
    """A load that is never quite the same: it wanders from second to second."""
    rng = random.Random(seed)
    values: list[float] = []

    def load_w(time_s: float) -> float:
        while len(values) <= time_s + 1:
            last_w = values[-1] if values else 0.0
            values.append(0.9 * last_w + rng.gauss(0.0, spread_w * math.sqrt(1.0 - 0.81)))
        second = int(time_s)
        part = time_s - second
        return values[second] * (1.0 - part) + values[second + 1] * part

    return load_w


def stepped(base_w: float, steps: Steps, wanders: Load) -> Load:
    """``base_w`` and what was added to it so far."""
    times_s = [time_s for time_s, _ in steps]
    sums_w = [base_w]
    for _, step_w in steps:
        sums_w.append(sums_w[-1] + step_w)
    return lambda time_s: sums_w[bisect_right(times_s, time_s)] + wanders(time_s)


def household(seed: int) -> Steps:
    """An hour: a kettle twice, an oven that cycles, a dishwasher."""
    rng = random.Random(seed)
    steps: list[tuple[float, float]] = []

    def runs(from_s: float, for_s: float, power_w: float) -> None:
        start_s = from_s + rng.uniform(-20.0, 20.0)
        steps.extend(((start_s, power_w), (start_s + for_s + rng.uniform(-10.0, 10.0), -power_w)))

    for kettle_s in (600.0, 2520.0):
        runs(kettle_s, 180.0, 2000.0)
    for oven_s in (1080.0, 1500.0):
        runs(oven_s, 240.0, 1500.0)
    runs(2880.0, 600.0, 1100.0)
    return sorted(steps)


def washing(seed: int) -> Load:
    """A drum that turns for 8 s and rests for 8 s, and after it 2 kW."""
    wanders = ripple(seed, 2.0)

    def load_w(time_s: float) -> float:
        turns = WASH_S[0] <= time_s < WASH_S[1] and time_s % (2 * WASH_PHASE_S) < WASH_PHASE_S
        added_w = WASH_W * turns + AFTER_WASH_W * (time_s >= AFTER_WASH_S)
        return WASH_BASE_W + added_w + wanders(time_s)

    return load_w


def recorded(seed: int, cooks: int = 1) -> Load:
    """An hour as a record of 1 s shows one: a fridge, a kettle, a hob that is cooked on for eight
    minutes ``cooks`` times, a motor, a microwave oven, and all that wanders.

    It is made by a seeded generator, not taken from anybody's house.
    """
    rng = random.Random(seed)
    values = [180.0 + 25.0 * math.sin(second / 400.0) for second in range(int(HOUR_S) + 2)]
    drift_w = 0.0
    for second in range(len(values)):
        drift_w = 0.98 * drift_w + rng.gauss(0.0, 5.0)
        values[second] += drift_w + rng.gauss(0.0, 3.0)

    def runs(from_s: float, for_s: float, power_w: float, inrush: float = 1.0) -> None:
        for second in range(int(from_s), min(int(from_s + for_s), len(values))):
            values[second] += power_w * (inrush if second < from_s + 1 else 1.0)

    fridge_s = rng.uniform(0.0, 600.0)
    while fridge_s < HOUR_S:
        runs(fridge_s, rng.uniform(420.0, 600.0), 90.0, inrush=4.0)
        fridge_s += rng.uniform(1300.0, 1700.0)
    runs(rng.uniform(300.0, 800.0), 150.0, 2000.0)
    for start_s in (rng.uniform(1000.0, 1200.0), rng.uniform(2300.0, 2600.0))[:cooks]:
        hob_s = start_s
        while hob_s < start_s + 480.0:
            on_s = rng.uniform(8.0, 20.0)
            runs(hob_s, on_s, 1600.0)
            hob_s += on_s + rng.uniform(10.0, 25.0)
    drum_s = rng.uniform(1800.0, 1900.0)
    while drum_s < 2250.0:
        runs(drum_s, rng.uniform(9.0, 13.0), 130.0, inrush=1.8)
        drum_s += rng.uniform(15.0, 18.0)
    runs(rng.uniform(2900.0, 3000.0), 300.0, 900.0)
    return lambda time_s: values[int(time_s)]


def flipping(time_s: float) -> float:
    """600 W of load and 1550 W of surplus by turns of 5 s for a minute, and then the surplus."""
    if not 60.0 <= time_s < 120.0:
        return 600.0 if time_s < 60.0 else -1550.0
    return -1550.0 if (time_s - 60.0) % 10.0 < 5.0 else 600.0
