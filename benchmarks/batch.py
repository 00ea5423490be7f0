"""What a batch of plans costs: plans a minute on one core, and the memory of its process.

Each site has a folder with a house's history of its own, the sample prices, and one of several
batteries and tariffs. "answers" are questions at hand to plans, as a fleet's planner would make
them; "command" is ``holdfast plan --batch`` in a process of its own, which reads each site and
its history, chooses its forecast, and writes the plan.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import yaml

from benchmarks.report import CannotRun, Report, at_least, at_least_one, at_most, new_parser, run
from holdfast.core.plan import PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.forecasting.history import PowerHistory
from holdfast.runtime.site_folder import folders_in
from holdfast.scheduling.batch_planner import AskedOfSite, BatchPlanner
from holdfast.simulation.demo_site import demo_content, demo_prices, sample_prices_text
from holdfast.simulation.plant.household import Household
from holdfast.simulation.sample_prices import FIRST_START_UTC

ANSWERS_A_MINUTE, MEMORY_MB = 1000.0, 256.0
_AT = FIRST_START_UTC + timedelta(hours=15)
_HISTORY = timedelta(days=28)
_CAPACITIES_WH = (5_120, 10_240, 15_360, 20_480)
_WEARS_PER_KWH = (0.0, 0.02, 0.05)


def _lay(path: Path, sites: int) -> None:
    """Lays a folder for each site into ``path``."""
    prices = sample_prices_text()
    for number in range(sites):
        folder = path / f"site-{number:04}"
        (folder / "state").mkdir(parents=True)
        (folder / "prices.xml").write_text(prices, encoding="utf-8")
        content = demo_content(folder) | {"prices": demo_prices("prices.xml")}
        content["storage"][0]["battery"]["capacity_wh"] = _CAPACITIES_WH[number % 4]
        content["planner"] = {"wear_cost_per_kwh": _WEARS_PER_KWH[number % 3]}
        (folder / "site.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (folder / "soc_pct.txt").write_text(f"{20 + 7 * number % 60}", encoding="utf-8")
        (folder / "state" / "history.packed").write_bytes(_past(number).to_bytes())


def _past(seed: int) -> PowerHistory:
    history, house = PowerHistory(), Household(seed=seed)
    for index in range(_HISTORY // QUARTER):
        utc = _AT - _HISTORY + index * QUARTER
        pv_w, load_w = house.power_w(utc.timestamp())
        history.add(utc, load_w, pv_w)
    return history


def _on_one_forecast(asked: AskedOfSite) -> AskedOfSite:
    """The same as with ``planner.scenario_days: 0``."""
    forecast = replace(asked.question.forecast, paths=None)
    return replace(asked, question=replace(asked.question, forecast=forecast))


def _answers_a_minute(asked: Sequence[AskedOfSite], rounds: int) -> float:
    """Plans a minute of processor time, questions at hand, after a first round."""
    planner = BatchPlanner()
    for answer in planner.answers(asked):
        if answer.plan is None or answer.plan.status is not PlanStatus.OPTIMAL:
            raise CannotRun(f"a site was not planned for: {answer}")
    began_s = time.process_time()
    for _ in range(rounds):
        for _ in planner.answers(asked):
            pass
    return rounds * len(asked) / (time.process_time() - began_s) * 60.0


def _command(path: Path) -> tuple[float, float]:
    """Sites a minute of processor time, and the most memory of the process, in MB."""
    words = [sys.executable, "-m", "holdfast.cli.main", "plan", "--batch", str(path), "--json"]
    process = subprocess.Popen([*words, "--at", _AT.isoformat()], stdout=subprocess.PIPE)
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CannotRun(f"{told['failed']} sites were not planned for")
    return told["planned"] / (used.ru_utime + used.ru_stime) * 60.0, used.ru_maxrss * 1024 / 1e6


def measure(options: argparse.Namespace) -> Report:
    """Lays the sites, and plans for them."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        _lay(path, options.sites)
        asked = [folder.ask(_AT, None) for folder in folders_in(path)]
        answers = _answers_a_minute(asked, options.rounds)
        plain = _answers_a_minute([_on_one_forecast(each) for each in asked], options.rounds)
        sites, memory_mb = _command(path)
    return Report(
        settings={"sites": options.sites, "rounds": options.rounds},
        results={
            "answers, plans a minute": answers,
            "answers on one forecast, plans a minute": plain,
            "command, sites a minute": sites,
            "command, memory, MB": memory_mb,
        },
        unit="a minute of one core",
        budgets=[
            at_least("plans of a batch", "a minute", ANSWERS_A_MINUTE, answers),
            at_most("memory of a batch", "MB", MEMORY_MB, memory_mb),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("batch", "Plans for many sites in one process, on one core.")
    parser.add_argument("--sites", type=at_least_one, default=50, help="so many sites")
    parser.add_argument("--rounds", type=at_least_one, default=4, help="plan so often for each")
    options = parser.parse_args(arguments)
    return run("batch", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
