"""Each panel of each dashboard shows something: its query is run on a real Prometheus."""

import json
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.metrics import dashboard_file
from holdfast.monitoring.metric_table import METRICS, Shelf
from holdfast.monitoring.prometheus.dashboards import RATE, dashboard, panels
from holdfast.simulation.net import free_port
from holdfast.testing.waiting import until
from tests.monitoring.prometheus.rich_site import gateway_of_rich_site

ROOT = Path(__file__).parents[3]
Query = Callable[[str], list[Any]]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Query]:
    """A Prometheus that asks a gateway each second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    with gateway_of_rich_site(folder / "state") as address:
        config = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": "holdfast", "static_configs": [{"targets": [address]}]}
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        port = free_port()
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    program,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                    f"--storage.tsdb.path={folder / 'data'}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            yield lambda expr: _asked(port, expr)
        finally:
            process.terminate()
            process.wait(10)


def _asked(port: int, expr: str) -> list[Any]:
    query = urllib.parse.urlencode({"query": expr})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}") as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it has only just started
            error.close()
            return []
        with error:
            raise AssertionError(f"{expr}: {error.read().decode()}") from None
    except OSError:
        return []
    return found


def _as_grafana_asks(expr: str) -> str:
    return expr.replace(RATE, "1m").replace("$instance", ".*")


@pytest.mark.parametrize("shelf", Shelf)
def test_every_panel_has_data(prometheus: Query, shelf: Shelf) -> None:
    # A rate needs two samples of what is counted.
    until(lambda: prometheus("rate(holdfast_cycles_total[1m]) > 0"), "a few samples", 60.0)
    empty = []
    for panel in panels(shelf):
        found = prometheus(_as_grafana_asks(panel.expr))
        if not found or any(one["value"][1] == "NaN" for one in found):
            empty.append((panel.title, panel.expr, found))
    assert empty == []


def test_every_metric_has_a_panel_on_its_shelf() -> None:
    for row in METRICS.values():
        assert any(f"{row.sample}{{" in panel.expr for panel in panels(row.shelf)), row.name


@pytest.mark.parametrize("shelf", Shelf)
def test_the_file_is_what_the_tables_say(shelf: Shelf) -> None:
    path = ROOT / "docs" / "grafana" / f"{shelf}.json"
    assert path.read_text("utf-8") == dashboard_file(shelf), (
        f"run: holdfast metrics dashboard --shelf {shelf} > {path}"
    )


@pytest.mark.parametrize("shelf", Shelf)
def test_panels_lie_beside_each_other_and_differ(shelf: Shelf) -> None:
    drawn: Any = dashboard(shelf)["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in drawn]
    assert len(set(places)) == len(drawn)
    assert len({panel["id"] for panel in drawn}) == len(drawn)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in drawn)


def test_each_dashboard_has_an_id_of_its_own() -> None:
    assert len({str(dashboard(shelf)["uid"]) for shelf in Shelf}) == len(Shelf)
