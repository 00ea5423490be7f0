"""Runs that know nothing of each other go on side by side, each in a process of its own."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


def side_by_side(
    function: Callable[[_Job], _Result], jobs: Sequence[_Job], *, processes: int
) -> Iterator[_Result]:
    """Yields what comes of ``jobs``, in their order, as it comes. Raises what a run raises."""
    if processes == 1 or len(jobs) == 1:
        yield from map(function, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), mp_context=context) as pool:
        yield from pool.map(function, jobs)
