"""A picture of simulated days shows prices, powers, state of charge."""

from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.backtest.bill import Comparison
from holdfast.backtest.data import SiteData, utc_of
from holdfast.backtest.run import RunResult
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError

_SIZE_IN = (12.0, 9.0)


def draw_days(
    data: SiteData, result: RunResult, compared: Comparison, site: Site, what: str, path: Path
) -> Path:
    """Draws ``result`` of ``what`` to ``path`` (its ending says the format). Raises ConfigError."""
    # Takes half a second and 50 MB: only who wants a picture pays for it.
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import dates
    from matplotlib import pyplot as plt

    zone = ZoneInfo(site.timezone)
    rows = data.rows
    times = [utc_of(row.start_s).astimezone(zone) for row in rows]
    grid_w = (result.import_wh - result.export_wh) * 3600 / data.step_s
    figure, (price, house, power, charge) = plt.subplots(
        4, 1, figsize=_SIZE_IN, sharex=True, layout="constrained"
    )
    price.step(times, [row.import_price_per_kwh for row in rows], where="post", label="purchase")
    price.step(times, [row.export_price_per_kwh for row in rows], where="post", label="feed-in")
    price.set_ylabel(f"{site.currency}/kWh")
    house.fill_between(times, result.pv_w / 1000, step="post", alpha=0.4, label="PV")
    house.step(times, result.load_w / 1000, where="post", label="load")
    house.set_ylabel("kW")
    power.step(times, result.battery_w / 1000, where="post", label="battery, + charging")
    power.step(times, grid_w / 1000, where="post", label="grid, + import")
    power.set_ylabel("kW")
    charge.plot(times, result.soc_pct, label="state of charge")
    charge.set_ylabel("%")
    charge.set_ylim(0, 100)
    for axes in (price, house, power, charge):
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", fontsize="small")
        axes.axhline(0, color="black", linewidth=0.5)
    charge.xaxis.set_major_formatter(dates.ConciseDateFormatter(dates.AutoDateLocator(), tz=zone))
    figure.suptitle(
        f"{site.name}: {what}, {data.days:g} days, "
        f"{compared.bills[compared.strategy].cost:.2f} {site.currency} "
        f"(without a battery {compared.cost_without_battery:.2f})"
    )
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--picture {path}: cannot be drawn: {error}") from error
    finally:
        plt.close(figure)
    return path
