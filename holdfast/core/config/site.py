"""A whole site has its grid connection and processes, and tells where the other sections stand."""

from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from holdfast.core.config.api import Api
from holdfast.core.config.contacts import Contact
from holdfast.core.config.device import Device, DeviceOrWithout
from holdfast.core.config.form import Form
from holdfast.core.config.history import History
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom
from holdfast.core.config.planner import PlannerOptions
from holdfast.core.config.prices import Prices
from holdfast.core.config.pv import Location, PvPlant, Weather
from holdfast.core.config.section import Accepts, FilePath, Name, NotNegative, Positive, Section
from holdfast.core.config.storage import LevelOverride, StorageUnit
from holdfast.core.texts import MAX_NAME


class Grid(Section):
    """The grid connection."""

    import_max_w: Positive
    """What the main fuse permits."""
    export_max_w: NotNegative
    """What may be fed in; 0 for nothing."""
    nominal_voltage_v: Annotated[float, Field(ge=100, le=500)] = 230.0
    """Phase to neutral, or whatever the meter reports."""
    nominal_frequency_hz: Literal[50, 60] = 50
    """Limits of frequency count from it."""


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
    planner: PlannerOptions = PlannerOptions()
    """How plans are made."""
    location: Location | None = None
    """With it and ``pv``, the PV forecast follows the sun's path and the weather."""
    pv: PvPlant | None = None
    """PV arrays, for the forecast; needs ``location``."""
    weather: Weather = Weather()
    """Who is asked for the weather."""
    loads: tuple[FlexibleLoad, ...] = ()
    """Loads that can wait (docs/loads.md)."""
    rooms: tuple[HeatedRoom, ...] = ()
    """Rooms with electric heat (docs/loads.md)."""
    gateway: Gateway = Gateway()
    """Where others read."""
    api: Api = Api()
    """Where pages and the API are."""
    contacts: tuple[Contact, ...] = ()
    """Whom to call when the site has stopped, the first first."""
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
    def charge_power_max_w(self) -> float:
        """Returns the most that all units together may be charged with, in W."""
        return sum(unit.charge_power_max_w for unit in self.storage)

    @property
    def discharge_power_max_w(self) -> float:
        """Returns the most that all units together may be discharged with, in W, positive."""
        return sum(unit.discharge_power_max_w for unit in self.storage)
