"""``holdfast plan --data`` makes one plan over measured data, everything known in advance."""

import argparse

from holdfast.backtest.data import SiteData, utc_of
from holdfast.backtest.whole_plan import WholePlan, plan_whole
from holdfast.cli.data_arguments import check_soc, left_out, read_measured, site_to_run
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError


def execute(options: argparse.Namespace) -> int:
    """Makes the plan, and tells. Raises DataError, ConfigError, PlanFailed."""
    if options.soc is None:
        raise ConfigError("--data needs --soc PERCENT, what the battery holds at the start")
    check_soc(options.soc)
    site = site_to_run(options.config)
    data = read_measured(options, site).data
    plan = plan_whole(site, data, soc_pct=options.soc, final=options.final)
    missing = left_out(site, loads=False, rooms=True)
    if options.json:
        print_json(_content(options, site, data, plan) | {"left_out": missing})
    else:
        _print(site, data, plan)
        if missing:
            print(missing)
    return 0


def _content(
    options: argparse.Namespace, site: Site, data: SiteData, plan: WholePlan
) -> dict[str, object]:
    return {
        "site": site.name,
        "currency": site.currency,
        "start": data.start,
        "end": data.end,
        "step_s": data.step_s,
        "soc_start_pct": options.soc,
        "final": options.final,
        "status": plan.status,
        "relaxed": plan.relaxed,
        "objective": plan.objective,
        "bound": plan.bound,
        "terms": plan.terms,
        "soc_end_pct": float(plan.soc_pct[-1]),
        "schedule": [
            {
                "time_utc": utc_of(row.start_s),
                "battery_power_w": float(plan.battery_w[index]),
                "grid_power_w": float(plan.grid_w[index]),
                "curtailed_w": float(plan.curtailed_w[index]),
                "soc_pct": float(plan.soc_pct[index]),
                "import_price_per_kwh": row.import_price_per_kwh,
                "export_price_per_kwh": row.export_price_per_kwh,
                "loads_w": {name: float(load_w[index]) for name, load_w in plan.load_w.items()},
            }
            for index, row in enumerate(data.rows)
        ],
    }


def _print(site: Site, data: SiteData, plan: WholePlan) -> None:
    terms = ", ".join(f"{name} {value:.2f}" for name, value in plan.terms.items())
    loads = "".join(
        f"; {name} {float(load_w.sum()) * data.step_s / 3.6e6:.1f} kWh"
        for name, load_w in plan.load_w.items()
    )
    print(
        f"{plan.status} plan for {len(data.rows)} intervals: {plan.objective:.2f} {site.currency} "
        f"({terms}); {plan.soc_pct[-1]:.0f} % at the end{loads}. --json has the schedule."
    )
