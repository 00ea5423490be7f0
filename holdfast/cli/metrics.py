"""``holdfast metrics`` lists the metrics, and makes alert rules and dashboards of them."""

import argparse
import json
from collections.abc import Iterator

import yaml

from holdfast.cli.arguments import add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.monitoring.metric_table import METRICS, Shelf, metrics_page
from holdfast.monitoring.prometheus.alert_rules import alerts_page, rule_groups
from holdfast.monitoring.prometheus.dashboards import dashboard

DESCRIPTION = """\
list        every metric, with its labels and its meaning (--markdown: the reference page).
rules       alert rules for Prometheus, one for each row of faults and limits, and some for the site
            (--markdown: what each means, and what to do first).
dashboard   a dashboard for Grafana: --shelf overview, safety, money or processes.

They are the same for every site:
  holdfast metrics rules > holdfast.rules.yml
  holdfast metrics dashboard --shelf safety > safety.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=tuple(_DO))
    parser.add_argument("--markdown", action="store_true", help="list, rules: print the page")
    parser.add_argument(
        "--shelf", choices=[str(shelf) for shelf in Shelf], default=str(Shelf.OVERVIEW)
    )
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints what is asked for."""
    _DO[options.what](options)
    return 0


def _list(options: argparse.Namespace) -> None:
    if options.markdown:
        print(metrics_page(), end="")
    elif options.json:
        print_json(tuple(METRICS.values()))
    else:
        print_columns(_table())


def _table() -> Iterator[tuple[str, ...]]:
    yield "metric", "kind", "labels", "meaning"
    for row in METRICS.values():
        yield row.name, str(row.kind), " ".join(row.labels), row.text


def _rules(options: argparse.Namespace) -> None:
    if options.markdown:
        print("\n".join(alerts_page()), end="")
    elif options.json:
        print_json(rule_groups())
    else:
        print(rules_file(), end="")


def rules_file() -> str:
    """Returns the rules as a file of Prometheus."""
    head = "# Made by `holdfast metrics rules`; do not edit.\n"
    return head + yaml.safe_dump(rule_groups(), sort_keys=False, allow_unicode=True, width=120)


def _dashboard(options: argparse.Namespace) -> None:
    print(dashboard_file(Shelf(options.shelf)), end="")


def dashboard_file(shelf: Shelf) -> str:
    """Returns a dashboard as a file of Grafana."""
    return json.dumps(dashboard(shelf), indent=1, ensure_ascii=False) + "\n"


_DO = {"list": _list, "rules": _rules, "dashboard": _dashboard}
