"""The names of the strategies that an owner can pick; what each does stands in
:mod:`holdfast.scheduling.strategies`."""

from enum import StrEnum


class StrategyName(StrEnum):
    """Tells by which strategy a site plans."""

    OPTIMIZER = "optimizer"
    SELF_CONSUMPTION = "self_consumption"
    CHEAPEST_FOUR_HOURS = "cheapest_four_hours"
    NEGATIVE_PRICE_FIRST = "negative_price_first"
    PERCENTILE_95 = "percentile_95"
    EVENING_PEAK = "evening_peak"
    PRE_HEATING = "pre_heating"
    PRICE_DRIVEN_EXPORT = "price_driven_export"
    TIME_OF_USE = "time_of_use"
    CHEAP_HOURS = "cheap_hours"
    FIXED_HOURS = "fixed_hours"


WITHOUT_PRICES = frozenset({StrategyName.OPTIMIZER, StrategyName.SELF_CONSUMPTION})
"""A site without prices may have these: it runs on self-consumption."""
