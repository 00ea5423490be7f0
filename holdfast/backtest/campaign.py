"""A backtest has runs, each in a process of its own."""

import gc
import multiprocessing
import resource
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import SynchronizedArray

from holdfast.backtest.run import Job, Run, RunResult
from holdfast.backtest.strategies import Strategy

_LOOK_EVERY_S = 0.2

Watch = Callable[[Mapping[Strategy, float]], None]
"""It gets the share that each run has done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Holds a run's result, and what it took."""

    result: RunResult
    wall_s: float
    cpu_s: float
    rss_mb: float
    """It is the most memory that its process used until then."""


_progress: "SynchronizedArray[float] | None" = None


def _share_progress(shared: "SynchronizedArray[float]") -> None:
    global _progress
    _progress = shared


def run_timed(job: Job, progress: Callable[[float], None] = lambda _: None) -> Timed:
    """Runs one job in this process. Raises HoldfastError."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run = Run(job)
    gc.freeze()  # or the collector would look at a year of rows again and again
    try:
        result = run.run(progress)
    finally:
        gc.unfreeze()
    return Timed(
        result=result,
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    )


def _run(index: int, job: Job) -> Timed:
    def tell(share: float) -> None:
        if _progress is not None:
            _progress[index] = share

    return run_timed(job, tell)


def run_all(
    job: Job, strategies: tuple[Strategy, ...], *, processes: int, watch: Watch = lambda _: None
) -> dict[Strategy, Timed]:
    """Runs ``job`` once with each of ``strategies``. Raises what a run raises."""
    jobs = [replace(job, strategy=strategy) for strategy in strategies]
    context = multiprocessing.get_context("spawn")
    shared = context.Array("d", len(jobs))
    # One task a process: what it has used at most is then told of that run alone.
    with ProcessPoolExecutor(
        min(processes, len(jobs)),
        mp_context=context,
        initializer=_share_progress,
        initargs=(shared,),
        max_tasks_per_child=1,
    ) as pool:
        futures = {one.strategy: pool.submit(_run, i, one) for i, one in enumerate(jobs)}
        _watch(futures, shared, watch)
        return {strategy: future.result() for strategy, future in futures.items()}


def _watch(
    futures: Mapping[Strategy, Future[Timed]], shared: "SynchronizedArray[float]", watch: Watch
) -> None:
    while not all(future.done() for future in futures.values()):
        watch({strategy: shared[index] for index, strategy in enumerate(futures)})
        time.sleep(_LOOK_EVERY_S)
    watch(dict.fromkeys(futures, 1.0))
