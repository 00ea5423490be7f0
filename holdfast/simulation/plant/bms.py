"""The BMS counts charge, limits current and raises flags; at last it opens the pack itself."""

from enum import IntFlag

from holdfast.core.config import BatteryHardware, StorageUnit
from holdfast.simulation.plant import curves
from holdfast.simulation.plant.cells import NOMINAL_CELL_V, CellString

LIMIT_RISE_A_PER_S = 5.0
"""A limit falls at once and rises slowly (dbus-serialbattery)."""
_CURVES_MAX_V = 3.65
_CURVES_MIN_V = 2.5
"""The derating curves are drawn for these cell limits."""


class BmsFlag(IntFlag):
    """Tells what a BMS warns of (alarm) or has acted on (protection)."""

    OVER_VOLTAGE = 1
    UNDER_VOLTAGE = 2
    OVER_TEMPERATURE = 4
    UNDER_TEMPERATURE = 8
    CHARGE_OVER_CURRENT = 16
    DISCHARGE_OVER_CURRENT = 32
    SYSTEM_ERROR = 64


_NO_CHARGE = int(
    BmsFlag.OVER_VOLTAGE
    | BmsFlag.OVER_TEMPERATURE
    | BmsFlag.UNDER_TEMPERATURE
    | BmsFlag.CHARGE_OVER_CURRENT
    | BmsFlag.SYSTEM_ERROR
)
_NO_DISCHARGE = int(
    BmsFlag.UNDER_VOLTAGE
    | BmsFlag.OVER_TEMPERATURE
    | BmsFlag.UNDER_TEMPERATURE
    | BmsFlag.DISCHARGE_OVER_CURRENT
    | BmsFlag.SYSTEM_ERROR
)


class Guard:
    """A guard is a level with a delay and a release level.

    With ``sign`` -1 it guards against falling below.
    """

    __slots__ = ("_beyond_s", "_delay_s", "_release", "_sign", "_trip", "active", "flag")

    def __init__(
        self, flag: BmsFlag, trip: float, release: float, delay_s: float, sign: int = 1
    ) -> None:
        self.flag = int(flag)
        self.active = False
        self._trip, self._release = sign * trip, sign * release
        self._delay_s, self._sign = delay_s, sign
        self._beyond_s = 0.0

    def step(self, value: float, dt_s: float) -> int:
        """Returns the flag, or 0, with ``value`` held for ``dt_s``."""
        value *= self._sign
        if self.active:
            self.active = value > self._release
        elif value >= self._trip:
            self._beyond_s += dt_s
            self.active = self._beyond_s >= self._delay_s
        if not self.active and value < self._trip:
            self._beyond_s = 0.0
        return self.flag if self.active else 0


class Bms:
    """Sees the cells and the current; ``protects`` False leaves the pack closed, come what may."""

    def __init__(
        self,
        hardware: BatteryHardware,
        *,
        soc_pct: float,
        protects: bool = True,
        charge_by_soc_a: curves.Curve | None = None,
    ) -> None:
        """``charge_by_soc_a`` is the charge current, A, by SOC in %, if it is not as most are."""
        self.hardware = hardware
        self._charge_by_soc_a = charge_by_soc_a
        self.protects = protects
        self.soc_pct = soc_pct
        self.pack_open = False
        """The pack's own contactor has opened; stays so until :meth:`service_reset`."""
        self.charge_power_w = 0.0
        """This register belongs to a BMS that takes power setpoints."""
        self.discharge_power_w = 0.0
        self.current_offset_a = 0.0
        """This fault is an error of the current sensor, in A."""
        self.charge_limit_a = self.discharge_limit_a = 0.0
        self.alarms = self.protections = 0
        self._limits_known = False
        self._charge_by_v = curves.CHARGE_BY_CELL_V.shifted(
            hardware.cell_voltage_max_v - _CURVES_MAX_V
        )
        self._discharge_by_v = curves.DISCHARGE_BY_CELL_V.shifted(
            hardware.cell_voltage_min_v - _CURVES_MIN_V
        )
        self._alarm_guards = _alarm_guards(hardware)
        self._protection_guards = _protection_guards(hardware)
        self._severe_over = Guard(
            BmsFlag.OVER_VOLTAGE, hardware.cell_voltage_max_v + 0.15, 3.40, 1.0
        )
        self._severe_under = Guard(
            BmsFlag.UNDER_VOLTAGE, hardware.cell_voltage_min_v - 0.2, 3.10, 1.0, -1
        )

    @property
    def charge_allowed(self) -> bool:
        """Says whether the BMS permits charging (its charge enable)."""
        return self.charge_limit_a > 0.0

    @property
    def discharge_allowed(self) -> bool:
        """Says whether the BMS permits discharging (its discharge enable)."""
        return self.discharge_limit_a > 0.0

    @property
    def charge_voltage_limit_v(self) -> float:
        """Returns the voltage in V up to which the BMS asks to charge.

        It is 0.10 V per cell below the absolute limit.
        """
        return self.hardware.cells_in_series * (self.hardware.cell_voltage_max_v - 0.10)

    def service_reset(self) -> None:
        """Closes the pack's contactor again, as a technician would."""
        self.pack_open = False

    def measured_current_a(self, cells: CellString) -> float:
        """Returns the current in A as the BMS sees it, + charging."""
        return cells.current_a + self.current_offset_a

    def step(self, cells: CellString, dt_s: float) -> None:
        """Looks at the cells after a step of ``dt_s``."""
        current_a = self.measured_current_a(cells)
        counted = self.soc_pct + current_a * dt_s / (36.0 * cells.capacity_ah)
        self.soc_pct = max(0.0, min(100.0, counted))
        high_v, low_v = cells.voltage_max_v, cells.voltage_min_v
        hot_c, cold_c = cells.temperature_max_c, cells.temperature_min_c
        values = (high_v, low_v, hot_c, cold_c, current_a, current_a)
        alarms = protections = 0
        for guard, value in zip(self._alarm_guards, values, strict=True):
            alarms |= guard.step(value, dt_s)
        for guard, value in zip(self._protection_guards, values, strict=True):
            protections |= guard.step(value, dt_s)
        severe = self._severe_over.step(high_v, dt_s) | self._severe_under.step(low_v, dt_s)
        if severe and self.protects:
            self.pack_open = True
        if self.pack_open:
            protections |= int(BmsFlag.SYSTEM_ERROR)
        self.alarms, self.protections = alarms, protections
        self._limit(high_v, low_v, hot_c, cold_c, dt_s)

    def _limit(self, high_v: float, low_v: float, hot_c: float, cold_c: float, dt_s: float) -> None:
        hardware = self.hardware
        charge_a = discharge_a = 0.0
        if not self.protections & _NO_CHARGE and (
            hardware.charge_temperature_min_c < cold_c and hot_c < hardware.charge_temperature_max_c
        ):
            by_soc = self._charge_by_soc_a
            charge_a = hardware.charge_current_max_a * min(
                self._charge_by_v.at(high_v),
                curves.CHARGE_BY_SOC.at(self.soc_pct) if by_soc is None else 1.0,
                curves.CHARGE_BY_TEMPERATURE.at(cold_c),
                curves.CHARGE_BY_TEMPERATURE.at(hot_c),
            )
            if by_soc is not None:
                charge_a = min(charge_a, by_soc.at(self.soc_pct))
        if not self.protections & _NO_DISCHARGE and (
            hardware.discharge_temperature_min_c < cold_c
            and hot_c < hardware.discharge_temperature_max_c
        ):
            discharge_a = hardware.discharge_current_max_a * min(
                self._discharge_by_v.at(low_v),
                curves.DISCHARGE_BY_SOC.at(self.soc_pct),
                curves.DISCHARGE_BY_TEMPERATURE.at(cold_c),
                curves.DISCHARGE_BY_TEMPERATURE.at(hot_c),
            )
        if self._limits_known:
            rise_a = LIMIT_RISE_A_PER_S * dt_s
            charge_a = min(charge_a, self.charge_limit_a + rise_a)
            discharge_a = min(discharge_a, self.discharge_limit_a + rise_a)
        self._limits_known = True
        self.charge_limit_a, self.discharge_limit_a = charge_a, discharge_a


def charge_by_soc_a(unit: StorageUnit) -> curves.Curve | None:
    """Returns the charge current, A, by SOC in % that ``losses`` tell of; None: they do not."""
    hardware, losses = unit.inverter_hardware, unit.losses
    if losses.taper_from_pct is None:
        return None
    most_a = hardware.charge_power_max_w * hardware.efficiency_pct / 100.0
    most_a /= unit.battery.cells_in_series * NOMINAL_CELL_V
    full_a = most_a * losses.taper_to_pct / 100.0
    return curves.Curve((losses.taper_from_pct, most_a), (100.0, full_a))


def _alarm_guards(hardware: BatteryHardware) -> tuple[Guard, ...]:
    """Returns warning levels, in the order of the values in :meth:`Bms.step` (Atlas, Seplos)."""
    high_v, low_v = hardware.cell_voltage_max_v, hardware.cell_voltage_min_v
    hot_c, cold_c = hardware.discharge_temperature_max_c, hardware.charge_temperature_min_c
    charge_a, discharge_a = hardware.charge_current_max_a, hardware.discharge_current_max_a
    return (
        Guard(BmsFlag.OVER_VOLTAGE, high_v - 0.05, high_v - 0.15, 0.0),
        Guard(BmsFlag.UNDER_VOLTAGE, low_v + 0.4, low_v + 0.5, 0.0, -1),
        Guard(BmsFlag.OVER_TEMPERATURE, hot_c - 10.0, hot_c - 12.0, 0.0),
        Guard(BmsFlag.UNDER_TEMPERATURE, cold_c, cold_c + 2.0, 0.0, -1),
        Guard(BmsFlag.CHARGE_OVER_CURRENT, charge_a * 1.05, charge_a, 1.0),
        Guard(BmsFlag.DISCHARGE_OVER_CURRENT, -discharge_a * 1.05, -discharge_a, 1.0, -1),
    )


def _protection_guards(hardware: BatteryHardware) -> tuple[Guard, ...]:
    """Returns levels at which the BMS forbids a direction.

    They are those of Seplos: 3.65/3.40 V, 2.70/3.10 V, 110 %.
    """
    high_v, low_v = hardware.cell_voltage_max_v, hardware.cell_voltage_min_v
    hot_c, cold_c = hardware.discharge_temperature_max_c, hardware.discharge_temperature_min_c
    charge_a, discharge_a = hardware.charge_current_max_a, hardware.discharge_current_max_a
    return (
        Guard(BmsFlag.OVER_VOLTAGE, high_v, high_v - 0.25, 1.0),
        Guard(BmsFlag.UNDER_VOLTAGE, low_v + 0.2, low_v + 0.6, 1.0, -1),
        Guard(BmsFlag.OVER_TEMPERATURE, hot_c, hot_c - 5.0, 1.0),
        Guard(BmsFlag.UNDER_TEMPERATURE, cold_c, cold_c + 5.0, 1.0, -1),
        Guard(BmsFlag.CHARGE_OVER_CURRENT, charge_a * 1.1, charge_a * 0.5, 10.0),
        Guard(BmsFlag.DISCHARGE_OVER_CURRENT, -discharge_a * 1.1, -discharge_a * 0.5, 10.0, -1),
    )
