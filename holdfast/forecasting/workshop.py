"""Heavy work in a process of its own: scikit-learn and pvlib never enter the planner.

The child reads an order from a file, writes its answer to another, and ends: its memory is
free again, and if it hangs or dies, the planner goes on with what it has.
"""

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from holdfast.forecasting.packed import Packed

_log = logging.getLogger(__name__)

NEEDS = {"forest": "sklearn", "pv": "pvlib"}
"""Kinds of work, and the library that each cannot do without."""
MISSING = "pip install 'holdfast[forecast]' brings what forecasts learn with: {name} is missing"
LONGEST_S = 600.0
_NICE = 15
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Workshop(Protocol):
    """Takes orders and, later, gives answers; at most one order of a name at a time."""

    def submit(self, name: str, kind: str, job: Packed) -> bool:
        """Begin the work; False if it cannot be done, or is being done already."""
        ...

    def collect(self, name: str) -> Packed | None:
        """The answer, once; None while there is none."""
        ...


def missing_library(kind: str) -> str | None:
    """What to install so that work of this kind can be done; None if all is there."""
    name = NEEDS[kind]
    return None if find_spec(name) is not None else MISSING.format(name=name)


def _can_do(kind: str, told: set[str]) -> bool:
    """False if a library is missing, which is logged once for all that share ``told``."""
    missing = missing_library(kind)
    if missing is not None and missing not in told:
        told.add(missing)
        _log.warning("%s", missing)
    return missing is None


def do_work(kind: str, job: Packed) -> Packed:
    """Do an order, here and now."""
    from holdfast.forecasting.pv_model import pv_work
    from holdfast.forecasting.training import forest_work

    works: dict[str, Callable[[Packed], Packed]] = {"forest": forest_work, "pv": pv_work}
    return works[kind](job)


class Bench:
    """A workshop that does the work at once, in this process; for evaluations."""

    def __init__(self) -> None:
        self._done: dict[str, Packed] = {}
        self._told: set[str] = set()

    def submit(self, name: str, kind: str, job: Packed) -> bool:
        """As :class:`Workshop`."""
        if not _can_do(kind, self._told):
            return False
        self._done[name] = do_work(kind, job)
        return True

    def collect(self, name: str) -> Packed | None:
        """As :class:`Workshop`."""
        return self._done.pop(name, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    process: subprocess.Popen[bytes]
    folder: tempfile.TemporaryDirectory[str]
    until_s: float


class ChildWorkshop:
    """A workshop that does each order in a child process."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._told: set[str] = set()

    def submit(self, name: str, kind: str, job: Packed) -> bool:
        """As :class:`Workshop`."""
        if not _can_do(kind, self._told) or name in self._orders:
            return False
        folder = tempfile.TemporaryDirectory(prefix="holdfast-")
        try:
            (Path(folder.name) / "order").write_bytes(job.to_bytes())
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    "holdfast.forecasting.workshop",
                    kind,
                    folder.name,
                ],
                env=os.environ | dict.fromkeys(_THREADS, "1"),
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            folder.cleanup()
            _log.error("%s: the work cannot begin: %s", name, error)
            return False
        self._orders[name] = _Order(
            process=process, folder=folder, until_s=time.monotonic() + LONGEST_S
        )
        return True

    def collect(self, name: str) -> Packed | None:
        """As :class:`Workshop`; a child that takes too long is ended."""
        order = self._orders.get(name)
        if order is None:
            return None
        if order.process.poll() is None:
            if time.monotonic() < order.until_s:
                return None
            order.process.kill()
            order.process.wait()
        del self._orders[name]
        with order.folder as folder:
            try:
                return Packed.from_bytes((Path(folder) / "answer").read_bytes())
            except (OSError, ValueError) as error:
                _log.error("%s: the work gave no answer: %s", name, error)
                return None

    def close(self) -> None:
        """End every child."""
        for order in self._orders.values():
            order.process.kill()
            order.process.wait()
            order.folder.cleanup()
        self._orders.clear()


def main(arguments: list[str]) -> int:
    """Entry point of the child: a kind of work, and the folder of the order."""
    kind, folder = arguments[0], Path(arguments[1])
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    answer = do_work(kind, Packed.from_bytes((folder / "order").read_bytes()))
    unfinished = folder / "answer.new"
    unfinished.write_bytes(answer.to_bytes())
    unfinished.replace(folder / "answer")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
