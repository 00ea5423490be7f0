"""How a run did against self-consumption: the honest yardstick, for the rule takes most of it.

What no battery would have cost flatters any battery. What planning adds is what lies between
self-consumption and perfect foresight, and who plans should not have been behind in many weeks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holdfast.backtest.bill import Bill, interval_cost
from holdfast.backtest.data import SiteData
from holdfast.backtest.run import Floats, RunResult
from holdfast.backtest.strategies import Strategy

_WEEK_S = 7 * 86_400
_MOST = 0.5
_TOLD = 0.01
"""Less money in a week is no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstRule:
    """Tells how a run did against self-consumption on the same days."""

    share_of_added_pct: float | None
    """It is what the run saves against self-consumption, of what perfect foresight does; None if
    that is nothing, or was not run."""
    weeks: int
    """So many weeks were compared, of which most is in the data; at the meter: charges of a month
    are in none of them."""
    weeks_behind_pct: float | None
    """It cost more in so many of them; None without a week."""
    worst_week: float | None
    """It is what the run saved in its worst week, in the site's currency; negative if it cost
    more."""


def against_rule(
    data: SiteData, bills: Mapping[Strategy, Bill], results: Mapping[Strategy, RunResult]
) -> dict[Strategy, AgainstRule]:
    """Returns it for each run but self-consumption itself; empty if that was not run."""
    rule = results.get(Strategy.SELF_CONSUMPTION)
    if rule is None:
        return {}
    weekly = _weekly(data, rule)
    found: dict[Strategy, AgainstRule] = {}
    for strategy, run in results.items():
        if strategy is Strategy.SELF_CONSUMPTION:
            continue
        saved = weekly - _weekly(data, run)
        found[strategy] = AgainstRule(
            share_of_added_pct=_share_of_added_pct(bills, strategy),
            weeks=len(saved),
            weeks_behind_pct=100.0 * float((saved < -_TOLD).mean()) if len(saved) else None,
            worst_week=float(saved.min()) if len(saved) else None,
        )
    return found


def _share_of_added_pct(bills: Mapping[Strategy, Bill], strategy: Strategy) -> float | None:
    perfect = bills.get(Strategy.PERFECT)
    if perfect is None:
        return None
    rule = bills[Strategy.SELF_CONSUMPTION].cost
    added = rule - perfect.cost
    return 100.0 * (rule - bills[strategy].cost) / added if added > _TOLD else None


def _weekly(data: SiteData, run: RunResult) -> Floats:
    """Returns what each week cost at the meter, in the site's currency; not of which most lacks."""
    starts_s = np.array([row.start_s for row in data.rows])
    week = (starts_s - starts_s[0]) // _WEEK_S
    costs = np.bincount(week, weights=interval_cost(data, run.import_wh, run.export_wh))
    rows = np.bincount(week)
    return np.asarray(costs[rows > _MOST * _WEEK_S / data.step_s])
