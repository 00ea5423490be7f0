"""Self-consumption: the battery stores surplus and serves the load, whatever the prices are."""

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, follows


def self_consumption(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``."""
    return follows("follows load and PV")
