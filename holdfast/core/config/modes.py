"""The ``modes`` section says what the batteries do where nobody asks, and what always holds."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config.section import Finite, NotNegative, Section
from holdfast.core.slot_mode import NEEDS

Percent = Annotated[float, Field(ge=0, le=100)]
DefaultMode = Literal[
    "self_consumption",
    "hold",
    "passive",
    "charge_only",
    "pv_optimizer",
    "peak_shaving",
    "load_balancer",
    "commercial",
]


class Modes(Section):
    """What the batteries do where nobody asks (docs/modes.md), and what holds whoever asks."""

    default: DefaultMode = "self_consumption"
    """Done without a plan, a schedule, a rule or a person that asks for something else."""
    grid_target_w: Finite = 0.0
    """Self-consumption leads the meter there, + import; some watts of import spare export."""
    soc_target_pct: Percent | None = None
    """charge_only ends there, peak_shaving refills to it, commercial keeps it for its caps,
    load_balancer is led back to it."""
    soc_ceiling_pct: Percent | None = None
    """pv_optimizer stores more only of what could not be exported."""
    import_max_w: NotNegative | None = None
    """The battery helps to import no more, whoever asks, and whatever for."""
    export_max_w: NotNegative | None = None
    """The battery helps to export no more, whoever asks, and whatever for."""
    levelling_minutes: Annotated[float, Field(ge=1, le=240)] = 15.0
    """load_balancer levels over so long."""
    dwell_s: Annotated[float, Field(ge=0, le=60)] = 5.0
    """A mode is kept at least so long against one that is no stronger."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        needed = NEEDS.get(self.default)
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"default: {self.default} needs {needed} beside it")
        return self

    @property
    def terms(self) -> SlotTerms:
        """Returns what the default mode works with."""
        return SlotTerms(
            grid_target_w=self.grid_target_w,
            soc_target_pct=self.soc_target_pct,
            soc_ceiling_pct=self.soc_ceiling_pct,
            import_max_w=self.import_max_w,
            export_max_w=self.export_max_w,
        )

    @property
    def standing(self) -> SlotTerms:
        """Returns what holds whoever asks."""
        return SlotTerms(import_max_w=self.import_max_w, export_max_w=self.export_max_w)
