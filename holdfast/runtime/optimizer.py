"""The optimizer's process: answers one planner, and ends with it."""

import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from holdfast.core.errors import HoldfastError
from holdfast.core.plan import Plan
from holdfast.scheduling.daily_scheduler import DailyScheduler


def serve(connection: "Connection[Any, Any]") -> None:
    """Answer until the planner is gone: first the site, then one question after the other."""
    scheduler = DailyScheduler(connection.recv())
    while True:
        question = connection.recv()
        try:
            answer: Plan | HoldfastError = scheduler.make_plan(**question)
        except HoldfastError as error:
            answer = error
        connection.send(answer)


def main() -> int:
    """Entry point; the argument is the number of the connection's file descriptor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the planner
    with Connection(int(sys.argv[1])) as connection, suppress(EOFError, OSError):
        serve(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main())
