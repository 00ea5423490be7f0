"""A rule file says in YAML what is to be done when; here stand its keys."""

import datetime as dt
from typing import Annotated, Self

from pydantic import Field, model_validator

from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config.section import Finite, Name, Section
from holdfast.core.slot_mode import NEEDS, PLANNED_ONLY, SlotMode
from holdfast.scheduling.rules.expression import MAX_CHARACTERS
from holdfast.scheduling.rules.fact_table import FACTS, FactKind

MAX_RULES = 50
_Watts = Annotated[float, Field(ge=0, le=1e6)]
_Percent = Annotated[float, Field(ge=0, le=100)]
_Minutes = Annotated[float, Field(ge=0, le=1440)]
_Condition = Annotated[str, Field(max_length=MAX_CHARACTERS)]

_UP_TO = (
    SlotMode.POWER,
    SlotMode.CHARGE_ONLY,
    SlotMode.PEAK_SHAVING,
    SlotMode.COMMERCIAL,
    SlotMode.LOAD_BALANCER,
)
_NEEDS = {**NEEDS, SlotMode.POWER: "power_w"}
_ONLY_WITH = {
    "power_w": (SlotMode.POWER, SlotMode.CHARGE_ONLY),
    "soc_target_pct": _UP_TO,
    "grid_target_w": (SlotMode.SELF_CONSUMPTION,),
}


class RuleEffect(Section):
    """What is asked while a rule fires: a mode, bounds beside whatever mode there is, or both."""

    mode: SlotMode | None = None
    """None: only the bounds are asked for."""
    power_w: Finite | None = None
    """Of all units together, + charging."""
    grid_target_w: Finite | None = None
    """Self-consumption keeps the grid connection there, + import."""
    soc_target_pct: _Percent | None = None
    """Charging ends there."""
    soc_ceiling_pct: _Percent | None = None
    """More is not stored, but of what would be lost."""
    reserve_pct: _Percent | None = None
    """At or below it nothing is discharged, except in an outage."""
    import_max_w: _Watts | None = None
    """The battery helps to import no more."""
    export_max_w: _Watts | None = None
    """The battery helps to export no more."""
    import_mean_max_w: _Watts | None = None
    """The mean import of a quarter hour is to stay within it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if all(value is None for _, value in self):
            raise ValueError("asks for nothing; give it a mode, such as mode: charge_only")
        if self.mode is SlotMode.SOC:
            raise ValueError(
                "mode soc needs an end, which a rule does not know; charge_only with "
                "soc_target_pct does as well"
            )
        if self.mode in PLANNED_ONLY:
            raise ValueError(
                f"mode {self.mode} is for plans alone, which know what stored energy is worth; "
                "self_consumption, or hold, does without"
            )
        needed = None if self.mode is None else _NEEDS.get(self.mode)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"mode {self.mode} needs {needed}")
        for name, modes in _ONLY_WITH.items():
            if getattr(self, name) is not None and self.mode not in modes:
                raise ValueError(f"{name} goes only with mode {' or '.join(modes)}")
        if self.mode is SlotMode.CHARGE_ONLY and (self.power_w or 0.0) < 0.0:
            raise ValueError(f"power_w ({self.power_w:g}) must not be negative with charge_only")
        return self

    @property
    def terms(self) -> SlotTerms:
        """Returns what is asked for beside the mode."""
        return SlotTerms(
            grid_target_w=self.grid_target_w,
            soc_target_pct=self.soc_target_pct,
            soc_ceiling_pct=self.soc_ceiling_pct,
            reserve_pct=self.reserve_pct,
            import_max_w=self.import_max_w,
            export_max_w=self.export_max_w,
            import_mean_max_w=self.import_mean_max_w,
        )


class Rule(Section):
    """If this, then that."""

    name: Name
    """In plans, status and messages."""
    when: _Condition
    """It fires when this holds; see ``holdfast rules facts`` for the names."""
    then: RuleEffect
    """What is asked while it fires."""
    ends_when: _Condition | None = None
    """It goes on until this holds. None: until ``when`` holds no more."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    """Of two rules that ask for different modes the one with the higher number is followed."""
    for_minutes: _Minutes = 0.0
    """``when`` must have held for so long."""
    min_on_minutes: _Minutes = 0.0
    """It goes on at least for so long, unless what it rests on is no longer known."""
    min_off_minutes: _Minutes = 0.0
    """It does not fire again sooner after its end."""
    until: dt.date | None = None
    """The last local day on which it fires. None: it does not expire."""
    enabled: bool = True
    """false: it never fires."""


class RuleFile(Section):
    """All rules of a site."""

    rules: Annotated[tuple[Rule, ...], Field(max_length=MAX_RULES)] = ()
    """The first of two with the same priority is followed."""
    signals: dict[Name, FactKind] = Field(default_factory=dict)
    """Names that somebody else gives values: number, truth or text."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rules have the name {', '.join(twice)}")
        taken = sorted(self.signals.keys() & FACTS.keys())
        if taken:
            raise ValueError(f"signals: {', '.join(taken)} is a name that all rules know already")
        return self
