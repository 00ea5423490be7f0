"""``holdfast start | stop | estop | reset``: what is asked of the controller, what is shown."""

import json
import socket
import threading
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.cli.no_answer import no_answer
from holdfast.client.messages import CommandMessage, Reply, encode
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.state_machine import State
from holdfast.runtime.incoming import decode_message
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import hold_lock
from holdfast.testing.sites import example_content
from tests.cli.test_main import SLOW, loaded


class Controller:
    """Answers one command on the control socket of a site."""

    def __init__(self, folder: Path, *, accepted: bool) -> None:
        self.config = folder / "site.yaml"
        content = example_content(folder)
        self.config.write_text(yaml.safe_dump(content))
        self.files = files = SiteFiles(state_dir=folder / content["state_dir"])
        files.create()
        self._accepted = accepted
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(files.control_socket))
        self._server.listen()
        self._server.settimeout(30.0)
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()
        self.asked: Command | None = None

    def _answer(self) -> None:
        connection, _ = self._server.accept()
        with connection, connection.makefile("rb") as lines:
            message = decode_message(lines.readline())
            assert isinstance(message, CommandMessage)
            self.asked = message.command
            reply = Reply(accepted=self._accepted, reason="so it is", state=State.ERROR)
            connection.sendall(encode(reply))

    def run(self, *arguments: str) -> int:
        status = main([*arguments, "--config", str(self.config)])
        self.end()
        return status

    def end(self) -> None:
        self._thread.join(30.0)
        self._server.close()


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("start",), Command.START),
        (("stop",), Command.STOP),
        (("estop",), Command.EMERGENCY_STOP),
        (("reset",), Command.RESET),
        (("reset", "--service"), Command.SERVICE_RESET),
    ],
)
def test_each_asks_for_its_command_and_prints_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], command: Command
) -> None:
    controller = Controller(tmp_path, accepted=True)
    assert controller.run(*arguments) == 0
    assert controller.asked is command
    assert capsys.readouterr().out == "so it is; the site is in ERROR\n"


def test_a_refusal_ends_with_1_and_goes_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Controller(tmp_path, accepted=False).run("reset") == 1
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "refused: so it is; the site is in ERROR\n")


def test_for_programs_it_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Controller(tmp_path, accepted=False).run("reset", "--service", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "accepted": False,
        "reason": "so it is",
        "state": "error",
    }


@pytest.mark.parametrize("command", ["start", "stop", "estop"])
def test_only_a_reset_can_be_of_service(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--service"])
    assert ended.value.code == 2
    assert "--service" in capsys.readouterr().err


# ------------------------------------------------------------------ an emergency stop


def test_a_stop_waits_for_no_library(tmp_path: Path) -> None:
    controller = Controller(tmp_path, accepted=True)
    found = loaded("estop", "--config", str(controller.config))
    controller.end()
    assert not found & SLOW
    assert not [name for name in found if name.startswith(("holdfast.runtime", "holdfast.control"))]
    assert controller.asked is Command.EMERGENCY_STOP


@pytest.fixture
def site(tmp_path: Path) -> tuple[Path, SiteFiles]:
    """A site.yaml whose inverter reverts after 7 s, and its files."""
    config = tmp_path / "site.yaml"
    content = example_content(tmp_path)
    content["storage"][0]["inverter_hardware"]["revert_timeout_s"] = 7
    config.write_text(yaml.safe_dump(content))
    files = SiteFiles.of(load_site(config))
    files.create()
    return config, files


def stopped(config: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What an emergency stop that nobody answers tells."""
    assert main(["estop", "--config", str(config)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    told = " ".join(shown.err.split())
    assert "press the emergency button, or open the main switch" in told
    return told


def test_without_a_controller_a_stop_tells_what_the_inverter_does_and_what_to_press(
    site: tuple[Path, SiteFiles], capsys: pytest.CaptureFixture[str]
) -> None:
    config, files = site
    told = stopped(config, capsys)
    assert told.startswith("NOTHING WAS SENT: no controller runs for this site.")
    assert "if its timer was armed, goes to 0 W by itself 7 s after its last command" in told
    assert "Nothing is latched" in told
    assert "No watchdog runs." in told
    assert str(files.control_socket) in told
    with hold_lock(files, "watchdog"):
        assert "The watchdog runs" in stopped(config, capsys)


def test_a_controller_that_hangs_is_not_waited_for_and_not_taken_for_stopped(
    site: tuple[Path, SiteFiles], capsys: pytest.CaptureFixture[str]
) -> None:
    config, files = site
    with socket.socket(socket.AF_UNIX) as silent, hold_lock(files, "controller"):
        silent.bind(str(files.control_socket))
        silent.listen()
        told = stopped(config, capsys)
        assert told.startswith("NOT KNOWN TO BE STOPPED: the controller runs, and does not answer.")
        assert "No watchdog runs." in told
        with hold_lock(files, "watchdog"):
            assert "The watchdog runs" in stopped(config, capsys)


def test_a_user_who_may_not_is_told_who_may(tmp_path: Path) -> None:
    error = NotRunning("no controller answers")
    error.__cause__ = PermissionError()
    told = no_answer(tmp_path / "site.yaml", SiteFiles(state_dir=tmp_path), error)
    assert told.startswith("NOTHING WAS STOPPED: this user may not talk to the site's controller.")


@pytest.mark.parametrize("text", ["storage: [\n", "authority: total\n", None])
def test_a_stop_is_sent_while_site_yaml_is_being_edited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    controller = Controller(tmp_path, accepted=True)
    if text is None:
        controller.config.unlink()
    else:
        controller.config.write_text(text)
    assert controller.run("estop") == 0
    assert controller.asked is Command.EMERGENCY_STOP
    assert capsys.readouterr().out == "so it is; the site is in ERROR\n"
    controller.files.control_socket.unlink()
    assert "cannot be read just now" in stopped(controller.config, capsys)


def test_for_programs_a_stop_without_an_answer_is_json_too(
    site: tuple[Path, SiteFiles], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estop", "--json", "--config", str(site[0])]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["accepted"], shown["state"]) == (False, None)
    assert "NOTHING WAS SENT" in shown["reason"]
