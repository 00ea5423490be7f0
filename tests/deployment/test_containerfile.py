"""The container file, read as its builder reads it; no builder is at hand to run it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[2] / "deploy" / "Containerfile").read_text(encoding="utf-8")
STEPS = [
    tuple(line.split(maxsplit=1))
    for line in TEXT.splitlines()
    if line.strip() and not line.startswith("#")
]
KNOWN = frozenset(
    {"FROM", "WORKDIR", "COPY", "RUN", "ARG", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL"}
    | {"HEALTHCHECK", "CMD"}
)


def _all(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


def test_each_step_is_an_instruction() -> None:
    assert {name for name, _ in STEPS} <= KNOWN


@pytest.mark.parametrize("command", _all("RUN"))
def test_each_command_is_one_of_the_shell(command: str) -> None:
    subprocess.run(["sh", "-n"], input=command, text=True, check=True)


def test_what_is_copied_comes_from_a_stage_that_is_there() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", TEXT, re.M)
    assert set(re.findall(r"--from=(\w+)", TEXT)) == set(stages)


def test_it_runs_as_a_user_without_rights_and_ends_orderly() -> None:
    assert _all("USER") == ["holdfast"]
    assert _all("STOPSIGNAL") == ["SIGTERM"]
    # As words, not through a shell, which would keep the signal to itself.
    assert json.loads(_all("CMD")[-1]) == ["holdfast", "run", "--plain"]


def test_its_health_is_the_site_s_own() -> None:
    (check,) = _all("HEALTHCHECK")
    words = json.loads(check.partition(" CMD ")[2])
    assert "/health" in words[-1]
    compile(words[-1], "healthcheck", "exec")
