"""The workshop does heavy work that forecasts need now and then: training, and PV from weather.

It wants scikit-learn and pvlib, which are imported where the work is done.
"""

import logging
from collections.abc import Callable
from importlib.util import find_spec
from typing import Protocol

from holdfast.forecasting.array_file import ArrayFile

_log = logging.getLogger(__name__)

NEEDS = {"forest": "sklearn", "pv": "pvlib"}
"""Each kind of work has a library that it cannot do without."""
MISSING = "pip install 'holdfast[forecast]' brings what forecasts learn with: {name} is missing"


class Workshop(Protocol):
    """Takes orders and, later, gives answers; at most one order of a name at a time."""

    def submit(self, name: str, kind: str, job: ArrayFile) -> bool:
        """Begins the work; False if it cannot be done, or is being done already."""
        ...

    def collect(self, name: str) -> ArrayFile | None:
        """Returns the answer, once; None while there is none."""
        ...


def missing_library(kind: str) -> str | None:
    """Tells what to install so that work of this kind can be done; None if all is there."""
    name = NEEDS[kind]
    return None if find_spec(name) is not None else MISSING.format(name=name)


def can_do(kind: str, told: set[str]) -> bool:
    """Says whether its library is there; one that is missing is logged once for each ``told``."""
    missing = missing_library(kind)
    if missing is not None and missing not in told:
        told.add(missing)
        _log.warning("%s", missing)
    return missing is None


def do_work(kind: str, job: ArrayFile) -> ArrayFile:
    """Does an order, here and now."""
    from holdfast.forecasting.pv_model import pv_work
    from holdfast.forecasting.training import forest_work

    works: dict[str, Callable[[ArrayFile], ArrayFile]] = {"forest": forest_work, "pv": pv_work}
    return works[kind](job)


class Bench:
    """The bench does the work at once, in this process; it is for evaluations."""

    def __init__(self) -> None:
        self._done: dict[str, ArrayFile] = {}
        self._told: set[str] = set()

    def submit(self, name: str, kind: str, job: ArrayFile) -> bool:
        """Does the work at once; else as :class:`Workshop`."""
        if not can_do(kind, self._told):
            return False
        self._done[name] = do_work(kind, job)
        return True

    def collect(self, name: str) -> ArrayFile | None:
        """Returns the answer as :class:`Workshop` does."""
        return self._done.pop(name, None)
