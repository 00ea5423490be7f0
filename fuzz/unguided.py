"""One target without atheris: good inputs are changed at random, in a process of its own.

``python -m fuzz.unguided TARGET SECONDS RUNS FOLDER``, as :mod:`fuzz.guided`.
"""

import hashlib
import logging
import signal
import sys
import time
import traceback
from pathlib import Path
from random import Random
from types import FrameType
from typing import NoReturn

from fuzz.mutation import mutated
from fuzz.table import TARGETS
from fuzz.target import Target

_HANGS_S = 30
_FOUND = 77
"""The exit status of atheris, too."""


class Hangs(Exception):
    """An input takes too long."""


def main(name: str, seconds: str, runs: str, folder: str) -> int:
    """Tries inputs until the time is over, or one is found."""
    logging.disable(logging.CRITICAL)  # each bad file would be told of
    signal.signal(signal.SIGALRM, _hangs)
    target = TARGETS[name]
    executions = 0
    try:
        end_s = time.monotonic() + float(seconds)
        executions = _try_all(target, end_s, int(runs) or None, Path(folder))
    except _Found:
        return _FOUND
    print(f"stat::number_of_executed_units: {executions}")
    return 0


class _Found(Exception):
    """An input was found, saved and told."""


def _try_all(target: Target, end_s: float, runs: int | None, folder: Path) -> int:
    """Tries at least every seed; returns how many inputs it tried."""
    random, seeds = Random(runs and 1), list(target.seeds())
    for seed in seeds:
        _try(target, seed, folder)
    tried = len(seeds)
    while time.monotonic() < end_s and (runs is None or tried < runs):
        _try(target, mutated(random.choice(seeds), random, target.longest), folder)
        tried += 1
    return tried


def _try(target: Target, data: bytes, folder: Path) -> None:
    signal.alarm(_HANGS_S)
    try:
        target.run(data)
    except Exception as error:
        signal.alarm(0)
        _keep(data, folder, "timeout" if isinstance(error, Hangs) else "crash")
        traceback.print_exc()
        raise _Found from error
    finally:
        signal.alarm(0)


def _keep(data: bytes, folder: Path, kind: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    (folder / f"{kind}-{digest}").write_bytes(data)


def _hangs(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Hangs(f"it takes more than {_HANGS_S} s")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
