"""The grid connection of a site, and what it may carry."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.section import NotNegative, Positive, Section

PHASE_VOLTAGE_MAX_V = 277.0
"""A higher nominal voltage is that between two phases."""
Phase = Literal[1, 2, 3]
"""A phase of the grid connection, L1 to L3."""


class OperatorLimits(Section):
    """What holds while the grid operator limits the site. His box is ``grid_operator``."""

    consumption_w: Positive | None = None
    """While he limits consumption: this, if his box tells no watts. None: he does not limit it."""
    production_w: NotNegative | None = None
    """While he limits production, for the whole site: this, if his box tells no watts. None: he
    does not limit it."""
    failsafe_consumption_w: Positive | None = None
    """While nobody hears of him; None: as ``consumption_w``."""
    failsafe_production_w: NotNegative | None = None
    """While nobody hears of him; None: as ``production_w``."""
    failsafe_minutes: Annotated[int, Field(ge=120, le=1440)] = 120
    """So long at least holds what holds while nobody hears of him."""
    counts: Literal["controllable", "connection"] = "controllable"
    """What the limit of consumption is of. controllable: what battery and flexible loads take from
    the grid together, as in §14a EnWG. connection: all that the site imports."""

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.consumption_w is None and self.production_w is None:
            raise ValueError("consumption_w or production_w must say what he limits")
        for direction in ("consumption", "production"):
            if (
                getattr(self, f"failsafe_{direction}_w")
                is not None
                is getattr(self, f"{direction}_w")
            ):
                raise ValueError(f"failsafe_{direction}_w: needs {direction}_w")
        return self


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
    meter_delay_s: Annotated[float, Field(ge=0, le=10)] = 0.0
    """How old what the meter shows is when it is read (docs/regulation.md)."""
    learns_meter_delay: bool = False
    """It is learned; until then an error may stay while the meter shows one and the same value."""
    phases: Phase | None = None
    """How many phases the main fuse has."""
    fuse_a: Positive | None = None
    """The main fuse, of each phase: 95 % of it are used. None: ``import_max_w`` alone counts."""
    export_max_a: Positive | None = None
    """What each phase may feed in, where somebody limits that; None: what the fuse permits."""
    meter_nets_phases: bool = True
    """The meter counts the sum of its phases, as it does in Germany and Austria. Where it does not,
    nothing exported means that no phase exports."""
    mean_import_max_w: Positive | None = None
    """What the mean import of each interval must not exceed, as in a contract; None: no limit."""
    interval_min: Literal[15, 30, 60] = 15
    """How long such an interval is; they begin with the hour."""
    operator: OperatorLimits | None = None
    """What holds while the grid operator limits the site; needs ``grid_operator``."""

    @property
    def is_of_phases(self) -> bool:
        """Says whether something has to be known of each phase."""
        return self.fuse_a is not None or self.export_max_a is not None or not self.nets_all

    @property
    def nets_all(self) -> bool:
        """Says whether only the sum of the phases counts."""
        return self.meter_nets_phases or self.phases == 1

    @property
    def phase_numbers(self) -> tuple[Phase, ...]:
        """Returns the phases of the connection; none where nothing has to be known of them."""
        return PHASES[: self.phases] if self.is_of_phases and self.phases is not None else ()

    @model_validator(mode="after")
    def _phases_are_known(self) -> Self:
        if not self.is_of_phases:
            return self
        if self.phases is None:
            raise ValueError(
                "phases: fuse_a, export_max_a and meter_nets_phases: false need to know how many"
            )
        if self.nominal_voltage_v > PHASE_VOLTAGE_MAX_V:
            raise ValueError(
                f"nominal_voltage_v: {self.nominal_voltage_v:g} V is the voltage between two "
                "phases; what counts for each phase needs that to neutral, such as 230"
            )
        return self


PHASES: tuple[Phase, ...] = (1, 2, 3)
