"""A whole site has its grid connection and processes, and tells where the other sections stand."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from holdfast.core.config.api import Api
from holdfast.core.config.contacts import Contact
from holdfast.core.config.device import Device, DeviceOrWithout, Without
from holdfast.core.config.form import Form
from holdfast.core.config.grid import Grid
from holdfast.core.config.history import History
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.core.config.modes import Modes
from holdfast.core.config.notifications import Notifications
from holdfast.core.config.planner import PlannerOptions
from holdfast.core.config.prices import Prices
from holdfast.core.config.pv import Location, PvPlant, Weather
from holdfast.core.config.reserve import FullCharge, StormReserve
from holdfast.core.config.schedule import Schedule
from holdfast.core.config.section import Accepts, FilePath, Name, Positive, Section
from holdfast.core.config.storage import LevelOverride, StorageUnit
from holdfast.core.strategy_name import WITHOUT_PRICES, StrategyName
from holdfast.core.texts import MAX_NAME


class Gateway(Section):
    """The process that others read from."""

    host: str = "127.0.0.1"
    """Address on which it listens; 0.0.0.0 lets the whole network read."""
    port: Annotated[int, Field(ge=1, le=65535)] = 9464
    """Prometheus metrics are at http://host:port/metrics."""


class CycleTiming(Section):
    """The control cycle."""

    period_ms: Annotated[int, Field(ge=10, le=1000)] = 20
    """Time from one cycle to the next."""


class Site(Section):
    """A whole site."""

    version: int = 1
    """Of this file; an older one is read by the names that its keys had."""
    name: Annotated[str, Field(max_length=MAX_NAME)]
    """In status, metrics and messages."""
    timezone: str = "UTC"
    """For display and tariffs only; control runs on monotonic time, plans on UTC."""
    currency: Annotated[str, Form(pattern="[A-Z]{3}", right="currency's code such as EUR")] = "EUR"
    """Of all prices and costs, such as EUR."""
    authority: Literal["observe", "limited", "full"] = "observe"
    """observe: writes nothing. limited: up to ``limited_power_w``. full: up to the hardware."""
    limited_power_w: Positive = 500.0
    """For all storage units together."""
    commissioning: Without | None = None
    """``{none: why}``: nobody has to release this site before it may do more than observe
    (docs/commissioning.md)."""
    operating_mode: Literal["auto", "charge_only", "passive"] = "auto"
    """auto: plans and self-consumption. charge_only: never discharges. passive: 0 W."""
    emergency_stop_category: Literal[0, 1] = 1
    """IEC 60204-1. 1: 0 W first, contactor opens below its break current, after a second at the
    latest. 0: contactor opens at once, under load too."""
    resume: Literal["manual", "automatic"] = "manual"
    """After a power cut, an update or a crash of a site that was running. manual: it waits for a
    start, and says so. automatic: it starts by itself once it is ready, if nothing is latched."""
    state_dir: FilePath = FilePath("state")
    """Folder of latches, history, audit log, logs and sockets; relative to site.yaml."""
    cycle: CycleTiming = CycleTiming()
    """How often is controlled."""
    grid: Grid
    """The grid connection."""
    meter: Device
    """At the grid connection."""
    pv_meter: DeviceOrWithout | None = None
    """What measures all PV, where the meter does not. Without PV: ``{none: why}``."""
    grid_operator: Device | None = None
    """The grid operator's box, by which he limits the site; needs ``grid.operator``."""
    emergency_input: DeviceOrWithout
    """A digital input in a normally closed loop: open is stop. Without one: ``{none: why}``."""
    limits: dict[str, LevelOverride] = Field(default_factory=dict)
    """Tighter levels of the limit table's rows for the site."""
    accepts: Accepts = Field(default_factory=dict)
    """What nobody guards on this site (``holdfast check`` prints it), and why that is right."""
    storage: Annotated[tuple[StorageUnit, ...], Field(min_length=1)]
    """One entry for each battery with its inverter."""
    devices: dict[Name, Device] = Field(default_factory=dict)
    """Devices by a name of your own, for one that has several roles: where a device is asked for,
    its name stands for it."""
    prices: Prices | None = None
    """Without prices the site runs on self-consumption."""
    modes: Modes = Modes()
    """What the batteries do where nobody asks."""
    planner: PlannerOptions = PlannerOptions()
    """How plans are made."""
    schedule: Schedule = Schedule()
    """What the batteries do at which times (docs/schedule.md)."""
    location: Location | None = None
    """With it and ``pv``, the PV forecast follows the sun's path and the weather."""
    pv: PvPlant | None = None
    """PV arrays, for the forecast; needs ``location``."""
    weather: Weather = Weather()
    """Who is asked for the weather."""
    rules: FilePath | None = None
    """A file of rules (docs/rules.md), relative to site.yaml; read again when it changes."""
    storm_reserve: StormReserve | None = None
    """What is stored while somebody warns of bad weather."""
    full_charge: FullCharge | None = None
    """How often the battery is charged until it is full."""
    loads: tuple[FlexibleLoad, ...] = ()
    """Loads that can wait (docs/loads.md)."""
    rooms: tuple[HeatedRoom, ...] = ()
    """Rooms with electric heat (docs/loads.md)."""
    metered_loads: tuple[MeteredLoad, ...] = ()
    """Loads that are measured by themselves (docs/loads.md)."""
    gateway: Gateway = Gateway()
    """Where others read."""
    api: Api = Api()
    """Where pages and the API are."""
    contacts: tuple[Contact, ...] = ()
    """Whom to call when the site has stopped, the first first."""
    notifications: Notifications = Notifications()
    """Who is told when something is wrong, and how."""
    history: History = History()
    """What is kept of the past."""
    hardware_watchdog: FilePath | None = None
    """Such as /dev/watchdog: restarts the computer when even our watchdog hangs."""

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no IANA time zone, such as Europe/Berlin") from error
        return value

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [*self.unit_names, *(load.name for load in self.loads)]
        names += [room.name for room in self.rooms]
        names += [load.name for load in self.metered_loads]
        if len(set(names)) != len(names) or "site" in names:
            raise ValueError(
                f"names of storage, loads and rooms must differ, and none may be 'site': {names}"
            )
        return self

    @model_validator(mode="after")
    def _pv_is_behind_one_inverter(self) -> Self:
        for unit in self.storage if len(self.storage) > 1 else ():
            if unit.hybrid is not None:
                raise ValueError(
                    f"storage {unit.name}: hybrid: of several units nobody knows which has the PV"
                )
        hybrid, pv = self.storage[0].hybrid, self.pv
        if hybrid is not None and pv is not None and pv.inverter_ac_max_w is not None:
            raise ValueError(
                "pv.inverter_ac_max_w: hybrid.ac_max_w says it, and what the battery takes is more"
            )
        return self

    @model_validator(mode="after")
    def _arrays_have_a_place(self) -> Self:
        if self.pv is not None and self.location is None:
            raise ValueError("pv: needs location, with latitude_deg and longitude_deg")
        return self

    @model_validator(mode="after")
    def _strategy_has_what_it_needs(self) -> Self:
        strategy = self.planner.strategy
        if strategy is StrategyName.PRE_HEATING and not self.rooms:
            raise ValueError("planner.strategy: pre_heating needs rooms, and there are none")
        if strategy not in WITHOUT_PRICES and self.prices is None:
            raise ValueError(f"planner.strategy: {strategy} needs prices, and there are none")
        return self

    @model_validator(mode="after")
    def _schedule_can_be_kept(self) -> Self:
        for entry in self.schedule.entries:
            charges = entry.mode != "discharge"
            most_w = self.charge_power_max_w if charges else self.discharge_power_max_w
            if entry.power_w is not None and entry.power_w > most_w:
                raise ValueError(
                    f"schedule: {entry.name}: power_w {entry.power_w:g} is more than all storage "
                    f"units can do, {most_w:g} W"
                )
            if entry.by_sun and self.location is None:
                raise ValueError(
                    f"schedule: {entry.name}: sunrise and sunset need location, with latitude_deg "
                    "and longitude_deg"
                )
        return self

    @model_validator(mode="after")
    def _operator_has_a_box(self) -> Self:
        if self.grid_operator is None is not self.grid.operator:
            raise ValueError("grid.operator: needs grid_operator, the box that tells of his limits")
        if self.grid.operator is None is not self.grid_operator:
            raise ValueError("grid_operator: grid.operator must say what it limits")
        return self

    @model_validator(mode="after")
    def _units_are_on_phases(self) -> Self:
        phases = self.grid.phase_numbers
        for unit in self.storage if len(phases) > 1 else ():
            on = unit.inverter_hardware.phases
            if not on or not set(on) <= set(phases):
                raise ValueError(
                    f"storage {unit.name}: inverter_hardware.phases must say on which phases of "
                    f"{list(phases)} it is, since something counts for each phase (grid)"
                )
        return self

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Returns the names of the storage units, in the order of the file."""
        return tuple(unit.name for unit in self.storage)

    def unit_named(self, name: str | None) -> StorageUnit | None:
        """Returns the storage unit of that name; None if none has it."""
        return next((unit for unit in self.storage if unit.name == name), None)

    @property
    def load_powers_w(self) -> dict[str, float]:
        """Returns the most that each flexible load or heated room takes, by name, in W."""
        loads = {load.name: load.power_w for load in self.loads}
        return loads | {room.name: room.power_max_w for room in self.rooms}

    @property
    def switches(self) -> dict[str, Device]:
        """Returns the devices that switch loads and rooms, by name of the load or room."""
        loads = {load.name: load.switch for load in self.loads if load.switch is not None}
        return loads | {room.name: room.switch for room in self.rooms}

    @property
    def load_names(self) -> tuple[str, ...]:
        """Returns the names of the loads that have a device: a switch, or a meter."""
        return (*self.switches, *(load.name for load in self.metered_loads))

    @property
    def charge_power_max_w(self) -> float:
        """Returns the most that all units together may be charged with, in W."""
        return sum(unit.charge_power_max_w for unit in self.storage)

    @property
    def discharge_power_max_w(self) -> float:
        """Returns the most that all units together may be discharged with, in W, positive."""
        return sum(unit.discharge_power_max_w for unit in self.storage)
