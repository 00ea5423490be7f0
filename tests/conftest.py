"""What holds for every test, and what can be asked of all of them together."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck

_SHARED = "HOLDFAST_SHARED_DATA"


@pytest.fixture
def shared_data() -> Path:
    """Recorded documents that are no part of the project; without them who asks is left out."""
    return Path(os.environ[_SHARED])


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with room for folders, and a socket's 100 bytes, below it: that of ``tmp_path`` is
    the longer the more often tests have run here."""
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("holdfast")
    group.addoption(
        "--cover",
        action="append",
        default=[],
        metavar="FOLDER",
        help="measure which part of the safety path is run by the tests in FOLDER (or a file)",
    )
    group.addoption(
        "--first",
        action="append",
        default=[],
        metavar="FOLDER",
        help="begin with the tests in FOLDER (or a file): those that take longest",
    )
    group.addoption("--no-skips", action="store_true", help="fail if a test is skipped")


def pytest_configure(config: pytest.Config) -> None:
    if hypothesis.settings.get_current_profile_name() == "default":
        # A busy computer makes no test wrong.
        hypothesis.settings.register_profile(
            "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        hypothesis.settings.load_profile("patient")
    if config.option.cover and not getattr(config.option, "numprocesses", None):
        from tests.safety_coverage import SafetyCoverage

        config.pluginmanager.register(SafetyCoverage(config.option.cover))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _SHARED not in os.environ:
        with_data = [item for item in items if "shared_data" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=with_data)
        items[:] = [item for item in items if item not in set(with_data)]
    first = tuple(config.option.first)
    items.sort(key=lambda item: not item.nodeid.startswith(first))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if session.config.option.no_skips and skipped and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if terminalreporter.config.option.no_skips and skipped:
        terminalreporter.write_line(f"{len(skipped)} skipped, and none may be", red=True)
