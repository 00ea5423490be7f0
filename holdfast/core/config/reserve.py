"""The ``storm_reserve`` and ``full_charge`` sections say when more is stored than pays."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.prices import WebAddress
from holdfast.core.config.section import FilePath, Section

Percent = Annotated[float, Field(ge=0, le=100)]
Severity = Literal["minor", "moderate", "severe", "extreme"]


class StormReserve(Section):
    """Energy that is kept for an outage while somebody warns of bad weather (docs/reserve.md)."""

    url: WebAddress | None = None
    """A feed of warnings: CAP, or Atom with CAP in it, such as MeteoAlarm's of your country."""
    file: FilePath | None = None
    """In the place of ``url``: a file with a warning in CAP, relative to site.yaml."""
    areas: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """A warning counts if it names one of these, by name or code; needed with ``url``, whose feed
    is of a whole country. Empty: all count."""
    events: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """It counts if its kind has one of these words in it, such as wind. Empty: all kinds."""
    severity_min: Severity = "severe"
    """It counts from this severity on."""
    target_pct: Percent = 80.0
    """As much is stored before it begins, and kept until it ends, except in an outage."""
    lead_hours: Annotated[float, Field(ge=0, le=48)] = 12.0
    """So long before it begins charging does."""

    @model_validator(mode="after")
    def _has_a_source(self) -> Self:
        if (self.url is None) is (self.file is None):
            raise ValueError("needs either url or file: where do warnings come from?")
        if self.url is not None and not self.areas:
            raise ValueError("areas: is missing: a feed warns of places far away, too")
        return self


class FullCharge(Section):
    """A full charge now and then, which balances cells and tells the BMS what full is."""

    every_days: Annotated[float, Field(ge=1, le=365)] = 14.0
    """So long after the last one another is due."""
    within_days: Annotated[float, Field(ge=0, le=30)] = 2.0
    """So long it may wait for a cheaper time once it is due."""
    full_pct: Annotated[float, Field(ge=90, le=100)] = 99.0
    """From this state of charge on the battery is full."""
    kept_hours: Annotated[float, Field(ge=0, le=12)] = 1.0
    """So long it is kept full, for its cells to be balanced."""
