"""The install script: what it refuses before it touches anything. .ci/install runs the rest."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "install.sh"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--site", "My Site"), "--site My Site: a name of small letters"),
        (("--site", "../x"), "--site ../x: a name of small letters"),
        (("--site",), "--site needs a value"),
        (("--wheel", "/nowhere.whl"), "--wheel /nowhere.whl: there is no such file"),
        (("--from", "/nowhere"), "--from /nowhere: there is no source tree"),
        (("--extras", "mqtt sunspec"), "names with commas"),
        (("--purge",), "--purge goes with --remove"),
        (("--frobnicate",), "--frobnicate is not known"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_done(arguments: tuple[str, ...], told: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert told in done.stderr


def test_help_names_every_option() -> None:
    done = run("--help")
    assert done.returncode == 0
    for option in ("--wheel", "--from", "--site", "--extras", "--remove", "--purge"):
        assert option in done.stdout
