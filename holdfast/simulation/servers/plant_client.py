"""The plant client talks to a simulated site that runs in another process."""

import json
import socket
from pathlib import Path
from typing import Any

from holdfast.core.errors import NotRunning

TIMEOUT_S = 5.0


def ask_plant(state_dir: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Sends one request to the plant's control channel; see :mod:`.plant_socket`.

    Raises NotRunning if no plant answers, ValueError if it does not understand.
    """
    path = state_dir / "plant.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT_S)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as file:
                line = file.readline()
        except OSError as error:
            raise NotRunning(f"no simulated site answers at {path}: {error}") from error
    answer: dict[str, Any] = json.loads(line)
    if not answer.pop("ok", False):
        raise ValueError(answer.get("error", "the simulated site gave no reason"))
    return answer


def plant_status(state_dir: Path) -> dict[str, Any]:
    """Tells what the plant is like now."""
    status: dict[str, Any] = ask_plant(state_dir, {"get": "status"})["status"]
    return status


def plant_damage(state_dir: Path) -> dict[str, int]:
    """Tells how often the plant would have been damaged, by unit and kind; empty if it is whole."""
    return {
        f"{unit}/{kind}": count
        for unit, status in plant_status(state_dir)["units"].items()
        for kind, count in status["damage"].items()
    }
