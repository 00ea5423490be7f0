"""The configuration of a site: what is installed and what is wanted.

Every key has a unit in its name. Unknown keys are errors, and so is an operating limit
that is looser than what the hardware permits.
"""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from holdfast.core.device_config import Device
from holdfast.core.load_config import FlexibleLoad, HeatedRoom
from holdfast.core.plan import DeviceMode
from holdfast.core.price_config import Prices, WebAddress
from holdfast.core.section import Finite, Name, NotNegative, Positive, Section


class BatteryHardware(Section):
    """From the battery's data sheet: the limits that nothing may loosen (defaults: LFP cells)."""

    cells_in_series: Annotated[int, Field(ge=1, le=500)]
    capacity_wh: Positive
    charge_current_max_a: Positive
    discharge_current_max_a: Positive
    cell_voltage_max_v: Annotated[float, Field(ge=3.0, le=4.3)] = 3.65
    cell_voltage_min_v: Annotated[float, Field(ge=1.5, le=3.2)] = 2.5
    charge_temperature_min_c: Annotated[float, Field(ge=-30, le=20)] = 0.0
    charge_temperature_max_c: Annotated[float, Field(ge=30, le=70)] = 55.0
    discharge_temperature_min_c: Annotated[float, Field(ge=-40, le=10)] = -20.0
    discharge_temperature_max_c: Annotated[float, Field(ge=30, le=75)] = 60.0
    contactor_break_current_a: Positive = 5.0
    """The contactor may open below this current only."""
    contactor_cycles_rated: Annotated[int, Field(ge=100, le=10_000_000)] = 50_000
    """Closings that the contactor is made for, behind a precharge (default: data sheet DEVR40)."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (
            ("cell_voltage_min_v", "cell_voltage_max_v"),
            ("charge_temperature_min_c", "charge_temperature_max_c"),
            ("discharge_temperature_min_c", "discharge_temperature_max_c"),
        ):
            if not getattr(self, low) < getattr(self, high):
                raise ValueError(
                    f"{low} ({getattr(self, low):g}) must be below {high} ({getattr(self, high):g})"
                )
        return self


class InverterHardware(Section):
    """From the inverter's data sheet."""

    charge_power_max_w: Positive
    discharge_power_max_w: Positive
    efficiency_pct: Annotated[float, Field(gt=50, le=100)] = 96.0
    """One way, at rated power."""
    response_time_s: Annotated[float, Field(ge=0.1, le=60)] = 3.0
    """From a new setpoint to the power that follows it."""
    revert_timeout_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Armed at start: without a command for this long, the inverter goes to 0 W by itself."""


class Operation(Section):
    """What the owner wants, inside what the hardware permits."""

    soc_min_pct: Annotated[float, Field(ge=0, le=100)] = 10.0
    soc_max_pct: Annotated[float, Field(ge=0, le=100)] = 95.0
    charge_power_max_w: Positive | None = None
    """None: what the hardware permits."""
    discharge_power_max_w: Positive | None = None
    backup_reserve_pct: NotNegative = 0.0
    """Kept for an outage: with the grid there, plans and self-consumption leave it alone."""
    ramp_w_per_s: Positive = 2000.0
    """How fast the setpoint may move away from 0 W; towards 0 W it is not limited."""

    @model_validator(mode="after")
    def _soc_ordered(self) -> Self:
        if not self.soc_min_pct < self.soc_max_pct:
            raise ValueError(
                f"soc_min_pct ({self.soc_min_pct:g}) must be below "
                f"soc_max_pct ({self.soc_max_pct:g})"
            )
        if not self.backup_reserve_pct < self.soc_max_pct:
            raise ValueError(
                f"backup_reserve_pct ({self.backup_reserve_pct:g}) must be below "
                f"soc_max_pct ({self.soc_max_pct:g})"
            )
        return self


class LevelOverride(Section):
    """Levels of one row of the limit table, tighter than its defaults."""

    warning: Finite | None = None
    alarm: Finite | None = None
    trip: Finite | None = None


class StorageUnit(Section):
    """A battery with its BMS, inverter and contactor."""

    name: Name
    battery: BatteryHardware
    inverter_hardware: InverterHardware
    operation: Operation = Operation()
    limits: dict[str, LevelOverride] = Field(default_factory=dict)
    """By row of the limit table (``holdfast limits`` prints it)."""
    bms: Device
    inverter: Device
    relays: Device

    @model_validator(mode="after")
    def _not_looser_than_hardware(self) -> Self:
        for direction in ("charge", "discharge"):
            wanted = getattr(self.operation, f"{direction}_power_max_w")
            permitted = getattr(self.inverter_hardware, f"{direction}_power_max_w")
            if wanted is not None and wanted > permitted:
                raise ValueError(
                    f"operation.{direction}_power_max_w: {wanted:g} W is looser than the "
                    f"hardware's {permitted:g} W (inverter_hardware.{direction}_power_max_w)"
                )
        return self

    @property
    def charge_power_max_w(self) -> float:
        """Most that this unit may be charged with."""
        return self.operation.charge_power_max_w or self.inverter_hardware.charge_power_max_w

    @property
    def discharge_power_max_w(self) -> float:
        """Most that this unit may be discharged with, as a positive number."""
        return self.operation.discharge_power_max_w or self.inverter_hardware.discharge_power_max_w


class Grid(Section):
    """The grid connection."""

    import_max_w: Positive
    export_max_w: NotNegative
    nominal_voltage_v: Annotated[float, Field(ge=100, le=500)] = 230.0
    """Phase to neutral, or whatever the meter reports."""
    nominal_frequency_hz: Literal[50, 60] = 50


class Planner(Section):
    """How the planner works."""

    horizon_h: Annotated[float, Field(ge=2, le=168)] = 48.0
    interval_s: Annotated[float, Field(ge=1, le=3600)] = 300.0
    """Time between two plans."""
    wear_cost_per_kwh: NotNegative = 0.02
    """What a kWh through the battery costs in life, in the site's currency."""
    ageing_cost_per_kwh_day: NotNegative = 0.0
    """What a day with a kWh stored above ``ageing_above_pct`` costs in life."""
    ageing_above_pct: Annotated[float, Field(ge=0, le=100)] = 80.0
    deep_wear_cost_per_kwh: NotNegative = 0.0
    """More wear, for what is used beyond ``deep_from_pct`` of the capacity in one cycle."""
    deep_from_pct: Annotated[float, Field(gt=0, le=100)] = 60.0
    change_worth: NotNegative = 0.01
    """A new plan must earn this much more than the last one to be followed in its place."""
    load_quantile: Annotated[float, Field(ge=0.1, le=0.9)] = 0.5
    """Against which load to plan: above 0.5 for those who would rather have some left. Of PV the
    opposite quantile is taken."""
    device_modes: tuple[DeviceMode, ...] = ()
    """For inverters that take a mode and no setpoint: plans use these alone, one at a time."""
    device_mode_dwell_minutes: Annotated[int, Field(ge=15, le=1440)] = 60
    """A mode is kept at least as long: each change is written to a memory that wears."""


class Location(Section):
    """Where the site is, for sun and weather."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    altitude_m: Annotated[float, Field(ge=-430, le=6000)] = 0.0


class PvArray(Section):
    """Modules that look the same way."""

    azimuth_deg: Annotated[float, Field(ge=0, lt=360)]
    """0 north, 90 east, 180 south."""
    tilt_deg: Annotated[float, Field(ge=0, le=90)]
    """0 flat, 90 upright."""
    peak_w: Positive
    """All its modules together, at standard test conditions."""
    losses_pct: Annotated[float, Field(ge=0, lt=100)] = 14.0
    """Dirt, shade, wiring, mismatch (default: PVWatts)."""


class PvPlant(Section):
    """All PV of the site; for the forecast only."""

    arrays: Annotated[tuple[PvArray, ...], Field(min_length=1)]
    inverter_ac_max_w: Positive | None = None
    """Most that comes out, all inverters together; None: no limit."""
    inverter_efficiency_pct: Annotated[float, Field(gt=50, le=100)] = 96.0


class Weather(Section):
    """Who is asked for the weather of ``location``, if there is ``pv``, or ``rooms``."""

    url: WebAddress = "https://api.open-meteo.com/v1/forecast"
    """Open-Meteo's, or that of a server of one's own that answers as it does."""


class Gateway(Section):
    """The process that others read from."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 9464


class Cycle(Section):
    """The control cycle."""

    period_ms: Annotated[int, Field(ge=10, le=1000)] = 20


class Site(Section):
    """A whole site."""

    name: str
    timezone: str = "UTC"
    """For display and tariffs only; control runs on monotonic time, plans on UTC."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "EUR"
    authority: Literal["observe", "limited", "full"] = "observe"
    """observe: writes nothing. limited: up to ``limited_power_w``. full: up to the hardware."""
    limited_power_w: Positive = 500.0
    """For all storage units together."""
    operating_mode: Literal["auto", "charge_only", "passive"] = "auto"
    """auto: plans and self-consumption. charge_only: never discharges. passive: 0 W."""
    emergency_stop_category: Literal[0, 1] = 1
    """IEC 60204-1. 1: 0 W first, contactor opens below its break current, after a second at the
    latest. 0: contactor opens at once, under load too."""
    state_dir: Path = Path("state")
    """Latches, sockets and shared snapshots; relative to site.yaml."""
    cycle: Cycle = Cycle()
    grid: Grid
    meter: Device
    emergency_input: Device
    limits: dict[str, LevelOverride] = Field(default_factory=dict)
    """Tighter levels of the limit table's rows for the site."""
    storage: Annotated[tuple[StorageUnit, ...], Field(min_length=1)]
    prices: Prices | None = None
    """Without prices the site runs on self-consumption."""
    planner: Planner = Planner()
    location: Location | None = None
    """With it and ``pv``, the PV forecast follows the sun's path and the weather."""
    pv: PvPlant | None = None
    weather: Weather = Weather()
    loads: tuple[FlexibleLoad, ...] = ()
    rooms: tuple[HeatedRoom, ...] = ()
    gateway: Gateway = Gateway()
    hardware_watchdog: Path | None = None
    """Such as /dev/watchdog: restarts the computer when even our watchdog hangs."""

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Berlin") from error
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [*self.unit_names, *(load.name for load in self.loads)]
        names += [room.name for room in self.rooms]
        if len(set(names)) != len(names) or "site" in names:
            raise ValueError(
                f"names of storage, loads and rooms must differ, and none may be 'site': {names}"
            )
        return self

    @model_validator(mode="after")
    def _arrays_have_a_place(self) -> Self:
        if self.pv is not None and self.location is None:
            raise ValueError("pv: needs location, with latitude_deg and longitude_deg")
        return self

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names of the storage units, in the order of the file."""
        return tuple(unit.name for unit in self.storage)

    @property
    def load_powers_w(self) -> dict[str, float]:
        """Most that each flexible load or heated room takes, by name."""
        loads = {load.name: load.power_w for load in self.loads}
        return loads | {room.name: room.power_max_w for room in self.rooms}

    @property
    def switches(self) -> dict[str, Device]:
        """The devices that switch loads and rooms, by name of the load or room."""
        loads = {load.name: load.switch for load in self.loads if load.switch is not None}
        return loads | {room.name: room.switch for room in self.rooms}

    @property
    def charge_power_max_w(self) -> float:
        """Most that all units together may be charged with."""
        return sum(unit.charge_power_max_w for unit in self.storage)

    @property
    def discharge_power_max_w(self) -> float:
        """Most that all units together may be discharged with, as a positive number."""
        return sum(unit.discharge_power_max_w for unit in self.storage)
