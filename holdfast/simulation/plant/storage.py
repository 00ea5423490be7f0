"""One storage unit has its cells, BMS, contactor and inverter wired together."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.device_mode import DeviceMode, mode_of, number_of
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.gpio_profile import GpioWrite
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.mqtt_profile import MqttWrite
from holdfast.devices.profile import Profile, load_profile, outline_of
from holdfast.devices.roles import devices_in
from holdfast.devices.verbs import VerbWrite
from holdfast.simulation.makers.box import Box, Surroundings
from holdfast.simulation.plant.bms import Bms, charge_by_soc_a
from holdfast.simulation.plant.cells import NOMINAL_CELL_V, CellString
from holdfast.simulation.plant.contactor import MOVE_S, PRECHARGE_S, Contactor, DcLink
from holdfast.simulation.plant.damage import Damage, DamageKind, DamageLevels
from holdfast.simulation.plant.inverter import Inverter, InverterSpec
from holdfast.simulation.plant.reporting import Reporter

_S_PER_H = 3600.0
_DC_WINDOW = (0.4, 1.35)
"""Beyond these times the nominal pack voltage the inverter trips by itself.

That is far outside what the cells survive, so that it does not hide damage.
"""

_OF_PV = frozenset({Point.EXPORT_LIMIT_W, Point.PV_ON})
_OWN_RULES: Mapping[DeviceMode | None, Callable[[Surroundings], float]] = {
    DeviceMode.LOAD_FIRST: lambda scene: scene.own_use_w,
    DeviceMode.BATTERY_FIRST: lambda scene: scene.charge_max_w,
    DeviceMode.GRID_FIRST: lambda scene: -scene.discharge_max_w,
    DeviceMode.TIME_OF_USE: lambda scene: scene.own_use_w,
    DeviceMode.BACKUP_RESERVE: lambda scene: max(0.0, scene.own_use_w),
}
"""The battery power, W, that the plain inverter goes for in each mode."""
_K = DamageKind


class StoragePlant:
    """Models the physics of one unit, and its registers as far as they act on the physics."""

    def __init__(
        self,
        config: StorageUnit,
        *,
        rng: np.random.Generator,
        soc_pct: float,
        ambient_c: float,
        bms_protects: bool = True,
        pv_to_ac_pct: float = 96.0,
    ) -> None:
        """``pv_to_ac_pct`` is what comes of the modules' power, where the unit has them."""
        battery, hardware = config.battery, config.inverter_hardware
        self.name = config.name
        self.damage = Damage()
        self.time_s = 0.0
        self.charged_wh = self.discharged_wh = 0.0
        """They are measured at the AC side."""
        self.cells = CellString(
            count=battery.cells_in_series,
            capacity_wh=battery.capacity_wh,
            soc_pct=soc_pct,
            temperature_c=ambient_c,
            rng=rng,
        )
        taper_a = charge_by_soc_a(config)
        self.bms = Bms(battery, soc_pct=soc_pct, protects=bms_protects, charge_by_soc_a=taper_a)
        self.bms.step(self.cells, 0.0)
        self.inverter = Inverter(
            InverterSpec.of(hardware, config.losses, config.hybrid, pv_to_ac_pct),
            ambient_c=ambient_c,
        )
        self.levels = DamageLevels.of(battery)
        nominal_v = battery.cells_in_series * NOMINAL_CELL_V
        self._dc_window_v = (_DC_WINDOW[0] * nominal_v, _DC_WINDOW[1] * nominal_v)
        profiles = {
            role: outline_of(load_profile(device.profile).of(role)).bound(hardware)
            for role, device in devices_in(config).items()
        }
        self.box: Box | None = None
        """Decides in the place of the plain inverter, once a server puts one there."""
        self._revert_s = float(round(hardware.revert_timeout_s))
        self._reporters = [(role, Reporter(profile)) for role, profile in profiles.items()]
        self._points = {role: profile.points for role, profile in profiles.items()}
        precharges = Point.PRECHARGE in self._points.get(Role.RELAYS, {})
        self.link = DcLink() if precharges else None
        """It is there where the relay board precharges it; other packs do that by themselves."""
        self.contactor = Contactor(MOVE_S if precharges else PRECHARGE_S)
        if not config.has_contactor:  # the inverter's own is closed, whoever commands it
            self.contactor.commanded = self.contactor.closed = True
        self._draws = config.losses.standby_w > 0.0
        self._manage_itself(profiles[Role.INVERTER])
        self._bms_permits = Point.CHARGE_POWER_W in self._points[Role.BMS]
        if self._bms_permits:
            self.inverter.permit(charge_w=0.0, discharge_w=0.0)

    def _manage_itself(self, inverter: Profile) -> None:
        """Sets what nobody can set on this inverter."""
        points = self._points[Role.INVERTER]
        if Point.ENABLE not in points:
            self.inverter.enabled = True
        if isinstance(inverter, ModbusProfile) and Point.REVERT_TIMEOUT_S not in points:
            self.inverter.revert_timeout_s = inverter.constants.get(
                Signal.REVERT_TIMEOUT_READBACK_S, 0.0
            )

    @property
    def has_pv(self) -> bool:
        """Says whether PV is behind the inverter, which it throttles or switches."""
        return not self._points[Role.INVERTER].keys().isdisjoint(_OF_PV)

    def step(self, dt_s: float, ambient_c: float, pv_w: float = 0.0) -> float:
        """Advances by ``dt_s``; returns the power at the AC side, W, + charging.

        ``pv_w`` is what the sun gives, where PV is behind the same inverter.
        """
        self.time_s += dt_s
        link_a = self._connect(dt_s)
        connected = self.contactor.closed and not self.bms.pack_open
        power_w = self.inverter.step(dt_s, connected=connected, ambient_c=ambient_c, pv_w=pv_w)
        current_a = 0.0
        if power_w != 0.0 or (self._draws and connected and self.inverter.is_on):
            dc_power_w = self.inverter.dc_power_w(power_w, pv_w)
            current_a = self.cells.current_for(dc_power_w)
            if power_w < 0.0:
                power_w = self._what_cells_give(power_w, current_a)
        if power_w > 0.0:
            self.charged_wh += power_w * dt_s / _S_PER_H
        else:
            self.discharged_wh -= power_w * dt_s / _S_PER_H
        current_a -= link_a
        self.cells.step(current_a, dt_s, ambient_c)
        self.bms.step(self.cells, dt_s)
        low_v, high_v = self._dc_window_v
        if not low_v < self.cells.voltage_v < high_v and self.inverter.enabled:
            self.inverter.trip()
        self._watch_damage(current_a)
        return power_w

    def apply(self, write: Write) -> None:
        """Carries out a write as the device's register does. Raises ValueError as it refuses."""
        row = self._points.get(write.role, {}).get(write.point)
        if row is None:
            raise ValueError(f"{self.name}/{write.role} has no point {write.point}")
        value = row.kept(write.value)
        match write.point:
            case Point.SETPOINT_W if not isinstance(row, MqttWrite | GpioWrite):
                self._set_power(value, row)
            case Point.ENABLE:
                self.inverter.write_enable(on=value != 0.0)
                self._stop_current()
            case Point.REVERT_TIMEOUT_S:
                self.inverter.write_revert_timeout(value)
            case Point.EXPORT_LIMIT_W | Point.PV_ON | Point.DEVICE_MODE:
                self._tell_hybrid(write.point, value)
            case Point.CHARGE_POWER_W:
                self.bms.charge_power_w = value
                self._permit()
            case Point.DISCHARGE_POWER_W:
                self.bms.discharge_power_w = value
                self._permit()
            case Point.CONTACTOR:
                self._switch_contactor(close=value != 0.0)
            case Point.PRECHARGE if self.link is not None:
                self.link.relay.command(close=value != 0.0)

    def follow_box(self, time_s: float, *, load_w: float, pv_w: float) -> float:
        """Lets a maker's box decide, if one is in the inverter's place, or the inverter by the mode
        that it was told; returns its wish in W."""
        mode = self.inverter.mode
        if self.box is None and mode is None:
            return self.inverter.setpoint_w
        spec = self.inverter.spec
        scene = Surroundings(
            time_s=time_s,
            load_w=load_w,
            pv_w=pv_w,
            soc_pct=self.bms.soc_pct,
            charge_max_w=spec.charge_power_max_w,
            discharge_max_w=spec.discharge_power_max_w,
        )
        if self.box is None:
            led_w = _OWN_RULES[mode](scene)
            self.inverter.lead(led_w)
            return led_w
        if Point.EXPORT_LIMIT_W in self._points[Role.INVERTER]:
            self.inverter.export_limit_w = self.box.export_limit_w
        self.box.now_s = time_s
        wish_w = self.box.power_w(scene)
        # Of no maker's box is it told that a command ends with the grid.
        self.inverter.obeys_on_island = wish_w != scene.own_use_w
        if wish_w != self.inverter.setpoint_w:
            self.inverter.write_setpoint(wish_w)
        return wish_w

    def _set_power(self, power_w: float, row: PointWrite) -> None:
        self.inverter.write_setpoint(power_w)
        if isinstance(row, VerbWrite) and row.sets_timer:
            self.inverter.write_revert_timeout(self._revert_s)

    def stored(self, point: Point) -> float:
        """Returns what the register of ``point`` holds."""
        inverter = self.inverter
        return {
            Point.SETPOINT_W: inverter.setpoint_w,
            Point.ENABLE: float(inverter.enabled),
            Point.REVERT_TIMEOUT_S: inverter.revert_timeout_s,
            Point.EXPORT_LIMIT_W: inverter.export_limit_w,
            Point.PV_ON: float(inverter.pv_on),
            Point.DEVICE_MODE: number_of(inverter.mode),
            Point.CHARGE_POWER_W: self.bms.charge_power_w,
            Point.DISCHARGE_POWER_W: self.bms.discharge_power_w,
            Point.CONTACTOR: float(self.contactor.commanded),
            Point.PRECHARGE: float(self.link is not None and self.link.relay.commanded),
        }[point]

    def values(self) -> dict[Signal, float]:
        """Returns every signal of a unit, unrounded, whether or not a device tells it."""
        cells, bms, inverter, link = self.cells, self.bms, self.inverter, self.link
        return {
            Signal.SOC_PCT: bms.soc_pct,
            Signal.SOH_PCT: 100.0,
            Signal.PACK_VOLTAGE_V: cells.voltage_v,
            Signal.BATTERY_CURRENT_A: bms.measured_current_a(cells),
            Signal.CELL_VOLTAGE_MIN_V: cells.voltage_min_v,
            Signal.CELL_VOLTAGE_MAX_V: cells.voltage_max_v,
            Signal.CELL_TEMPERATURE_MIN_C: cells.temperature_min_c,
            Signal.CELL_TEMPERATURE_MAX_C: cells.temperature_max_c,
            Signal.CHARGE_VOLTAGE_LIMIT_V: bms.charge_voltage_limit_v,
            Signal.CHARGE_CURRENT_LIMIT_A: bms.charge_limit_a,
            Signal.DISCHARGE_CURRENT_LIMIT_A: bms.discharge_limit_a,
            Signal.CHARGE_ALLOWED: float(bms.charge_allowed),
            Signal.DISCHARGE_ALLOWED: float(bms.discharge_allowed),
            Signal.BMS_PROTECTION: float(bms.protections != 0),
            Signal.BMS_ALARM: float(bms.alarms != 0),
            Signal.CHARGE_POWER_READBACK_W: bms.charge_power_w,
            Signal.DISCHARGE_POWER_READBACK_W: bms.discharge_power_w,
            Signal.BATTERY_POWER_W: inverter.power_w,
            Signal.SETPOINT_READBACK_W: inverter.setpoint_w,
            Signal.INVERTER_ENABLED: float(inverter.enabled),
            Signal.INVERTER_FAULT: float(inverter.faulted),
            Signal.INVERTER_TEMPERATURE_C: inverter.temperature_c,
            Signal.REVERT_TIMEOUT_READBACK_S: inverter.revert_timeout_s,
            Signal.EXPORT_LIMIT_READBACK_W: inverter.export_limit_w,
            Signal.PV_ON: float(inverter.pv_on),
            Signal.DEVICE_MODE: number_of(inverter.mode),
            Signal.ISLANDED: float(inverter.island_w is not None),
            Signal.CONTACTOR_CLOSED: float(self.contactor.feedback_closed),
            Signal.PRECHARGE_CLOSED: float(link is not None and link.relay.feedback_closed),
            Signal.DC_LINK_VOLTAGE_V: cells.voltage_v * self.contactor.closed
            if link is None
            else link.voltage_v,
        }

    def samples(self) -> Iterator[tuple[Role, str, Signal, float]]:
        """Yields what the unit's devices tell, by their profiles."""
        values = self.values()
        for role, reporter in self._reporters:
            for signal, value in reporter.report(values):
                yield role, self.name, signal, value

    def _connect(self, dt_s: float) -> float:
        """Moves the contactor and charges the link; returns the current, A, that the link takes."""
        was_closed = self.contactor.closed
        self.contactor.step(dt_s)
        if self.link is None:
            return 0.0
        pack_v = 0.0 if self.bms.pack_open else self.cells.voltage_v
        if self.contactor.closed and not was_closed:
            difference_v = abs(pack_v - self.link.voltage_v)
            if difference_v > self.levels.inrush_share * pack_v:
                self.damage.once(_K.CONTACTOR_INRUSH, self.time_s)
        self.link.step(dt_s, pack_v, main_closed=self.contactor.closed and pack_v > 0.0)
        return self.link.current_a

    def _tell_hybrid(self, point: Point, value: float) -> None:
        if point is Point.PV_ON:
            self.inverter.pv_on = value != 0.0
        elif point is Point.DEVICE_MODE:
            self.inverter.write_mode(mode_of(value))
        else:
            self.inverter.export_limit_w = value

    def _permit(self) -> None:
        self.inverter.permit(
            charge_w=self.bms.charge_power_w, discharge_w=self.bms.discharge_power_w
        )

    def _switch_contactor(self, *, close: bool) -> None:
        if self.contactor.command(close=close):
            if abs(self.cells.current_a) > self.levels.break_current_a:
                self.damage.once(_K.CONTACTOR_BREAK, self.time_s)
            self.inverter.power_w = 0.0
            self._stop_current()

    def _stop_current(self) -> None:
        """Semiconductors and contacts act within a step: no current without power."""
        if self.inverter.power_w == 0.0 and self.cells.current_a != 0.0:
            self.cells.interrupt()

    def _what_cells_give(self, wanted_w: float, current_a: float) -> float:
        """Returns the power at the AC side, W, which is less than wanted from exhausted cells."""
        cells = self.cells
        given_w = self.inverter.ac_power_w(cells.power_at(current_a))
        if given_w > wanted_w * (1.0 - 1e-6):
            self.inverter.power_w = given_w
            return given_w
        return wanted_w

    def _watch_damage(self, current_a: float) -> None:
        levels, cells, now_s = self.levels, self.cells, self.time_s
        observe = self.damage.observe
        observe(
            _K.CELL_OVER_VOLTAGE, now_s, present=cells.voltage_max_v > levels.cell_voltage_max_v
        )
        observe(
            _K.CELL_UNDER_VOLTAGE, now_s, present=cells.voltage_min_v < levels.cell_voltage_min_v
        )
        observe(
            _K.COLD_CHARGE,
            now_s,
            present=current_a > levels.cold_charge_current_a
            and cells.temperature_min_c < levels.charge_temperature_min_c,
        )
        margin = levels.current_margin
        within_a = -levels.discharge_current_max_a * margin, levels.charge_current_max_a * margin
        observe(_K.OVER_CURRENT, now_s, present=not within_a[0] <= current_a <= within_a[1])
        observe(
            _K.OVER_TEMPERATURE, now_s, present=cells.temperature_max_c > levels.temperature_max_c
        )


def rng_for(seed: int, unit_index: int) -> np.random.Generator:
    """Returns the generator from which a unit's cells are drawn."""
    return np.random.default_rng((seed, 1_000_003, unit_index))
