"""The forecast report holds what the planner's last plan rests on: it writes, others read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from holdfast.client.report_file import read_packed
from holdfast.site.files import SiteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSlot:
    """Tells what is expected in one quarter hour, in W; 8 of 10 are within low and high."""

    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC."""
    load_w: float
    load_low_w: float | None
    """It is None, as is each low and high, as long as no errors are known."""
    load_high_w: float | None
    pv_w: float
    pv_low_w: float | None
    pv_high_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastScore:
    """Tells how a forecast did on the last weeks, in W."""

    mae: float
    """This is the mean absolute error."""
    persistence_mae: float
    """This is the same of "as yesterday"."""
    pinball: float
    """This is the mean pinball loss of the quantiles."""
    days: float
    """It was measured over a time of this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastReport:
    """Holds load and PV to come; it is the content of ``forecast.json.gz``.

    The mappings have the keys ``load`` and ``pv``.
    """

    made: datetime
    """The time is aware, UTC."""
    slots: tuple[ForecastSlot, ...]
    basis: Mapping[str, str]
    """It names what each rests on, such as ``history`` or ``weather``."""
    model: Mapping[str, str]
    score: Mapping[str, ForecastScore | None]
    """It is None until about two weeks were measured."""


_REPORT = TypeAdapter(ForecastReport)


def read_forecast(files: SiteFiles) -> ForecastReport | None:
    """Returns what the planner last expected; None if there is no readable report."""
    try:
        report = _REPORT.validate_json(read_packed(files.forecast))
    except (OSError, ValueError):
        return None
    return None if report.made.tzinfo is None else report
