"""What pages show is typed by readers: each fenced ``holdfast`` line, in the order of its page.

A line may say in its comment which code it ends with (``# ...; exits with 1``). In a block whose
commands begin with ``$`` stand, below each, lines that it prints; ``…`` in them is anything.
"""

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

_HARDWARE = "asks a device that is not here"
_PERSON = "asks a person for a word"

_CAMPAIGN = "takes minutes and more; tests/cli/test_hil_command.py runs a part of it"

_REPORT = "holdfast incident-report --since 2026-12-01T08:00"
_REPORTED = "holdfast incident-report --since 2026-11-01T08:00"
_BACKUP = "names a file that is not there; tests/deployment/backup does"
_VERSIONS = "goes back in a past that a new site has not; tests/cli/test_config_command.py does"
_UPDATE = "wants an installation and a publisher; tests/deployment/update does"

NOT_RUN: Mapping[str, str] = {
    "holdfast run --demo": "runs until somebody ends it, and is what runs beside these commands",
    "holdfast devices scan 192.168.1.5": _HARDWARE,
    "holdfast devices read --table foxess_h3 --host 192.168.1.5 --id 247": _HARDWARE,
    "holdfast check --connect --config /var/lib/holdfast/home/site.yaml": _HARDWARE,
    "holdfast devices prove --config site.yaml": f"{_PERSON}; tests/cli/test_device_proof.py does",
    "holdfast rules learn --history year.csv --config site.yaml": (
        "wants weeks of data, and takes minutes: tests/cli/test_rules_command.py does"
    ),
    "holdfast hil run --report campaign.html": _CAMPAIGN,
    "holdfast hil run --suite layers": _CAMPAIGN,
    "holdfast hil run --suite quiet --days 30": _CAMPAIGN,
    "holdfast hil soak --days 30 --seed 1 --report soak.html": _CAMPAIGN,
    "holdfast hil soak --days 30 --seed 1 --only 17": _CAMPAIGN,
    "holdfast hil soak --days 30 --seed 1 --without limit_monitor": _CAMPAIGN,
    "holdfast restore FILE --verify": _BACKUP,
    "holdfast restore FILE --into FOLDER": _BACKUP,
    "holdfast check --config FOLDER/site.yaml": _BACKUP,
    "holdfast config show 4": _VERSIONS,
    "holdfast config diff 4": _VERSIONS,
    "holdfast config rollback 4": _VERSIONS,
    "holdfast update --from https://releases.example.org --check": _UPDATE,
    "holdfast update --from https://releases.example.org": _UPDATE,
    "holdfast update --from /media/stick --when-idle": _UPDATE,
    "holdfast update --status": _UPDATE,
    "holdfast update --back": _UPDATE,
    **dict.fromkeys(
        (
            "holdfast replay FILE",
            "holdfast replay FILE --show",
            "holdfast replay FILE --what-if cell_voltage_high.trip=3.6",
        ),
        "names a file that is not there; tests/cli/test_replay_command.py does",
    ),
    "holdfast notices test": "has nobody to tell there; tests/cli/test_notices_command.py does",
    "holdfast devices prove --show": "shows what the command above has found",
}
"""These are only understood (tests/test_docs.py), each with the reason."""

RUN = "holdfast run"
"""A site that runs already stands for the reader's own: it is taken to IDLE, where one begins."""

INSTEAD: Mapping[str, str] = {
    "holdfast backup --to /media/stick": "holdfast backup --to .",
    "holdfast backup --to /media/stick --keep 14": "holdfast backup --to .. --keep 14",
    f"{_REPORT} --aware 2026-12-01T09:30": _REPORTED,
    f"{_REPORT} --aware 2026-12-01T09:30 --kind notification": f"{_REPORTED} --kind notification",
    f"{_REPORT} --kind final --about vulnerability": (
        f"{_REPORTED} --kind final --about vulnerability"
    ),
    "holdfast simulate --days 7": "holdfast simulate --days 0.01 --step 2",
    "holdfast simulate --days 1": "holdfast simulate --days 0.01 --step 2",
    "holdfast backtest --data year.csv --report year.html": (
        "holdfast backtest --data year.csv --days 0.05 --plan-every 30 --report year.html"
    ),
    "holdfast backtest --data year.csv --config site.yaml --report year.html "
    "--schedule year-done.csv": (
        "holdfast backtest --data year.csv --days 0.05 --plan-every 30 --config site.yaml "
        "--report year.html --schedule year-done.csv"
    ),
    "holdfast backtest --data year.csv --config site.yaml --strategy optimizer "
    "--strategy one_forecast --strategy perfect": (
        "holdfast backtest --data year.csv --days 0.05 --plan-every 30 --config site.yaml "
        "--strategy optimizer --strategy one_forecast --strategy perfect"
    ),
    "holdfast rules test rules.yaml --history year.csv --config site.yaml": (
        "holdfast rules test rules.yaml --history year.csv --config site.yaml --days 0.25"
    ),
    "holdfast backtest --strategy all --days 8": (
        "holdfast backtest --strategy percentile_95 --days 0.05"
    ),
}
"""These take minutes, and run shorter; or name a place that is not here."""

_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
_TYPED = {"", "sh"}
_FILE = re.compile(r"<!-- (\w[\w.]*\.\w+) -->\n```\w+\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command as it stands on a page, and what the page says of it."""

    command: str
    into: str = ""
    """Is the file that what it prints goes to."""
    code: int = 0
    prints: tuple[str, ...] = ()
    fresh: bool = False
    """It stands in a block that begins with a new site, in a folder of its own."""


def commands_of(text: str) -> Iterator[Shown]:
    """Yields the commands of a page, in its order."""
    for _, language, block in _BLOCK.findall(text):
        if language not in _TYPED:
            continue
        lines = textwrap.dedent(block).splitlines()
        fresh = any(line.startswith("holdfast init") for line in lines)
        for number, line in enumerate(lines):
            found = re.fullmatch(r"(\$ )?(holdfast [a-z].*?)(?:\s{2,}#(.*)|\s#(.*))?", line)
            if found is None:
                continue
            says = re.search(r"exits with (\d)", found[3] or found[4] or "")
            command, _, into = found[2].strip().partition(" > ")
            yield Shown(
                command=command,
                into=into,
                code=int(says[1]) if says else 0,
                prints=tuple(_below(lines[number + 1 :])) if found[1] else (),
                fresh=fresh,
            )


def _below(lines: list[str]) -> Iterator[str]:
    """Yields what a command prints: until the next one."""
    for line in lines:
        if line.startswith("$ "):
            return
        if line.strip():
            yield line


def files_of(text: str) -> Iterator[tuple[str, str]]:
    """Yields the files that a page shows, with their names, but for a site.yaml: one is there."""
    yield from (file for file in _FILE.findall(text) if file[0] != "site.yaml")


def missing(wanted: tuple[str, ...], printed: str) -> str:
    """Returns the first line that was not printed, or not in its place; empty: all were."""
    left = [" ".join(line.split()) for line in printed.splitlines()]
    for line in wanted:
        parts = (re.escape(part) for part in " ".join(line.split()).split("…"))
        pattern = re.compile(".*".join(parts))
        here = next((at for at, found in enumerate(left) if pattern.fullmatch(found)), None)
        if here is None:
            return line
        left = left[here + 1 :]
    return ""
