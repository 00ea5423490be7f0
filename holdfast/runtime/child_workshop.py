"""Learning has processes of its own: scikit-learn and pvlib never enter the planner.

A child does one order and ends: its memory is free again, and if it hangs or dies, the planner
goes on with what it has.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from holdfast.core.errors import HoldfastError
from holdfast.forecasting.array_file import ArrayFile
from holdfast.forecasting.workshop import can_do, do_work
from holdfast.runtime.child import Child, ChildFailed

_log = logging.getLogger(__name__)

LONGEST_S = 600.0
_NICE = 15
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


class ChildWorkshop:
    """Does each order in a child process."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._told: set[str] = set()

    def submit(self, name: str, kind: str, job: ArrayFile) -> bool:
        """Does as :class:`~holdfast.forecasting.workshop.Workshop` says."""
        if name in self._orders or not can_do(kind, self._told):
            return False
        order = _Order(kind, job)
        try:
            order.begin()
        except ChildFailed as error:
            _log.error("%s: the work cannot be done: %s", name, error)
            return False
        self._orders[name] = order
        return True

    def collect(self, name: str) -> ArrayFile | None:
        """Does as :class:`~holdfast.forecasting.workshop.Workshop` says."""
        order = self._orders.get(name)
        if order is None or order.is_alive():
            return None
        del self._orders[name]
        if order.answer is None:
            _log.error("%s: the work gave no answer: %s", name, order.problem)
        return order.answer

    def close(self) -> None:
        """Ends every child."""
        for order in self._orders.values():
            order.end()
        self._orders.clear()


class _Order(threading.Thread):
    """Waits for one child, so that the planner does not."""

    def __init__(self, kind: str, job: ArrayFile) -> None:
        super().__init__(name=f"order of {kind}", daemon=True)
        self.child: Child[ArrayFile, ArrayFile] = Child(
            kind, partial(_hand, kind), timeout_s=LONGEST_S, environment=_ENVIRONMENT
        )
        self._job = job
        self.answer: ArrayFile | None = None
        self.problem = ""

    def begin(self) -> None:
        """Starts the child and waits for it. Raises ChildFailed if it cannot be started."""
        self.child.start()
        self.start()

    def run(self) -> None:
        """Asks the child; its own thread calls this."""
        with self.child:
            try:
                self.answer = self.child.ask(self._job)
            except HoldfastError as error:
                self.problem = str(error)

    def end(self) -> None:
        """Ends the child, whatever it does."""
        self.child.kill()
        self.join()


def _hand(kind: str) -> Callable[[ArrayFile], ArrayFile]:
    with suppress(OSError):
        os.nice(_NICE)
    return partial(do_work, kind)
