"""``holdfast start | stop | estop | reset``: what is asked of the controller, what is shown."""

import json
import socket
import threading
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.messages import CommandMessage, Reply, decode_message, encode
from holdfast.testing.sites import example_content


class Controller:
    """Answers one command on the control socket of a site."""

    def __init__(self, folder: Path, *, accepted: bool) -> None:
        self.config = folder / "site.yaml"
        content = example_content(folder)
        self.config.write_text(yaml.safe_dump(content))
        files = SiteFiles(state_dir=folder / content["state_dir"])
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
        self._thread.join(30.0)
        self._server.close()
        return status


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
        "accepted": False, "reason": "so it is", "state": "error",
    }  # fmt: skip


@pytest.mark.parametrize("command", ["start", "stop", "estop"])
def test_only_a_reset_can_be_of_service(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--service"])
    assert ended.value.code == 2
    assert "--service" in capsys.readouterr().err
