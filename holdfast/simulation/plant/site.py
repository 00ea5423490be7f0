"""The whole site has storage units, house, switched loads, meter and emergency loop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.config.grid import PHASES, Phase
from holdfast.core.role import Role
from holdfast.core.signals import PHASE_CURRENT_A, PHASE_POWER_W, SIGNALS, SITE, Signal
from holdfast.devices.profile import load_profile
from holdfast.simulation.plant.damage import DamageKind
from holdfast.simulation.plant.household import Household, HouseholdSpec
from holdfast.simulation.plant.load import LoadPlant, MeteredLoadPlant
from holdfast.simulation.plant.reporting import Reporter
from holdfast.simulation.plant.storage import StoragePlant, rng_for
from holdfast.simulation.plant.throttle import PvThrottle
from holdfast.site.devices import devices

_S_PER_H = 3600.0
_BREATH_V, _BREATH_HZ, _BREATH_S = 0.6, 0.012, 7.0
"""A grid never stands still: it moves so far to and fro, in so long."""
_DARK_W = 50.0
"""An island that is out of balance by more than this breaks down."""

_HEARTBEAT_S = 30.0
_OPERATOR = tuple(signal for signal, row in SIGNALS.items() if row.producer is Role.GRID_OPERATOR)

SiteSample = tuple[Role, str, Signal, float]
"""It holds (role of the device, owner, signal, value)."""


@dataclass(slots=True, kw_only=True)
class Energies:
    """The energy meters count in Wh; each only ever goes up."""

    grid_import_wh: float = 0.0
    grid_export_wh: float = 0.0
    pv_wh: float = 0.0
    """This was let through."""
    pv_throttled_wh: float = 0.0
    """The sun would have given this beside it."""
    load_wh: float = 0.0
    deficit_wh: float = 0.0
    """This is load beyond the sun: a house without a battery would import it."""
    surplus_wh: float = 0.0
    """This is sun beyond the load: the same house would export it."""
    battery_charge_wh: float = 0.0
    """It is that of all units together, at the AC side."""
    battery_discharge_wh: float = 0.0


class SitePlant:
    """Holds everything physical at one site. It is deterministic: time comes in with each step."""

    def __init__(
        self,
        site: Site,
        *,
        units: dict[str, StoragePlant],
        household: Household,
        ambient_c: float,
    ) -> None:
        self.units = units
        self.loads = _switched_loads(site, ambient_c)
        """These stand behind a load switch; all other load is the household's."""
        self.metered_loads = {
            load.name: MeteredLoadPlant(load.name, load.meter) for load in site.metered_loads
        }
        """These are measured by themselves, beside the household."""
        self.household = household
        self._throttle = PvThrottle([u.inverter for u in units.values() if u.has_pv])
        self.ambient_c = ambient_c
        self.emergency_loop_closed = True
        self.islanded = False
        """The grid is away; what the inverters do not carry goes dark."""
        self.grid_voltage_v = 230.0
        self.grid_frequency_hz = 50.0
        self.energies = Energies()
        self.time_s = 0.0
        """It is the sum of all steps."""
        self.utc_s = 0.0
        """It is the UTC of the last step, in seconds since 1970."""
        hybrid = next((unit.hybrid for unit in site.storage if unit.hybrid is not None), None)
        self._hybrid_ac_max_w = None if hybrid is None else hybrid.ac_max_w
        self._sees_w = (0.0, 0.0)
        """Load and PV, as a box at the meter sees them."""
        self.pv_throttled_w = 0.0
        """The sun would have given this beside ``pv_power_w``."""
        self.pv_power_w = self.load_power_w = self.battery_power_w = self.grid_power_w = 0.0
        self.phase_load_w = dict.fromkeys(PHASES, 0.0)
        """What each phase carries beside what all phases carry alike, such as a car on L1."""
        self.operator = dict.fromkeys(_OPERATOR, 0.0)
        """What the grid operator's box tells."""
        self.operator_is_alive = True
        """Its heartbeat comes, and with each beat it repeats its limit."""
        self._phases = PHASES[: site.grid.phases or len(PHASES)]
        self._on_phases = {
            unit.name: unit.inverter_hardware.phases or self._phases for unit in site.storage
        }
        self.phase_power_w = dict.fromkeys(self._phases, 0.0)
        """What flows on each phase, + import."""
        self._reporters = [
            (role, Reporter(load_profile(device.profile).of(role)))
            for (owner, role), (_, device) in devices(site).items()
            if owner == SITE
        ]

    @classmethod
    def from_site(
        cls,
        site: Site,
        *,
        seed: int = 1,
        soc_pct: float = 50.0,
        ambient_c: float = 20.0,
        bms_protects: bool = True,
        household: HouseholdSpec | None = None,
    ) -> Self:
        """Builds the plant that ``site`` describes; the same ``seed`` gives the same plant."""
        units = {
            unit.name: StoragePlant(
                unit,
                rng=rng_for(seed, index),
                soc_pct=soc_pct,
                ambient_c=ambient_c,
                bms_protects=bms_protects,
                pv_to_ac_pct=96.0 if site.pv is None else site.pv.inverter_efficiency_pct,
            )
            for index, unit in enumerate(site.storage)
        }
        house = Household(seed=seed, spec=household)
        return cls(site, units=units, household=house, ambient_c=ambient_c)

    def step(self, dt_s: float, utc: datetime | float) -> None:
        """Advances by ``dt_s``; ``utc`` is the time at the end of the step.

        A step is from 0.001 to 10 s in general; it may be some minutes while nothing changes: what
        flows is taken to flow for the whole step.
        """
        utc_s = utc.timestamp() if isinstance(utc, datetime) else utc
        self.time_s += dt_s
        self.utc_s = utc_s
        if self.operator_is_alive:
            beats = float(self.time_s // _HEARTBEAT_S)
            self.operator[Signal.OPERATOR_BEATS_COUNT] = beats
            self.operator[Signal.OPERATOR_WRITES_COUNT] = beats
        sun_w, load_w = self.household.power_w(utc_s)
        asked_w = {name: load.asks_w(dt_s) for name, load in self.loads.items()}
        load_w += sum([load.power_w for load in self.metered_loads.values()])
        even_w = load_w + sum(asked_w.values())
        load_w = even_w + sum(self.phase_load_w.values())
        given_w = sun_w if self._throttle.is_on else 0.0
        island_w = (given_w - load_w) / len(self.units) if self.islanded else None
        battery_w, unit_w = 0.0, dict[str, float]()
        self._sees_w = (load_w, given_w)
        for unit in self.units.values():
            self.follow_box(unit.name)
            unit.inverter.island_w = island_w
            unit_w[unit.name] = unit.step(dt_s, self.ambient_c, given_w)
            battery_w += unit_w[unit.name]
        if self._hybrid_ac_max_w is not None:  # what finds no way out of the inverter is lost
            given_w = min(given_w, self._hybrid_ac_max_w + battery_w)
        pv_w = given_w
        if not self.islanded:  # an island exports nothing
            let_w = self._throttle.let_through_w(dt_s, sun_w, load_w + battery_w)
            pv_w = min(let_w, given_w) if self._hybrid_ac_max_w is not None else let_w
        self.pv_throttled_w = sun_w - pv_w
        if self.islanded and abs(pv_w - load_w - battery_w) > _DARK_W:
            pv_w = load_w = 0.0
            asked_w = dict.fromkeys(asked_w, 0.0)
        for name, load in self.loads.items():
            load.take(asked_w[name], dt_s, self.ambient_c)
        grid_w = 0.0 if self.islanded else load_w + battery_w - pv_w
        self.pv_power_w, self.load_power_w = pv_w, load_w
        self.battery_power_w, self.grid_power_w = battery_w, grid_w
        self.phase_power_w = {
            phase: self._on_phase_w(phase, even_w - pv_w, unit_w) for phase in self._phases
        }
        energies, hours = self.energies, dt_s / _S_PER_H
        energies.pv_wh += pv_w * hours
        energies.pv_throttled_wh += self.pv_throttled_w * hours
        energies.load_wh += load_w * hours
        if load_w > sun_w:
            energies.deficit_wh += (load_w - sun_w) * hours
        else:
            energies.surplus_wh += (sun_w - load_w) * hours
        if grid_w > 0.0:
            energies.grid_import_wh += grid_w * hours
        else:
            energies.grid_export_wh -= grid_w * hours
        energies.battery_charge_wh = sum([unit.charged_wh for unit in self.units.values()])
        energies.battery_discharge_wh = sum([unit.discharged_wh for unit in self.units.values()])

    def follow_box(self, unit: str) -> float:
        """Lets a maker's box in the place of a unit's inverter decide; returns its wish in W."""
        load_w, pv_w = self._sees_w
        return self.units[unit].follow_box(self.time_s, load_w=load_w, pv_w=pv_w)

    def apply(self, write: Write) -> None:
        """Carries out a write. Raises KeyError for an unknown unit, ValueError as registers do."""
        self._behind(write.unit).apply(write)

    def stored(self, owner: str, point: Point) -> float:
        """Returns what the register of ``point`` holds, at a unit or load."""
        return self._behind(owner).stored(point)

    def values(self, owner: str) -> dict[Signal, float]:
        """Returns every signal of a unit, a load or the site, unrounded."""
        if owner != SITE:
            return self._behind(owner).values()
        breath = math.sin(2.0 * math.pi * self.time_s / _BREATH_S)
        return {
            Signal.GRID_POWER_W: self.grid_power_w,
            **self._phase_values(),
            **self.operator,
            Signal.GRID_VOLTAGE_V: 0.0
            if self.islanded
            else self.grid_voltage_v + breath * _BREATH_V,
            Signal.GRID_FREQUENCY_HZ: 0.0
            if self.islanded
            else self.grid_frequency_hz + breath * _BREATH_HZ,
            Signal.PV_POWER_W: self.pv_power_w,
            Signal.EMERGENCY_LOOP_CLOSED: float(self.emergency_loop_closed),
        }

    def _on_phase_w(self, phase: Phase, even_w: float, unit_w: dict[str, float]) -> float:
        """Returns what flows on a phase, + import; load and sun are even, but for what is said."""
        if self.islanded:
            return 0.0
        batteries_w = sum(
            unit_w[unit] / len(on) for unit, on in self._on_phases.items() if phase in on
        )
        return even_w / len(self._phases) + self.phase_load_w[phase] + batteries_w

    def _phase_values(self) -> dict[Signal, float]:
        """Returns powers and currents of the phases; most meters give currents no sign."""
        values: dict[Signal, float] = {}
        for phase, power_w in self.phase_power_w.items():
            values[PHASE_POWER_W[phase - 1]] = power_w
            values[PHASE_CURRENT_A[phase - 1]] = abs(power_w) / self.grid_voltage_v
        return values

    def samples(self) -> Iterator[SiteSample]:
        """Yields what all devices tell, rounded as their registers are."""
        values = self.values(SITE)
        for role, reporter in self._reporters:
            for signal, value in reporter.report(values):
                yield role, SITE, signal, value
        for unit in self.units.values():
            yield from unit.samples()
        for load in self.loads.values():
            yield from load.samples()
        for metered in self.metered_loads.values():
            yield from metered.samples()

    def _behind(self, owner: str) -> StoragePlant | LoadPlant | MeteredLoadPlant:
        """Returns what the devices of ``owner`` are connected to."""
        if owner in self.metered_loads:
            return self.metered_loads[owner]
        return self.loads[owner] if owner in self.loads else self.units[owner]

    @property
    def damage_counts(self) -> dict[str, dict[DamageKind, int]]:
        """Counts episodes of damage by unit; a unit that is whole is absent."""
        return {name: dict(unit.damage.counts) for name, unit in self.units.items() if unit.damage}


def _switched_loads(site: Site, outdoor_c: float) -> dict[str, LoadPlant]:
    """Returns them by name."""
    rooms = {room.name: room for room in site.rooms}
    return {
        name: LoadPlant(
            name,
            switch,
            power_w=site.load_powers_w[name],
            outdoor_c=outdoor_c,
            room=rooms.get(name),
        )
        for name, switch in site.switches.items()
    }
