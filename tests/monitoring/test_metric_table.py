"""The table has every metric, the page shows it, and a collector cannot make another one."""

import json
from pathlib import Path

import pytest

from holdfast.cli.main import main
from holdfast.monitoring.metric_table import METRICS, counter, gauge, metrics_page
from holdfast.monitoring.quantities.quantity import METRIC_UNITS
from tests.cli.json_outputs import OUTPUTS, complaints, shape

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_is_what_the_table_says() -> None:
    told = "run: holdfast metrics list --markdown > docs/metrics.md"
    assert PAGE.read_text("utf-8") == metrics_page(), told


def test_what_is_not_in_the_table_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        gauge("holdfast_nothing")
    with pytest.raises(AssertionError, match="is a gauge"):
        counter("holdfast_up")
    with pytest.raises(AssertionError, match="has labels"):
        gauge("holdfast_state", 1.0)


def test_names_end_with_their_unit() -> None:
    units = {"s": ("seconds",), "watt": ("watts",), "bytes": ("bytes",), "joule": ("joules",)}
    for row in METRICS.values():
        if row.unit in units:
            assert row.name.endswith(units[row.unit]), row.name
    assert "celsius" in METRIC_UNITS.values()


def test_the_list_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "list"]) == 0
    assert "holdfast_limit_margin" in capsys.readouterr().out
    assert main(["metrics", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["metrics list"]), found)) == []
