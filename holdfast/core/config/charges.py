"""Charges are what a tariff has beside the price of a kWh: sections of ``prices``."""

from typing import Annotated, Literal

from pydantic import Field

from holdfast.core.config.local_window import LocalWindow
from holdfast.core.config.section import NotNegative, Positive, Section


class DemandCharge(LocalWindow):
    """A price for the highest mean import of a quarter hour in each period, before VAT."""

    price_per_kw: NotNegative
    """For each period."""
    period: Literal["day", "month", "year"]
    """The highest quarter hour of each is paid for."""
    least_kw: NotNegative = 0.0
    """So much is paid for at least; 2.5 in Belgium."""
    mean_of: Annotated[int, Field(ge=1, le=24)] = 1
    """The mean of so many last periods is paid for, as far as they are known; 12 in Belgium."""


class CapacityCharge(LocalWindow):
    """A power that is subscribed to, with a price for what is imported above it, before VAT."""

    subscribed_kw: Positive
    """Mean import of a quarter hour up to it costs nothing more."""
    price_per_kw: NotNegative = 0.0
    """For each kW of ``subscribed_kw`` and period, used or not."""
    excess_per_kw: NotNegative
    """For each kW of the period's highest quarter hour above it."""
    period: Literal["day", "month", "year"]
    """The highest quarter hour of each is paid for."""


class StandingCharge(Section):
    """What is paid for the connection alone, before VAT."""

    name: Annotated[str, Field(min_length=1, max_length=40)] = "standing charge"
    """What the bill calls it."""
    price: NotNegative
    """For each ``per``, by the local calendar."""
    per: Literal["day", "month", "year"]
    """A part of one costs its share."""


class Quota(LocalWindow):
    """An amount of energy that costs something else within a window, before VAT: such as 50 kWh a
    month that are free from 11:00 to 14:00."""

    energy_kwh: Positive
    """So much in each ``period``; what is bought in the window beyond it costs what it always
    does."""
    price_per_kwh: NotNegative = 0.0
    """For each kWh of it."""
    period: Literal["day", "month"]
    """What is left at its end is lost."""
