"""Real time on Linux needs SCHED_FIFO, locked memory, a frozen collector, absolute deadlines."""

import ctypes
import gc
import logging
import os
import signal
import struct
import time

from holdfast.core.units import NS_PER_S

_log = logging.getLogger(__name__)
_libc = ctypes.CDLL(None, use_errno=True)

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PR_SET_PDEATHSIG = 1
_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK, _TFD_CLOEXEC = os.O_NONBLOCK, os.O_CLOEXEC
_TFD_TIMER_ABSTIME = 1


def enter_real_time(priority: int) -> bool:
    """Locks memory and asks for SCHED_FIFO; True if both were granted.

    Without the right to do so the site runs all the same, with less even timing.
    """
    granted = True
    # On fault only: locking every page of every thread's stack would take 100 MB and more.
    if _libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) != 0:
        _log.warning("memory is not locked: %s", os.strerror(ctypes.get_errno()))
        granted = False
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        _log.warning("no SCHED_FIFO: %s", error)
        granted = False
    return granted


def end_with_parent(parent: int) -> None:
    """Has this process get SIGTERM when ``parent``, which started it, ends, however it ends.

    Raises SystemExit if it has ended already.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM) != 0:
        _log.warning("this process may outlive its supervisor: %s", os.strerror(ctypes.get_errno()))
    if os.getppid() != parent:
        raise SystemExit(1)


def freeze_collector() -> None:
    """Takes everything that was made so far out of the collector's sight, and stops it.

    From here on :func:`collect_young` is called where there is time for it.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def collect_young() -> None:
    """Collects what was made since the start."""
    gc.collect(1)


class PeriodicTimer:
    """Keeps absolute deadlines: ``start + n x period``, never drifting.

    ``fileno()`` becomes readable at each deadline, so an event loop can wait for it with the
    kernel's precision; its own timers round up to whole milliseconds.
    """

    def __init__(self, period_ns: int) -> None:
        self.period_ns = period_ns
        self.deadline_ns = time.monotonic_ns() + period_ns
        """Tells the deadline that comes next, or that has just passed and was not read yet."""
        self._fd = _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        spec = struct.pack(
            "@llll", *divmod(period_ns, NS_PER_S), *divmod(self.deadline_ns, NS_PER_S)
        )
        if _libc.timerfd_settime(self._fd, _TFD_TIMER_ABSTIME, spec, None) != 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def fileno(self) -> int:
        """Returns the descriptor to wait on."""
        return int(self._fd)

    def expire(self) -> tuple[int, int]:
        """Once readable, returns the deadline that passed last, in ns, and how many were missed.

        Raises BlockingIOError if none has passed.
        """
        expirations = int.from_bytes(os.read(self._fd, 8), "little")
        passed_ns = self.deadline_ns + (expirations - 1) * self.period_ns
        self.deadline_ns = passed_ns + self.period_ns
        return passed_ns, expirations - 1

    def close(self) -> None:
        """Stops."""
        os.close(self._fd)
