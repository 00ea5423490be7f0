"""The history of a site is written by two threads of the gateway: one looks once a second, and
never waits for the other, which writes to the disk."""

import logging
import os
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

from holdfast.client.plan_report import read_report
from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.monitoring.history.minute_book import MinuteBook
from holdfast.monitoring.history.packed_plan import pack_plan
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.state import encode_history_state
from holdfast.monitoring.status.schema import Status
from holdfast.runtime.history_keeper import HistoryKeeper
from holdfast.runtime.known_prices import KnownPrices
from holdfast.runtime.savings_desk import SavingsDesk
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordWriter

_log = logging.getLogger(__name__)

NEWEST_S = 1.5
"""A status that is older is of a controller that has ended, or hangs."""
_PHASE_S = 0.5
"""It looks in the middle of each second, so that each second is seen once."""
_WORK_EVERY_S = 1.0
MINUTES_AT_ONCE = 10
"""So many minutes are one transaction: one for each would write several times as much."""
LAST_MINUTE_S = 5.0
"""So long whoever ends waits for the last minute to be on the disk."""
_NICE = 10
_PLAN_COMES_S = 60
"""So long after a plan its report is looked for: the planner writes it once it was accepted."""


class HistoryWriter:
    """Writes the history of ``site`` until it is told to end."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        who = f"{socket.gethostname()}:{files.state_dir.absolute()}"
        self._place = lambda: HistoryPlace.of(site.history, files.history_db, os.environ)
        self.keeper = HistoryKeeper(
            self._place,
            site.history,
            who=who,
            currency=site.currency,
        )
        self._files = files
        self._book = MinuteBook(site.unit_names)
        self._status = StatusReader(files)
        self._prices = KnownPrices(site, files)
        self._savings = SavingsDesk(site, self._place)
        self._sampled = threading.Event()
        self._threads: tuple[threading.Thread, ...] = ()

    def start(self, end: threading.Event) -> None:
        """Writes until ``end`` is set; :meth:`join` waits for the last minute."""
        self._threads = (
            threading.Thread(target=self._sample, args=(end,), name="history", daemon=True),
            threading.Thread(target=self._keep, name="history-disk", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float) -> None:
        """Waits so long, in s, at most, until the last minute is on the disk."""
        deadline_s = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline_s - time.monotonic(), 0.0))

    def look(self) -> None:
        """Takes in what the controller says now; hands over the minute before if it is over."""
        found = self._status.latest()
        if found is None or found[1] > NEWEST_S:
            minute = self._book.idle(int(time.time()))
        else:
            minute = self._book.take(found[0], self._prices.at(found[0].utc))
            self._add_plan(found[0])
        if minute is not None:
            self.keeper.put(minute)

    def _add_plan(self, status: Status) -> None:
        """Adds what stands in the plan that was accepted, once the planner has told of it."""
        spell, now_s = self._book.spells.plan, status.utc.timestamp()
        if spell is None or spell.plan is not None or now_s - spell.start_s > _PLAN_COMES_S:
            return
        report = read_report(self._files)
        if report is not None and report.plan is not None and report.plan.plan_id == spell.name:
            self._book.spells.hand_over(pack_plan(report.plan))

    def _sample(self, end: threading.Event) -> None:
        try:
            self._look_each_second(end)
        finally:  # without samples the keeper ends, and its state grows old, which is seen
            self._sampled.set()

    def _look_each_second(self, end: threading.Event) -> None:
        last_s = time.monotonic()
        while not end.wait(1.0 - (time.time() + _PHASE_S) % 1.0):
            now_s = time.monotonic()
            # Where the computer was too busy to look, somebody could have.
            self.keeper.lose(max(round(now_s - last_s) - 1, 0))
            last_s = now_s
            self.look()
        minute = self._book.close()
        if minute is not None:
            self.keeper.put(minute)

    def _keep(self) -> None:
        # On Linux a thread has a priority of its own: who serves a stop comes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        with RecordWriter(self._files.history_state) as told:
            is_last = False
            while not is_last:
                is_last = self._sampled.wait(_WORK_EVERY_S)
                self._prices.refresh(datetime.now(UTC))
                self.keeper.work(1 if is_last else MINUTES_AT_ONCE)
                state = replace(self.keeper.state(), savings=self._savings.latest())
                told.publish(encode_history_state(state))
        self.keeper.close()
