"""A house that is steered: its load, a meter, an inverter and the control between them, seeded.

The meter is late, slow, or wrong by a factor; the inverter takes its time and may deliver something
else than it is asked. Control is the product's own: the rest of the site, the regulator, the ramp.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from holdfast.control.regulation.quality import RegulationQuality
from holdfast.control.regulation.regulator import RegulationMemory, Regulator, RegulatorWish
from holdfast.control.storage.power_ramper import PowerRamper
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.safety.envelope import Envelope
from holdfast.safety.permit import Permit
from holdfast.safety.rest_of_site import RestFollower, RestMemory, rest_of_site_w
from holdfast.simulation.plant.inverter import Inverter, InverterSpec
from holdfast.simulation.plant.late_meter import LateMeter

IMPORT_CT_PER_KWH, EXPORT_CT_PER_KWH = 30.0, 8.0
SETTLED_W, SETTLED_S = 25.0, 10.0
"""A step is settled once the grid stays so near to 0 W for so long."""
BAND_W = 20.0
"""Of crossings: from above it to below the other end of it, or back."""
UNSETTLED_S = 600.0
"""Nobody waits for longer."""
STEADY_AFTER_S = 120.0
"""After a step; what is before that is no steady state."""
BACK_W = 100.0
_START_NS = ns_from_s(1_000_000.0)
_POLL_S = 0.1
_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a scene is made of."""

    load_w: Callable[[float], float]
    """Less PV, by seconds since the beginning."""
    duration_s: float
    steps_s: Sequence[float] = ()
    """When something is switched on or off."""
    delay_s: float = 0.0
    period_s: float = 0.0
    """Of the meter; 0: it has a new value whenever it is read."""
    response_s: float = 1.0
    """From a setpoint to 95 % of it."""
    delivers: float = 1.0
    """The share of its setpoint that the inverter delivers."""
    tells: float = 1.0
    """The share of what it delivers that the inverter tells."""
    declared_s: float | None = None
    """The meter's delay, if the owner has told it."""
    noise_w: float = 2.0
    """Of the meter, standard deviation."""
    seed: int = 1


@dataclass(slots=True, kw_only=True)
class Run:
    """What a house did: one entry each 0.1 s."""

    house: House
    times_s: list[float] = field(default_factory=list)
    grid_w: list[float] = field(default_factory=list)
    battery_w: list[float] = field(default_factory=list)
    load_w: list[float] = field(default_factory=list)
    quality: RegulationQuality | None = None
    least_gain: float = 1.0
    window_s: tuple[float, float] = (0.0, 0.0)

    def settle_s(self) -> list[float | None]:
        """How long each step took to settle; None for one that did not."""
        ends = [*self.house.steps_s[1:], self.house.duration_s]
        return [
            self._settled_s(start, min(end, start + UNSETTLED_S))
            for start, end in zip(self.house.steps_s, ends, strict=True)
        ]

    def _settled_s(self, start_s: float, end_s: float) -> float | None:
        since_s = None
        for time_s, grid_w in zip(self.times_s, self.grid_w, strict=True):
            if not start_s <= time_s <= end_s:
                continue
            if abs(grid_w) >= SETTLED_W:
                since_s = None
            elif since_s is None:
                since_s = time_s
            elif time_s - since_s >= SETTLED_S:
                return since_s - start_s
        return None

    def back_s(self, step_s: float) -> float:
        """How long after ``step_s`` the grid was within 100 W for good."""
        outside = [
            time_s
            for time_s, grid_w in zip(self.times_s, self.grid_w, strict=True)
            if time_s >= step_s and abs(grid_w) > BACK_W
        ]
        return max(outside, default=step_s) - step_s

    def rms_w(self, from_s: float = 0.0, to_s: float = math.inf) -> float:
        """Root of the mean square of the grid power between two times."""
        squares = [
            grid_w * grid_w
            for time_s, grid_w in zip(self.times_s, self.grid_w, strict=True)
            if from_s <= time_s < to_s
        ]
        return math.sqrt(sum(squares) / len(squares))

    def steady_rms_w(self) -> float:
        """The same without what follows a step."""
        steady = [
            grid_w * grid_w
            for time_s, grid_w in zip(self.times_s, self.grid_w, strict=True)
            if not any(step <= time_s < step + STEADY_AFTER_S for step in self.house.steps_s)
        ]
        return math.sqrt(sum(steady) / len(steady))

    def crossings(self, from_s: float = 0.0, to_s: float = math.inf) -> int:
        """How often the grid went through the band between two times."""
        return _turns(self.times_s, self.grid_w, BAND_W, from_s, to_s)

    def crossings_per_h(self, to_s: float) -> float:
        """The same until ``to_s``, an hour."""
        return self.crossings(to_s=to_s) * _S_PER_H / to_s

    def cost_ct_per_h(self, to_s: float) -> float:
        """What is paid until ``to_s`` beyond an ideal battery, which leaves nothing to the grid."""
        bought_wh = self._energy_wh(1.0, 0.0, to_s)
        sold_wh = self.exported_wh(0.0, to_s)
        cost_ct = (IMPORT_CT_PER_KWH * bought_wh - EXPORT_CT_PER_KWH * sold_wh) / 1000.0
        return cost_ct * _S_PER_H / to_s

    def exported_wh(self, from_s: float, to_s: float) -> float:
        """What was exported between two times, Wh."""
        return self._energy_wh(-1.0, from_s, to_s)

    def _energy_wh(self, sign: float, from_s: float, to_s: float) -> float:
        powers_w = [
            max(sign * grid_w, 0.0)
            for time_s, grid_w in zip(self.times_s, self.grid_w, strict=True)
            if from_s <= time_s < to_s
        ]
        return sum(powers_w) * _POLL_S / _S_PER_H

    def stored_s(self, from_s: float, power_w: float) -> float:
        """How long after ``from_s`` the battery charges with ``power_w``; infinite if it never
        does."""
        return next(
            (
                time_s - from_s
                for time_s, battery_w in zip(self.times_s, self.battery_w, strict=True)
                if time_s >= from_s and battery_w >= power_w
            ),
            math.inf,
        )

    def reversals(self, from_s: float = 0.0, to_s: float = math.inf) -> int:
        """How often the battery went over from charging to discharging, or back."""
        return _turns(self.times_s, self.battery_w, BAND_W, from_s, to_s)


def _turns(
    times_s: Sequence[float], powers_w: Sequence[float], band_w: float, from_s: float, to_s: float
) -> int:
    count, side = 0, 0
    for time_s, power_w in zip(times_s, powers_w, strict=True):
        now = 1 if power_w > band_w else -1 if power_w < -band_w else side
        count += now * side < 0 and from_s <= time_s < to_s
        side = now
    return count


class SteeredHouse:
    """Steps plant and control together, in simulated time."""

    def __init__(self, site: Site, house: House) -> None:
        (self._unit,) = site.storage
        hardware = self._unit.inverter_hardware
        self._house = house
        self._period_s = site.cycle.period_ms / 1000.0
        self._follower = RestFollower(site.unit_names, house.declared_s)
        self._regulator = Regulator(site)
        self._ramper = PowerRamper(site)
        self._store = DataStore(site.unit_names)
        self._meter = LateMeter(delay_s=house.delay_s, period_s=house.period_s)
        spec = InverterSpec(
            charge_power_max_w=2 * hardware.charge_power_max_w,
            discharge_power_max_w=2 * hardware.discharge_power_max_w,
            dead_time_s=0.2 * house.response_s,
            tau_s=0.27 * house.response_s,
        )
        self._inverter = Inverter(spec, ambient_c=20.0)
        self._inverter.write_enable(on=True)
        self._permit = Permit(
            unit=self._unit.name,
            envelope=Envelope(
                min_w=-hardware.discharge_power_max_w,
                max_w=hardware.charge_power_max_w,
                min_by="site.yaml",
                max_by="site.yaml",
            ),
            expires_ns=2**62,
            may_write=True,
            may_increase=True,
            may_connect=True,
            may_close=True,
            may_run=True,
            islanded=False,
            export_limit_w=hardware.discharge_power_max_w,
            pv_on=True,
            device_mode=None,
        )
        self.memory = RegulationMemory()
        self.rest = RestMemory()
        self._setpoint_w = 0.0
        self._is_limited = False

    def run(self) -> Run:
        """The whole scene."""
        noise = random.Random(self._house.seed)
        result = Run(house=self._house)
        polls = round(_POLL_S / self._period_s)
        for count in range(round(self._house.duration_s / self._period_s)):
            time_s = count * self._period_s
            load_w = self._house.load_w(time_s)
            grid_w = load_w + self._inverter.power_w
            if count % polls == 0:
                seen_w = grid_w + noise.gauss(0.0, self._house.noise_w)
                self._poll(_START_NS + ns_from_s(time_s), self._meter.read(time_s, seen_w))
                result.times_s.append(time_s)
                result.grid_w.append(grid_w)
                result.battery_w.append(self._inverter.power_w)
                result.load_w.append(load_w)
            self._control(_START_NS + ns_from_s(time_s))
            self._inverter.step(self._period_s, connected=True, ambient_c=20.0)
            result.least_gain = min(result.least_gain, self.memory.follow.gain)
        result.quality = self._regulator.quality(self.memory)
        least_ns, most_ns = self._follower.window(self.rest)
        result.window_s = s_from_ns(least_ns), s_from_ns(most_ns)
        return result

    def _poll(self, now_ns: int, shown_w: float) -> None:
        told_w = self._inverter.power_w * self._house.tells
        self._store.put(Role.METER, SITE, Signal.GRID_POWER_W, shown_w, now_ns)
        name = self._unit.name
        self._store.put(Role.INVERTER, name, Signal.BATTERY_POWER_W, told_w, now_ns)

    def _control(self, now_ns: int) -> None:
        snapshot = freeze(self._store.image(), now_ns)
        snapshot, self.rest = self._follower.follow(snapshot, self.rest)
        rest_w = rest_of_site_w(snapshot)
        assert rest_w is not None
        wish = RegulatorWish(
            power_w=-rest_w,
            grid_w=0.0,
            is_limited=self._is_limited,
            meter_delay_s=s_from_ns(self._follower.window(self.rest)[0]),
        )
        asked_w, self.memory = self._regulator.step(wish, snapshot, self.memory, self._period_s)
        setpoint = self._ramper.approach(self._setpoint_w, asked_w, self._permit, self._period_s)
        self._is_limited = setpoint.power_w != asked_w
        if setpoint.power_w != self._setpoint_w:
            self._setpoint_w = setpoint.power_w
            self._inverter.write_setpoint(self._setpoint_w * self._house.delivers)
