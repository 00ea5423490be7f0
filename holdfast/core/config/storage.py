"""This module says what a storage unit is made of, what its owner wants, and its devices."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from holdfast.core.config.device import Device, DeviceOrWithout, Without
from holdfast.core.config.grid import Phase
from holdfast.core.config.losses import Hybrid, Losses, points_of
from holdfast.core.config.section import Accepts, Finite, Name, NotNegative, Positive, Section

_EFFICIENT_SHARE = 0.1


class BatteryHardware(Section):
    """From the battery's data sheet: the limits that nothing may loosen (defaults: LFP cells)."""

    cells_in_series: Annotated[int, Field(ge=1, le=500)]
    """Cells one after another: the pack's voltage is that of a cell times this."""
    capacity_wh: Positive
    """Energy from full to empty when new."""
    charge_current_max_a: Positive
    """Most that the battery may be charged with, at any time."""
    discharge_current_max_a: Positive
    """Most that may be drawn from it, at any time."""
    cell_voltage_max_v: Annotated[float, Field(ge=3.0, le=4.3)] = 3.65
    """No cell may rise above it."""
    cell_voltage_min_v: Annotated[float, Field(ge=1.5, le=3.2)] = 2.5
    """No cell may fall below it."""
    charge_temperature_min_c: Annotated[float, Field(ge=-30, le=20)] = 0.0
    """A colder cell must not be charged: lithium plates."""
    charge_temperature_max_c: Annotated[float, Field(ge=30, le=70)] = 55.0
    """A warmer cell must not be charged."""
    discharge_temperature_min_c: Annotated[float, Field(ge=-40, le=10)] = -20.0
    """A colder cell must not be discharged."""
    discharge_temperature_max_c: Annotated[float, Field(ge=30, le=75)] = 60.0
    """A warmer cell must not be discharged."""
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
    """Most that it charges the battery with."""
    discharge_power_max_w: Positive
    """Most that it draws from the battery."""
    phases: tuple[Phase, ...] = ()
    """Phases of the grid connection that it is on, such as [1, 2, 3]; its power is the same on
    each. Needed where the connection has a limit for each phase (``grid``)."""
    efficiency_pct: Annotated[float, Field(gt=50, le=100)] = 96.0
    """One way, at rated power."""
    response_time_s: Annotated[float, Field(ge=0.1, le=60)] = 3.0
    """From a new setpoint to the power that follows it."""
    efficient_from_w: NotNegative | None = None
    """Below it much is lost: a second unit of a site starts only when each gets as much. None: a
    tenth of its power."""
    min_power_w: NotNegative = 0.0
    """It does less than this badly or not at all: such a wish becomes 0 W, and is never raised."""
    revert_timeout_s: Annotated[float, Field(ge=1, le=60)] = 5.0
    """Armed at start: without a command for this long, the inverter goes to 0 W by itself."""

    @field_validator("phases")
    @classmethod
    def _phases_differ(cls, value: tuple[Phase, ...]) -> tuple[Phase, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"{list(value)}: a phase stands twice")
        return value

    @model_validator(mode="after")
    def _minimum_is_below_the_most(self) -> Self:
        most_w = min(self.charge_power_max_w, self.discharge_power_max_w)
        if not self.min_power_w < most_w:
            raise ValueError(
                f"min_power_w ({self.min_power_w:g}) must be below charge_power_max_w and "
                f"discharge_power_max_w ({most_w:g})"
            )
        return self


class Operation(Section):
    """What the owner wants, inside what the hardware permits."""

    soc_min_pct: Annotated[float, Field(ge=0, le=100)] = 10.0
    """Below it the battery is not discharged."""
    soc_max_pct: Annotated[float, Field(ge=0, le=100)] = 95.0
    """Above it the battery is not charged."""
    charge_power_max_w: Positive | None = None
    """None: what the hardware permits."""
    discharge_power_max_w: Positive | None = None
    """None: what the hardware permits."""
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
    """Told, and nothing more."""
    alarm: Finite | None = None
    """Power is narrowed, as the row says."""
    trip: Finite | None = None
    """0 W, contactors open, latched."""


class StorageUnit(Section):
    """A battery with its BMS, inverter and contactor."""

    name: Name
    """In status, metrics, audit log and messages."""
    battery: BatteryHardware
    """What the battery is."""
    inverter_hardware: InverterHardware
    """What the inverter is."""
    operation: Operation = Operation()
    """What you want."""
    losses: Losses = Losses()
    """For plans: what it loses."""
    hybrid: Hybrid | None = None
    """For plans: PV is behind the same inverter. None: PV has its own."""
    limits: dict[str, LevelOverride] = Field(default_factory=dict)
    """By row of the limit table (``holdfast limits`` prints it)."""
    accepts: Accepts = Field(default_factory=dict)
    """What nobody guards on this unit (``holdfast check`` prints it), and why that is right."""
    bms: Device
    """The battery management system."""
    inverter: Device
    """The inverter that takes the setpoint."""
    relays: DeviceOrWithout
    """Contactor, and precharge where there is one. Where the inverter's own is the only one:
    ``{none: why}``."""

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

    @model_validator(mode="after")
    def _standby_is_below_what_serves(self) -> Self:
        hardware, standby_w = self.inverter_hardware, self.losses.standby_w
        first = points_of(self.losses.discharge, hardware.efficiency_pct)[0]
        drawn_w = hardware.discharge_power_max_w * first.power_pct / first.efficiency_pct
        if not standby_w < drawn_w:
            raise ValueError(
                f"losses.standby_w ({standby_w:g}) must be below what is drawn at the first point "
                f"of losses.discharge ({drawn_w:g} W)"
            )
        return self

    @property
    def has_contactor(self) -> bool:
        """Says whether a contactor of ours is between battery and inverter."""
        return not isinstance(self.relays, Without)

    @property
    def efficient_from_w(self) -> float:
        """Returns the power from which on its inverter is efficient, in W."""
        told_w = self.inverter_hardware.efficient_from_w
        most_w = min(self.charge_power_max_w, self.discharge_power_max_w)
        return _EFFICIENT_SHARE * most_w if told_w is None else told_w

    @property
    def charge_power_max_w(self) -> float:
        """Returns the most that this unit may be charged with, in W."""
        return self.operation.charge_power_max_w or self.inverter_hardware.charge_power_max_w

    @property
    def discharge_power_max_w(self) -> float:
        """Returns the most that this unit may be discharged with, as a positive number, in W."""
        return self.operation.discharge_power_max_w or self.inverter_hardware.discharge_power_max_w
