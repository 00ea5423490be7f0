"""A plant with short ways to write to it and to let time pass."""

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.devices.roles import ROLE_OF
from holdfast.simulation.plant import SitePlant

NOON = 1_750_000_000.0 - 1_750_000_000.0 % 86_400 + 43_200
"""Seconds since 1970 at a noon in June, UTC."""


class Bench:
    """A plant with shorthands; one unit, called battery."""

    def __init__(self, plant: SitePlant) -> None:
        self.plant = plant
        self.unit = plant.units["battery"]

    def write(self, point: Point, value: float) -> None:
        self.plant.apply(Write(unit="battery", role=ROLE_OF[point], point=point, value=value))

    def run(self, seconds: float, dt_s: float = 1.0) -> None:
        for _ in range(round(seconds / dt_s)):
            self.plant.step(dt_s, NOON + self.plant.time_s)

    def connect(self) -> None:
        """Contactor closed, inverter enabled, 0 W."""
        self.write(Point.CONTACTOR, 1)
        self.write(Point.ENABLE, 1)
        self.run(0.4, 0.1)


def with_hardware(site: Site, **changes: float) -> Bench:
    """A bench whose battery has other limits."""
    battery = site.storage[0].battery.model_copy(update=changes)
    unit = site.storage[0].model_copy(update={"battery": battery})
    bench = Bench(SitePlant.from_site(site.model_copy(update={"storage": (unit,)}), ambient_c=8))
    bench.connect()
    return bench
