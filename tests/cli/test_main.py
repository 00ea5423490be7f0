"""``holdfast``: each command is in the table, and is loaded when it is asked for."""

import subprocess
import sys

import pytest

from holdfast.cli.commands import COMMANDS
from holdfast.cli.main import main


def loaded(*arguments: str) -> set[str]:
    """Modules that a fresh process has loaded when the command ends, however that is."""
    program = f"""\
import sys
from holdfast.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
sys.stdout = sys.__stdout__
print("\\nloaded", *sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(found.stdout.rpartition("\nloaded ")[2].split())


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_tells_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: holdfast {name} ")
    assert len(description) > 40


def test_help_lists_them_all_and_loads_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert not [name for name, text in COMMANDS.items() if f" {name} {text}" not in shown]
    assert {name for name in loaded("--help") if name.startswith("holdfast.")} == {
        "holdfast.cli",
        "holdfast.cli.commands",
        "holdfast.cli.main",
        "holdfast.core",
        "holdfast.core.errors",
    }


@pytest.mark.parametrize("words", [(), ("explode",), ("--config", "status"), ("--json",)])
def test_what_is_no_command_is_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: holdfast" in capsys.readouterr().err


SLOW = {
    "asyncio", "can", "highspy", "httpx", "matplotlib", "numpy", "prometheus_client", "pydantic",
    "pymodbus", "rich",
}  # fmt: skip
"""Each takes longer to load than a stop may be late."""
