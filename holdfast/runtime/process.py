"""This module holds what the processes have in common: arguments, logging, signals."""

import argparse
import logging
import logging.handlers
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.runtime.realtime import end_with_parent
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import make_memory_folder
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import hold_lock

LOG_BYTES, LOG_FILES = 1_000_000, 3


def run_process(
    name: str, text: str, body: Callable[[Site, SiteFiles, Path, threading.Event], None]
) -> int:
    """Runs ``body`` until it returns; it gets the site, its files, where its site.yaml is, and an
    event that SIGTERM and SIGINT set.

    Gives the exit code of the process: 2 if it could not start.
    """
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    try:
        site, files, config = open_site(name, text)
        with hold_lock(files, name):
            body(site, files, config, end)
    except (HoldfastError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor shows it
        return 2
    return 0


def open_site(name: str, text: str) -> tuple[Site, SiteFiles, Path]:
    """Reads the arguments of a process, its site, its files and where its site.yaml is; starts
    logging.

    Raises ConfigError.
    """
    parser = argparse.ArgumentParser(prog=f"python -m holdfast.runtime.{name}", description=text)
    parser.add_argument("--config", type=Path, required=True, help="the site.yaml")
    parser.add_argument(
        "--supervised", type=int, metavar="PID", help="end when this process, our parent, ends"
    )
    options = parser.parse_args()
    if options.supervised is not None:
        end_with_parent(options.supervised)
    site = load_site(options.config)
    files = SiteFiles.of(site)
    files.create()
    make_memory_folder(files.state_dir)
    _start_logging(files.logs / f"{name}.log")
    return site, files, options.config.absolute()


def _start_logging(path: Path) -> None:
    """Logs to a file of bounded size, through a queue: a slow disk holds up nobody."""
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    logging.handlers.QueueListener(records, handler, respect_handler_level=True).start()
    root = logging.getLogger()
    root.addHandler(logging.handlers.QueueHandler(records))
    root.setLevel(logging.INFO)
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.WARNING)
