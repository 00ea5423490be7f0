"""`holdfast` for a person: which site is meant, and who he is while he works with it."""

import os
import pwd
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

LAUNCHER = files("holdfast.deployment") / "system" / "holdfast"
PYTHON = """#!/bin/sh
echo "$*"
echo "config=${HOLDFAST_CONFIG-} token=${TOKEN-} safe=$PYTHONSAFEPATH"
"""


class Computer:
    """One with Holdfast on it, whose sites belong to who runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.sites = folder / "sites"
        self.sites.mkdir()
        python = folder / "python"
        python.write_text(PYTHON)
        python.chmod(0o755)
        text = LAUNCHER.read_text(encoding="utf-8")
        for there, here in (
            ("/opt/holdfast/current/bin/python", str(python)),
            ("/var/lib/holdfast", str(self.sites)),
            ("user=holdfast", f"user={pwd.getpwuid(os.getuid()).pw_name}"),
        ):
            assert there in text
            text = text.replace(there, here)
        self._launcher = folder / "holdfast"
        self._launcher.write_text(text)
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()

    def add(self, name: str) -> Path:
        (self.sites / name).mkdir()
        config = self.sites / name / "site.yaml"
        config.touch()
        return config

    def run(
        self, *words: str, cwd: Path | None = None, site: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", self._launcher, *words],
            cwd=cwd or self.elsewhere,
            env={"PATH": os.environ["PATH"]} | ({"HOLDFAST_SITE": site} if site else {}),
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_the_only_site_is_meant_wherever_one_is(computer: Computer) -> None:
    config = computer.add("home")
    done = computer.run("status", "--json")
    assert done.stdout == f"-m holdfast status --json\nconfig={config} token= safe=1\n"


def test_of_several_sites_one_has_to_be_named(computer: Computer) -> None:
    computer.add("home")
    config = computer.add("garage")
    refused = computer.run("status")
    assert refused.returncode == 2
    assert "garage home" in refused.stderr
    assert f"config={config} " in computer.run("status", site="garage").stdout
    assert f"config={config} " in computer.run("status", cwd=config.parent).stdout


def test_without_a_site_it_says_so(computer: Computer) -> None:
    done = computer.run("status")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no site" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("init",),
        ("--version",),
        ("simulate", "--days", "1"),
        ("status", "--url", "http://127.0.0.1:1"),
        ("status", "--config", "other.yaml"),
    ],
)
def test_what_needs_no_site_of_this_computer_gets_none(
    computer: Computer, words: tuple[str, ...]
) -> None:
    computer.add("home")
    assert computer.run(*words).stdout == f"-m holdfast {' '.join(words)}\nconfig= token= safe=1\n"


def test_tokens_that_the_unit_has_are_there(computer: Computer) -> None:
    config = computer.add("home")
    text = "# of the exchange\nTOKEN=a=b c\n\n"
    (config.parent / "environment").write_text(text)
    assert f"config={config} token=a=b c safe=1" in computer.run("prices").stdout
