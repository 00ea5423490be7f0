"""The plan report, as whoever shows it finds it."""

from datetime import UTC, datetime

import pytest
from pydantic_core import to_json

from holdfast.client.plan_report import PlanReport, read_report
from holdfast.site.files import SiteFiles

REPORT = PlanReport(utc=datetime(2026, 5, 8, tzinfo=UTC), plan=None, accepted=False, problem="why")


def test_it_is_read_as_it_was_written(tmp_path):
    files = SiteFiles(state_dir=tmp_path)
    assert read_report(files) is None
    files.plan.write_bytes(to_json(REPORT))
    assert read_report(files) == REPORT


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 5000, to_json(REPORT).replace(b"Z", b"")])
def test_what_is_no_report_is_none(tmp_path, content):
    """Nor is one whose time has no zone: nobody could say how old it is."""
    files = SiteFiles(state_dir=tmp_path)
    files.plan.write_bytes(content)
    assert read_report(files) is None
