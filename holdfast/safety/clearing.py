"""This module says who may clear what is latched: an operator, or service alone.

The tables say it row by row; why a row is for service, and what to look at first, stands here.
There are no roles yet: ``holdfast reset --service`` asks for it deliberately.
"""

from collections.abc import Mapping

from holdfast.safety.faults import FAULTS, Clearing, names_of
from holdfast.safety.finding import Level
from holdfast.safety.limits import ALL_LIMITS
from holdfast.safety.trend_analyzer import TRENDS

SERVICE_ONLY: Mapping[str, str] = {
    "cell_voltage_low": "deeply discharged cells may be damaged; inspect before charging",
    "pack_voltage_low": "deeply discharged cells may be damaged; inspect before charging",
    "cell_temperature_high": "cells that were too hot may be damaged; inspect them",
    "insulation_low": "the pack may be live against earth; find the fault",
    "cell_heating": "heating precedes thermal runaway; keep away until it is cold, then inspect",
    "contactor_welded": "it cannot be relied on to open, and no self-test sees it; replace it",
    "latch_file_corrupt": "what was latched is not known, and may have been for service",
}
"""Tells why, and what to do first, by row. All other trips are for an operator: their cause shows
itself again in the self-test or at the first power, before anything is damaged. That holds for a
crash loop, too: each crash ends at 0 W by the watchdog, and five more lock the site out again."""

_OPERATORS = frozenset(
    name
    for row, fault in FAULTS.items()
    if fault.clearing is Clearing.OPERATOR
    for name in names_of(row)
) | frozenset(limit.id for limit in ALL_LIMITS if limit.clearing is Clearing.OPERATOR)


def is_for_service(latched: str) -> bool:
    """Says whether ``latched``, an ``owner/row``, is for service: no table gives it to an operator.

    What no table knows (any more) is for service.
    """
    return _row_of(latched) not in _OPERATORS


def why_service(latched: str) -> str:
    """Tells people ``latched``, and why an operator may not clear it.

    >>> why_service("battery/insulation_low")
    'battery/insulation_low (the pack may be live against earth; find the fault)'
    """
    reasons = (why for row, why in SERVICE_ONLY.items() if _row_of(latched) in names_of(row))
    return f"{latched} ({next(reasons, 'no row of the tables is called so')})"


def _row_of(latched: str) -> str:
    return latched.partition("/")[2]


def _check_tables() -> None:
    marked = {
        *(row for row, fault in FAULTS.items() if fault.clearing is Clearing.SERVICE),
        *(limit.id for limit in ALL_LIMITS if limit.clearing is Clearing.SERVICE),
        # A trend that trips has no column: it is a forerunner, and always for service.
        *(trend.id for trend in TRENDS if trend.levels[0][0] is Level.TRIP),
    }
    assert marked == SERVICE_ONLY.keys(), "each row for service has its reason, and no other"
    named = {name for row in SERVICE_ONLY for name in names_of(row)}
    assert not named & _OPERATORS, "a row for service is called like one for operators"


_check_tables()
