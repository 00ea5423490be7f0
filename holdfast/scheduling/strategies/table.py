"""The table of strategies: what each does, in a sentence, and what it needs."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.strategy_name import StrategyName
from holdfast.scheduling.strategies.cheap_hours import cheap_hours
from holdfast.scheduling.strategies.cheapest_four_hours import cheapest_four_hours
from holdfast.scheduling.strategies.evening_peak import evening_peak
from holdfast.scheduling.strategies.fixed_hours import fixed_hours
from holdfast.scheduling.strategies.negative_price_first import negative_price_first
from holdfast.scheduling.strategies.percentile_95 import percentile_95
from holdfast.scheduling.strategies.price_driven_export import price_driven_export
from holdfast.scheduling.strategies.self_consumption import self_consumption
from holdfast.scheduling.strategies.step import Rule
from holdfast.scheduling.strategies.time_of_use import time_of_use


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyRow:
    """Describes one strategy to its owner."""

    does: str
    rule: Rule
    needs: str = "prices"
    heats_before: bool = False
    """Rooms are warm when dear hours begin."""


STRATEGIES: Mapping[StrategyName, StrategyRow] = {
    StrategyName.SELF_CONSUMPTION: StrategyRow(
        does="stores surplus and serves the load, whatever the prices are",
        rule=self_consumption,
        needs="the meter",
    ),
    StrategyName.CHEAPEST_FOUR_HOURS: StrategyRow(
        does="buys evenly in the four cheapest hours of each day, where the dearest pay for it; "
        "follows load and PV else",
        rule=cheapest_four_hours,
    ),
    StrategyName.NEGATIVE_PRICE_FIRST: StrategyRow(
        does="makes room before hours whose price is below zero, and charges in them; follows load "
        "and PV else",
        rule=negative_price_first,
    ),
    StrategyName.PERCENTILE_95: StrategyRow(
        does="discharges above the 95th percentile of the known prices, and sells where that pays; "
        "buys below the 5th; keeps what the dear hours will need",
        rule=percentile_95,
    ),
    StrategyName.EVENING_PEAK: StrategyRow(
        does="is full by 17:00, from sun and if need be from the cheapest hours after 10:00, and "
        "serves the load from then on",
        rule=evening_peak,
    ),
    StrategyName.PRE_HEATING: StrategyRow(
        does="heats rooms to the upper end of comfort before the dearest quarter of the prices; "
        "the battery follows load and PV",
        rule=self_consumption,
        needs="prices and rooms",
        heats_before=True,
    ),
    StrategyName.PRICE_DRIVEN_EXPORT: StrategyRow(
        does="sells in the dearest hours what can be bought again for less, and buys in the "
        "cheapest hour before; follows load and PV else",
        rule=price_driven_export,
        needs="prices, and a feed-in price that moves",
    ),
    StrategyName.TIME_OF_USE: StrategyRow(
        does="keeps what is stored while hours 1.6 times as dear come within four; follows load "
        "and PV else",
        rule=time_of_use,
    ),
    StrategyName.CHEAP_HOURS: StrategyRow(
        does="buys in the cheapest quarter of the known prices, serves the load in the dear half, "
        "and only stores surplus between",
        rule=cheap_hours,
    ),
    StrategyName.FIXED_HOURS: StrategyRow(
        does="buys from 0 to 6, serves the load from 17 to 23, and only stores surplus else",
        rule=fixed_hours,
    ),
}

assert set(STRATEGIES) == set(StrategyName) - {StrategyName.OPTIMIZER}, "each strategy has a row"
