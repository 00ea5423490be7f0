"""A picture of simulated days: prices, powers, state of charge."""

from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.testing.week import WeekResult

_SIZE_IN = (12.0, 9.0)


def draw_week(result: WeekResult, site: Site, path: Path) -> Path:
    """Draw ``result`` to ``path`` (its ending says the format). Raises ConfigError."""
    # Takes half a second and 50 MB: only who wants a picture pays for it.
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import dates
    from matplotlib import pyplot as plt

    zone = ZoneInfo(site.timezone)
    quarters = result.quarters
    times = [quarter.start.astimezone(zone) for quarter in quarters]
    figure, (price, house, power, charge) = plt.subplots(
        4, 1, figsize=_SIZE_IN, sharex=True, layout="constrained"
    )
    price.step(times, [q.import_price_per_kwh for q in quarters], where="post", label="purchase")
    price.step(times, [q.export_price_per_kwh for q in quarters], where="post", label="feed-in")
    price.set_ylabel(f"{site.currency}/kWh")
    house.fill_between(times, [q.pv_w / 1000 for q in quarters], step="post", alpha=0.4, label="PV")
    house.step(times, [q.load_w / 1000 for q in quarters], where="post", label="load")
    house.set_ylabel("kW")
    power.step(
        times, [q.battery_w / 1000 for q in quarters], where="post", label="battery, + charging"
    )
    power.step(times, [q.grid_w / 1000 for q in quarters], where="post", label="grid, + import")
    power.set_ylabel("kW")
    charge.plot(times, [q.soc_pct for q in quarters], label="state of charge")
    charge.set_ylabel("%")
    charge.set_ylim(0, 100)
    for axes in (price, house, power, charge):
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right", fontsize="small")
        axes.axhline(0, color="black", linewidth=0.5)
    charge.xaxis.set_major_formatter(dates.ConciseDateFormatter(dates.AutoDateLocator(), tz=zone))
    figure.suptitle(
        f"{site.name}: {result.days:g} days, following plans, {result.cost:.2f} {site.currency} "
        f"(without a battery {result.cost_without_battery:.2f})"
    )
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--picture {path}: cannot be drawn: {error}") from error
    finally:
        plt.close(figure)
    return path
