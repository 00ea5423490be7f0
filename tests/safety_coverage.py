"""Coverage of the safety path by its own tests, measured while all tests run.

What other tests run of it by the way does not count.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import coverage
import pytest


class SafetyCoverage:
    """Measures in the tests of some folders. What is measured stands in pyproject.toml."""

    def __init__(self, folders: list[str]) -> None:
        self._folders = tuple(folders)
        self._coverage = coverage.Coverage(data_suffix=True)  # each worker has a file of its own
        self._coverage.start()
        for name in self._coverage.get_option("run:source"):
            _import_all(name)
        self._coverage.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if not item.nodeid.startswith(self._folders):
            return (yield)
        self._coverage.start()
        try:
            return (yield)
        finally:
            self._coverage.stop()

    def pytest_sessionfinish(self) -> None:
        self._coverage.save()


def _import_all(name: str) -> None:
    """What is run by an import is run by every test."""
    module = importlib.import_module(name)
    for below in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        _import_all(below.name)
