"""A healthy site with noisy devices raises no alarm, and does not trip.

The plant is sound and its environment ordinary, so every finding above a warning is false, but
for those that say what the owner wished (SOC limits) or what the BMS itself asks for. The house
switches: a hob and a heat pump go on and off, a car begins to charge. The days are shared among
meters as people have them: quick ones, slow ones, coarse ones, and some that come when they like.
"""

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.finding import Finding, Level
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.demo_site import simulated_site
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.household import Household
from holdfast.simulation.plant.site import SiteSample

STEP_S = 2.0
START = datetime(2026, 4, 1, tzinfo=UTC)
NOISE = {"V": 0.002, "A": 0.5, "°C": 0.3, "W": 15.0, "Hz": 0.01}
"""Standard deviation by unit; a spike is ten times as much."""
NOISE_OF = {Signal.PACK_VOLTAGE_V: 0.02, Signal.DC_LINK_VOLTAGE_V: 0.2}
"""Of a whole pack, instead."""
SWITCHED = (
    # W, s on, of each s, from and until which hour (UTC)
    (1800.0, 10, 22, 10.5, 11.5),  # a hob
    (1200.0, 6, 12, 17.0, 18.0),  # and a smaller ring
    (2500.0, 480, 1200, 0.0, 24.0),  # a heat pump
    (7400.0, 3600, 3600, 19.0, 20.0),  # a car
)
SPIKE_SHARE = 0.0005
GAP_SHARE, GAP_S = 0.0002, 4.0
"""An emergency input that is lost for seconds is a stop, and no false one: it misses one poll."""
EXPECTED = (
    "soc_high",
    "soc_low",
    "bms_forbids_charge",
    "bms_forbids_discharge",
    "bms_alarm",
    "meter_data_slow",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTelling:
    """How a meter tells what it sees."""

    period_s: tuple[float, float] = (0.0, 0.0)
    """From and until how many seconds lie between two values."""
    step_w: float = 0.0
    """Of what it tells; 0 for as fine as its register."""


OF_METER = {Role.METER, Role.PV_METER}
"""One device, with a channel for PV."""
METERS = {
    "quick": MeterTelling(),
    "slow": MeterTelling(period_s=(10.0, 10.0)),
    "coarse": MeterTelling(step_w=100.0),
    "jittering": MeterTelling(period_s=(0.0, 5.0)),
}


class SwitchingHousehold(Household):
    """The same house, with loads that are switched from one second to the next."""

    def power_w(self, utc_s: float) -> tuple[float, float]:
        """(PV, load)."""
        pv_w, load_w = super().power_w(utc_s)
        hour = utc_s % 86_400.0 / 3600.0
        for power_w, on_s, each_s, from_h, until_h in SWITCHED:
            if from_h <= hour < until_h and utc_s % each_s < on_s:
                load_w += power_w
        return pv_w, load_w


class NoisyPlant(SitePlant):
    """The same plant behind noisy sensors and a bus that loses data now and then.

    Its relays also tell the link's voltage, so that it is compared with the pack's.
    """

    noise: random.Random
    silent: dict[tuple[str, Role], float]
    meter: MeterTelling
    metered: dict[Signal, float]
    metered_until_s: float

    def samples(self) -> "list[SiteSample]":  # type: ignore[override]  # a list is iterable too
        """What all devices tell, with noise, spikes and gaps."""
        told = []
        link = Signal.DC_LINK_VOLTAGE_V
        links = [(Role.RELAYS, u.name, link, u.values()[link]) for u in self.units.values()]
        for role, owner, signal, value in (*super().samples(), *links):
            device = (owner, role)
            if self.noise.random() < GAP_SHARE / 10:
                gap_s = 0.0 if role is Role.EMERGENCY_INPUT else GAP_S
                self.silent[device] = self.time_s + gap_s * self.noise.random()
            if self.time_s <= self.silent.get(device, -1.0):
                continue
            told.append((role, owner, signal, self._noisy(signal, value)))
        return self._metered(told)

    def _metered(self, told: "list[SiteSample]") -> "list[SiteSample]":
        """The same as the meter tells it: its values are those of its last period."""
        new = {signal: value for role, _, signal, value in told if role in OF_METER}
        if self.time_s >= self.metered_until_s or new.keys() != self.metered.keys():
            self.metered = new
            self.metered_until_s = self.time_s + self.noise.uniform(*self.meter.period_s)
            step_w, power = self.meter.step_w, Signal.GRID_POWER_W
            if step_w and power in new:
                new[power] = round(new[power] / step_w) * step_w
        return [
            (role, owner, signal, self.metered[signal] if role in OF_METER else value)
            for role, owner, signal, value in told
        ]

    def _noisy(self, signal: Signal, value: float) -> float:
        deviation = NOISE_OF.get(signal, NOISE.get(SIGNALS[signal].unit))
        if deviation is None or "readback" in signal or "limit" in signal:
            return value
        if self.noise.random() < SPIKE_SHARE:
            deviation *= 10.0
        row = SIGNALS[signal]
        return min(max(value + self.noise.gauss(0.0, deviation), row.low), row.high)


def count_alarms(
    site: Site, days: float, seed: int, meter: MeterTelling
) -> tuple[Counter[str], int]:
    """Returns alarms by row, and the cycles not in RUNNING."""
    plant = NoisyPlant.from_site(site, seed=seed)
    plant.noise, plant.silent = random.Random(seed), {}
    plant.meter, plant.metered, plant.metered_until_s = meter, {}, 0.0
    plant.household = SwitchingHousehold(seed=seed)
    simulation = Simulation(site, plant, start=START, step_s=STEP_S)
    simulation.start()
    alarms: Counter[str] = Counter()
    active: set[str] = set()
    for _ in range(round(days * 86400 / STEP_S)):
        record = simulation.step()
        now = {found.key: found for found in record.assessment.findings if _counts(found)}
        alarms.update(now[key].row for key in now.keys() - active)
        active = set(now)
    return alarms, simulation.tally.not_running_cycles


def _counts(found: Finding) -> bool:
    # Lost data were really lost; that is no false alarm but the gap that we made.
    lost = found.row.endswith(("_data_old", "_data_lost", "_data_missing"))
    return found.level >= Level.ALARM and found.row not in EXPECTED and not lost


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietDay:
    """What came of a day without faults."""

    day: int
    meter: str
    alarms: dict[str, int]
    cycles_not_running: int


def quiet_day(seed: int, day: int) -> QuietDay:
    """Returns what came of one day: the same for the same seed and number."""
    meter = tuple(METERS)[day % len(METERS)]
    alarms, cycles = count_alarms(simulated_site(), 1.0, 1000 * seed + day, METERS[meter])
    return QuietDay(day=day, meter=meter, alarms=dict(alarms), cycles_not_running=cycles)
