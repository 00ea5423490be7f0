"""Runs of several strategies go on beside each other, with a bar for each on standard error."""

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from holdfast.backtest.campaign import Timed, run_all
from holdfast.backtest.run import Job
from holdfast.backtest.strategies import Strategy


def run_shown(
    job: Job, words: Mapping[Strategy, str], *, processes: int, quiet: bool
) -> dict[Strategy, Timed]:
    """Runs ``job`` once with each strategy of ``words``. Raises what a run raises."""
    columns = (TextColumn("{task.description:>28}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        tasks = {strategy: progress.add_task(word, total=1.0) for strategy, word in words.items()}

        def watch(shares: Mapping[Strategy, float]) -> None:
            for strategy, share in shares.items():
                progress.update(tasks[strategy], completed=share)

        return run_all(job, tuple(words), processes=processes, watch=watch)
