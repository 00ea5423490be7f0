"""A site, prices and forecasts for the tests of the planner."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from holdfast.core.config import Site
from holdfast.core.quarter_hours import QUARTER
from holdfast.forecasting.forecast import PowerForecast
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster
from holdfast.markets.demand_charge import DemandPrice
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.site.site_file import parse_site

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)  # 12:00 in Berlin

BOILER = """
  - {name: boiler, power_w: 2000, energy_wh: 4000, to: "06:00",
     switch: {profile: generic_load_switch, connection: {kind: modbus_tcp, host: localhost}}}
"""
PARLOUR = """
  - name: parlour
    power_max_w: 1500
    capacity_wh_per_k: 400
    loss_w_per_k: 50
    comfort: [{from: "06:00", to: "22:00", low_c: 20, high_c: 23}, {low_c: 17, high_c: 23}]
    switch: {profile: generic_room_switch, connection: {kind: modbus_tcp, host: localhost}}
"""

_DEVICE = "{profile: generic_inverter, connection: {kind: modbus_tcp, host: localhost}}"
_INVERTER = "{{profile: {}, connection: {{kind: modbus_tcp, host: localhost}}}}"


def site(
    *,
    planner: str = "{}",
    second: str = "",
    operation: str = "{}",
    loads: str = "[]",
    rooms: str = "[]",
    profile: str = "generic_inverter",
    export_max_w: float = 10_000,
) -> Site:
    """10 kWh, 5 kW; ``second``: what differs in a second unit's inverter, if there is one."""
    unit = """
  - name: {name}
    battery: {{cells_in_series: 16, capacity_wh: 10000, charge_current_max_a: 100,
               discharge_current_max_a: 100}}
    inverter_hardware: {inverter}
    operation: {operation}
    bms: {device}
    inverter: {control}
    relays: {device}
"""
    control = _INVERTER.format(profile)
    units = unit.format(
        name="one",
        device=_DEVICE,
        control=control,
        operation=operation,
        inverter="{charge_power_max_w: 5000, discharge_power_max_w: 5000}",
    )
    if second:
        units += unit.format(
            name="two", device=_DEVICE, control=control, operation=operation, inverter=second
        )
    return parse_site(f"""
name: test
timezone: Europe/Berlin
grid: {{import_max_w: 15000, export_max_w: {export_max_w}}}
meter: {_DEVICE}
emergency_input: {_DEVICE}
planner: {planner}
loads: {loads}
rooms: {rooms}
storage:
{units}
""")


def hourly(*prices: float, start: datetime = NOW) -> PriceSeries:
    """From NOW on, or from ``start``."""
    hour = timedelta(hours=1)
    return PriceSeries(
        currency="EUR",
        slots=tuple(
            PriceSlot(
                start_utc=start + index * hour,
                end_utc=start + (index + 1) * hour,
                price_per_kwh=price,
            )
            for index, price in enumerate(prices)
        ),
    )


def site_prices(
    *bought: float,
    sold: float = 0.05,
    demand: tuple[DemandPrice, ...] = (),
    start: datetime = NOW,
) -> SitePrices:
    """Hourly purchase prices from NOW on, or from ``start``, and one feed-in price."""
    return SitePrices(
        currency="EUR",
        purchase=hourly(*bought, start=start),
        feed_in=hourly(*([sold] * len(bought)), start=start),
        demand=demand,
    )


def forecast_of(load_w: float, pv_w: float = 0.0, *, now: datetime = NOW) -> SiteForecast:
    """The same power at all times, as a week of it would be forecast."""
    history = PowerHistory()
    for index in range(8 * 96):
        history.add(now - (index + 1) * QUARTER, load_w, pv_w)
    return SiteForecaster(history).forecast(now, 48.0)


def with_weather(forecast: SiteForecast, *temperature_c: float | None) -> SiteForecast:
    """The same, with outdoor temperatures by quarter hour."""
    return replace(forecast, temperature_c=temperature_c)


def mean_of(forecast: PowerForecast) -> float:
    """Mean power, W."""
    return sum(forecast.mean_w) / len(forecast.mean_w)
