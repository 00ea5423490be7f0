"""A campaign gives each target its time, in a process of its own, and says what came of it."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARTIFACTS = ("crash-*", "timeout-*", "oom-*", "slow-unit-*")
_TRIED = re.compile(r"^stat::number_of_executed_units: +(\d+)$", re.M)
_NEW = re.compile(r"^stat::new_units_added: +(\d+)$", re.M)
_LAST_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Tells what came of one target."""

    target: str
    tried: int
    """Counts inputs."""
    new: int
    """Counts inputs that reached something new; 0 without atheris, which knows that."""
    found: tuple[Path, ...]
    """Holds the inputs for which something did not hold."""
    told: str
    """Tells what went wrong, or ends what its process said; empty if all is well."""

    @property
    def is_good(self) -> bool:
        """Says whether everything held."""
        return not self.found and not self.told


def has_atheris() -> bool:
    """Says whether atheris is installed; it has no wheel for each processor."""
    return find_spec("atheris") is not None


def run(
    targets: Iterable[str],
    *,
    seconds: float,
    runs: int | None = None,
    folder: Path,
    jobs: int,
    engine: str,
    say: Callable[[Result], None],
) -> list[Result]:
    """Runs ``targets``, so many ``jobs`` at a time, and tells each as it ends.

    With ``runs`` each gets so many inputs at most, and the same ones each time.
    """
    one = partial(_run_one, seconds=seconds, runs=runs, folder=folder, engine=engine)
    with ThreadPoolExecutor(jobs) as pool:
        return [*_told(pool.map(one, targets), say)]


def _told(results: Iterable[Result], say: Callable[[Result], None]) -> Iterator[Result]:
    for result in results:
        say(result)
        yield result


def _run_one(target: str, *, seconds: float, runs: int | None, folder: Path, engine: str) -> Result:
    own = folder / target
    own.mkdir(parents=True, exist_ok=True)
    for old in _artifacts(own):
        old.unlink()
    ended = subprocess.run(
        [sys.executable, "-m", engine, target, f"{seconds:g}", str(runs or 0), str(own)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    (own / "log.txt").write_text(ended.stdout, encoding="utf-8")
    return Result(
        target=target,
        tried=_figure(_TRIED, ended.stdout),
        new=_figure(_NEW, ended.stdout),
        found=tuple(_artifacts(own)),
        told="" if ended.returncode == 0 else _what_went_wrong(ended.stdout),
    )


def _artifacts(folder: Path) -> list[Path]:
    return sorted(path for pattern in ARTIFACTS for path in folder.glob(pattern))


def _figure(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return int(found[1]) if found else 0


def _what_went_wrong(output: str) -> str:
    """Returns the end of the first traceback, or of all that was said."""
    text = output.partition("Traceback (most recent call last)")[2] or output
    return "\n".join(text.partition("==")[0].strip().splitlines()[-_LAST_LINES:])
