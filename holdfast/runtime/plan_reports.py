"""The planner's reports are put in the words and values that others read."""

from holdfast.client.forecast_report import ForecastReport, ForecastScore, ForecastSlot
from holdfast.client.plan_report import Alternative, SlotCost
from holdfast.core.quarter_hours import QUARTER
from holdfast.forecasting.forecast import QUANTILES, PowerForecast, Score
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.scheduling.alternatives import (
    NO_BATTERY,
    PREVIOUS_PLAN,
    SELF_CONSUMPTION,
    WITHOUT_OVERRIDE,
    Alternatives,
)

_IS = {
    NO_BATTERY: "the battery rests",
    SELF_CONSUMPTION: "the battery follows load and PV",
    PREVIOUS_PLAN: "the plan before goes on",
    WITHOUT_OVERRIDE: "what was asked by hand is left out",
}
_CENT = 0.01


def rejected(found: Alternatives, currency: str) -> tuple[Alternative, ...]:
    """Returns what was not taken, and how it compares with the plan."""
    told = []
    for name, course in found.others.items():
        more = course.total_cost - found.plan.total_cost
        told.append(
            Alternative(
                name=name,
                expected_cost=course.grid_cost,
                costs_more=more,
                soc_end_pct=float(course.soc_pct[-1]),
                why=f"{_IS[name]}: {_compared(more, currency)}",
            )
        )
    return tuple(told)


def _compared(more: float, currency: str) -> str:
    if not abs(more) >= _CENT / 2:
        return "that costs the same"
    word = "more" if more > 0.0 else "less"
    counted = "wear and what is stored at the end counted"
    return f"that costs {abs(more):.2f} {currency} {word} than the plan, {counted}"


def slot_costs(found: Alternatives) -> tuple[SlotCost, ...]:
    """Returns what each slot costs, and would cost while the battery rests."""
    pairs = zip(found.plan.costs.tolist(), found.rest_costs.tolist(), strict=True)
    return tuple(SlotCost(cost=cost, cost_at_rest=at_rest) for cost, at_rest in pairs)


def forecast_report(forecast: SiteForecast) -> ForecastReport:
    """Returns what is expected of load and PV, by quarter hour."""
    load, pv = forecast.load, forecast.pv
    powers = {"load": load, "pv": pv}
    made = load.start_utc if load.made_utc is None else load.made_utc
    count = min(len(load.mean_w), len(pv.mean_w))
    (load_low, load_high), (pv_low, pv_high) = (_range(power, count) for power in (load, pv))
    return ForecastReport(
        made=made,
        slots=tuple(
            ForecastSlot(
                start=load.start_utc + index * QUARTER,
                end=load.start_utc + (index + 1) * QUARTER,
                load_w=load.mean_w[index],
                load_low_w=load_low[index],
                load_high_w=load_high[index],
                pv_w=pv.mean_w[index],
                pv_low_w=pv_low[index],
                pv_high_w=pv_high[index],
            )
            for index in range(count)
        ),
        basis={name: power.basis.value for name, power in powers.items()},
        model={name: power.model for name, power in powers.items()},
        score={name: _score(power.score) for name, power in powers.items()},
    )


def _range(power: PowerForecast, count: int) -> tuple[tuple[float | None, ...], ...]:
    unknown: tuple[float | None, ...] = (None,) * count
    return tuple(power.quantiles_w.get(level, unknown) for level in (QUANTILES[0], QUANTILES[-1]))


def _score(score: Score | None) -> ForecastScore | None:
    if score is None:
        return None
    return ForecastScore(
        mae=score.mae,
        persistence_mae=score.persistence_mae,
        pinball=score.pinball,
        days=score.days,
    )
