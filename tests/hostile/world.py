"""The world: a house, a meter, a battery of 16 LFP cells, an inverter, a contactor. Own physics.

It runs in real time in a thread of its own, and remembers what a hostile test asks about: powers,
what the contactor did, and what was commanded on the wire, each with its time.
"""

import math
import random
import threading
import time
from collections.abc import Callable

from tests.hostile.modbus import Device, from_high_first, high_first

STEP_S = 0.01
CELLS, RESISTANCE_OHM = 16, 0.016
EFFICIENCY = 0.96
CELL_DAMAGE_V = (2.5, 3.65)


def open_voltage(soc: float) -> float:
    """Of one cell, V; a plateau with two knees, ``soc`` from 0 to 1."""
    knee_low = 0.75 * math.exp(-28.0 * soc)
    knee_high = 0.155 * math.exp(-40.0 * max(1.0 - soc, -0.05))
    return 3.22 + 0.12 * soc - knee_low + knee_high


class World:
    """Everything physical, the devices that tell of it, and the faults that they may have."""

    def __init__(self, *, capacity_wh: float = 10_000.0, soc: float = 0.5, seed: int = 1) -> None:
        self.capacity_wh, self.soc = capacity_wh, soc
        self.house_w = 600.0
        """Load less sun."""
        self.noise_w = 3.0
        self._dice = random.Random(seed)
        self._last_a = 0.0
        """Through the pack, + charging."""
        self._told_bms: dict[int, int] = {}
        self._measured: dict[int, int] = {}
        self.bms_hangs = False
        """It answers, and stores what it is told; what it measures is of one moment."""
        # Inverter.
        self.setpoint_w = 0.0
        self.enabled = False
        self.revert_s, self.written_s = 5.0, 0.0
        self.power_w = 0.0
        """At its AC side, + charging."""
        self.obeys = True
        """False: it keeps the power that it has, whatever it is told, and if nobody does."""
        self.tells_power: Callable[[float], float] = lambda power_w: power_w
        self.islanded = False
        # Contactor.
        self.told_closed = self.closed = False
        self.falls_out = False
        """Its coil drops each time half a second after it closed."""
        self._closed_s = 0.0
        self.loop_closed = True
        # Meter.
        self.tells_grid: Callable[[float], float] = lambda grid_w: grid_w
        self.meter_period_s = 0.0
        self._metered_w, self._metered_s = 0.0, -1e9
        self._grid = (2300, 5000)
        """Voltage in 0.1 V, frequency in 0.01 Hz."""
        # What a test asks about.
        self.damage: list[str] = []
        self.history: list[tuple[float, float]] = []
        """Time and power at the AC side."""
        self.setpoints: list[tuple[float, float]] = []
        self.closings: list[tuple[float, bool]] = []
        """When the contactor was told to close, and whether the power stage was on."""
        self._lock = threading.RLock()
        self.now_s = time.monotonic()
        self.inverter = Device(self._read_inverter, self._write_inverter)
        self.bms = Device(self._read_bms, self._write_bms)
        self.relays = Device(self._read_relays, self._write_relays)
        self.meter = Device(self._read_meter, lambda *_: None)
        self.emergency = Device(lambda *_: [int(self.loop_closed)], lambda *_: None)
        self.devices = (self.inverter, self.bms, self.relays, self.meter, self.emergency)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ends.set()
        self._thread.join()
        for device in self.devices:
            device.close()

    # ---------------------------------------------------------------- physics

    @property
    def pack_v(self) -> float:
        """Behind the cells' resistance, with the current of the last step."""
        return CELLS * open_voltage(self.soc) + RESISTANCE_OHM * self._last_a

    def _run(self) -> None:
        while not self._ends.wait(STEP_S):
            with self._lock:
                now_s = time.monotonic()
                self._step(now_s, now_s - self.now_s)
                self.now_s = now_s

    def _step(self, now_s: float, dt_s: float) -> None:
        if self.falls_out and self.closed and now_s - self._closed_s > 0.5:
            self._switch(False, now_s)
        if self.obeys:
            wanted_w = self.setpoint_w if self.enabled else 0.0
            if now_s - self.written_s > self.revert_s:
                wanted_w = 0.0
            self.power_w += (wanted_w - self.power_w) * min(dt_s / 0.1, 1.0)
        if not self.closed or abs(self.power_w) < 1.0:
            self.power_w = 0.0
        dc_w = self.power_w * EFFICIENCY if self.power_w > 0 else self.power_w / EFFICIENCY
        self._last_a = dc_w / self.pack_v
        self.soc += self._last_a * self.pack_v * dt_s / 3600.0 / self.capacity_wh
        low_v, high_v = CELL_DAMAGE_V
        if self.power_w and not low_v < self.pack_v / CELLS < high_v:
            self._damaged(f"a cell at {self.pack_v / CELLS:.2f} V")
        self.history.append((now_s, self.power_w))

    def _switch(self, closed: bool, now_s: float) -> None:
        if closed and not self.closed:
            self._closed_s = now_s
            if self.enabled and abs(self.setpoint_w) > 100.0:
                self._damaged("the contactor closed under load")
        self.closed = closed

    def _damaged(self, what: str) -> None:
        if what not in self.damage:
            self.damage.append(what)

    # ---------------------------------------------------------------- registers

    def _read_inverter(self, _: int, address: int, count: int) -> list[int]:
        told_w = self.tells_power(self.power_w + self._noise_w())
        words = [
            *high_first(told_w), *high_first(self.setpoint_w), int(self.enabled),
            int(self.revert_s), 0, 300, int(self.islanded),
        ]  # fmt: skip
        return words[address : address + count]

    def _write_inverter(self, _: int, address: int, words: list[int]) -> None:
        with self._lock:
            now_s = time.monotonic()
            if address == 2:
                self.setpoint_w, self.written_s = float(from_high_first(words)), now_s
                self.setpoints.append((now_s, self.setpoint_w))
            elif address == 4:
                self.enabled = bool(words[0])
            elif address == 5:
                self.revert_s = float(words[0])

    def _read_bms(self, _: int, address: int, count: int) -> list[int]:
        with self._lock:
            if not (self.bms_hangs and self._measured):
                self._measured = {
                    100: round(min(max(self.soc, 0.0), 1.0) * 100.0),
                    101: round(self.pack_v * 10.0),
                    102: round(self._last_a * 10.0) & 0xFFFF,
                    103: 220,
                }
            values = {**self._measured, 200: 0, 201: 0, **self._told_bms}
        return [values[address + index] for index in range(count)]

    def _write_bms(self, _: int, address: int, words: list[int]) -> None:
        with self._lock:
            changed = {address + index: word for index, word in enumerate(words)}
            self._told_bms = {**self._told_bms, **changed}

    def _read_relays(self, function: int, address: int, count: int) -> list[int]:
        shown = {(1, 0): self.told_closed, (2, 1): self.closed}
        return [int(shown[function, address + index]) for index in range(count)]

    def _write_relays(self, _: int, _address: int, bits: list[int]) -> None:
        with self._lock:
            now_s, close = time.monotonic(), bool(bits[0])
            if close and not self.closed:
                self.closings.append((now_s, self.enabled))
            self._switch(close, now_s)
            self.told_closed = close

    def _read_meter(self, _: int, address: int, count: int) -> list[int]:
        now_s = time.monotonic()
        if now_s - self._metered_s >= self.meter_period_s:
            grid_w = self.house_w + self.power_w + self._noise_w()
            self._metered_w, self._metered_s = self.tells_grid(grid_w), now_s
            self._grid = (round(self._dice.gauss(2300, 2)), round(self._dice.gauss(5000, 1)))
        sun_w = max(-self.house_w, 0.0)
        words = [*high_first(self._metered_w), *self._grid, *high_first(sun_w)]
        return words[address : address + count]

    def _noise_w(self) -> float:
        return self._dice.gauss(0.0, self.noise_w)
