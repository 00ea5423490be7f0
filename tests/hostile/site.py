"""A site on the hostile bench: its site.yaml, and Holdfast's processes as a user starts them."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.hostile.world import World

START_S = 90.0
"""Six sites start at a time, on a slow computer too: how long that takes is nothing of theirs."""
_YAML = """
name: hostile
authority: full
commissioning: {{none: simulated devices}}
state_dir: state
grid: {{import_max_w: {import_max_w}, export_max_w: 10000}}
meter: {meter}
emergency_input: {emergency}
storage:
  - name: battery
    battery:
      cells_in_series: 16
      capacity_wh: {capacity_wh}
      charge_current_max_a: 110
      discharge_current_max_a: 110
    inverter_hardware: {{charge_power_max_w: 5000, discharge_power_max_w: 5000}}
    operation: {{ramp_w_per_s: 2000, soc_max_pct: 100, soc_min_pct: 5}}
    accepts: {{cell_overvoltage: it tells no cells, cell_undervoltage: it tells no cells}}
    bms: {bms}
    inverter: {inverter}
    relays: {relays}
"""


class HostileSite:
    """Controller and watchdog of Holdfast on a :class:`World`. Ends what it has started."""

    def __init__(
        self, folder: Path, world: World, *, without: str = "", import_max_w: int = 17_000
    ):
        """``without`` names a check that is taken out, as ``module:Class.method``."""
        self.world, self.folder, self._without = world, folder, without
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "site.yaml"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

        def device(profile: str, port: int) -> str:
            connection = {"kind": "modbus_tcp", "host": "127.0.0.1", "port": port, "device_id": 1}
            return json.dumps({"profile": profile, "connection": connection})

        self.config.write_text(
            _YAML.format(
                capacity_wh=world.capacity_wh,
                import_max_w=import_max_w,
                meter=device("generic_meter", world.meter.port),
                emergency=device("generic_emergency_input", world.emergency.port),
                bms=device("generic_bms", world.bms.port),
                inverter=device("generic_inverter", world.inverter.port),
                relays=device("generic_relays", world.relays.port),
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.world.close()

    def start(self) -> None:
        """To RUNNING, as an owner would."""
        for name in ("watchdog", "controller"):
            self._launch(name)
        self.until(lambda: self.state == "idle", START_S, "IDLE")
        self.cli("start")
        self.until(lambda: self.state == "running" and self.world.enabled, START_S, "RUNNING")

    def _launch(self, name: str) -> None:
        log = (self.folder / f"{name}.log").open("wb")
        module = f"holdfast.runtime.{name}"
        command = [sys.executable, "-m", "tests.hostile.without", self._without, module]
        self.processes[name] = subprocess.Popen(
            [*command, "--config", str(self.config)], stdout=log, stderr=subprocess.STDOUT
        )
        log.close()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "holdfast.cli.main", *arguments, "--config", str(self.config)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        """What ``holdfast status --json`` prints; empty while there is no answer."""
        answer = self.cli("status", "--json").stdout
        return dict(json.loads(answer)) if answer.startswith("{") else {}

    @property
    def state(self) -> str:
        return str(self.status().get("state", "")).lower()

    def rows_found(self) -> set[str]:
        """Rows of all findings since the start, out of the audit log."""
        logs = self.folder.glob("state/audit/*.jsonl")
        return {row for log in logs for row in re.findall(r'"row":"(\w+)"', log.read_text())}

    def until(self, holds: Callable[[], bool], within_s: float, what: str) -> float:
        """Waits; returns how long it took, s."""
        began_s = time.monotonic()
        while not holds():
            passed_s = time.monotonic() - began_s
            assert passed_s < within_s, f"{what}: not within {within_s:g} s\n{self.logs()}"
            time.sleep(0.02)
        return time.monotonic() - began_s

    def logs(self) -> str:
        """The last lines of each process."""
        texts = (path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))
        return "\n".join(text[-1500:] for text in texts)
