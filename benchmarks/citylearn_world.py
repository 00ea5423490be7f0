"""CityLearn's homes, told hour by hour; runs in the environment that has CityLearn.

It stands alone: it writes a line of JSON to standard output for what has been seen, and reads one
with the energies that the batteries are to take in the coming hour, in kWh, until the time is over.
The same homes are there several times, once for each way to run them. What lies ahead stays in
here, but for the tariff, which everybody knows, and for the coming hour's load and PV, which are
told apart: a controller sees them at the meter while they happen.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

_DATA_SET = "citylearn_challenge_2022_phase_all"


def main(arguments: list[str]) -> None:
    """Plays it: ``citylearn_world.py HOMES HOURS WAYS``, homes as ``1,5``."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed
    module = importlib.import_module("citylearn.citylearn")
    folder = Path(module.__file__ or "").parent / "data" / _DATA_SET
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    names = [f"Building_{number}" for number in arguments[0].split(",")]
    schema["root_directory"] = str(folder)
    schema["buildings"] = {name: schema["buildings"][name] for name in names}
    last = int(arguments[1]) - 1
    worlds = [
        module.CityLearnEnv(schema=schema, simulation_end_time_step=last)
        for _ in range(int(arguments[2]))
    ]
    for world in worlds:
        world.reset()
    homes, first = worlds[0].buildings, worlds[0]
    price = [float(one) for one in homes[0].pricing.electricity_pricing[: last + 1]]

    def tell(content: dict[str, Any]) -> None:
        out.write(json.dumps(content) + "\n")
        out.flush()

    def powers(hour: int) -> list[tuple[float, float]]:
        return [
            (
                float(home.energy_simulation.non_shiftable_load[hour]),
                float(home.pv.get_generation(home.energy_simulation.solar_generation[hour])),
            )
            for home in homes
        ]

    def seen() -> dict[str, Any]:
        now = first.time_step
        return {
            "seen": powers(now),
            "at_the_meter": powers(min(now + 1, last)),
            "carbon": float(homes[0].carbon_intensity.carbon_intensity[now]),
            "stored": [
                [float(home.electrical_storage.soc[-1]) for home in world.buildings]
                for world in worlds
            ],
        }

    tell({"price": price} | seen())
    while not first.done:
        line = sys.stdin.readline()
        if not line:
            return
        for world, energies in zip(worlds, json.loads(line), strict=True):
            takes = zip(energies, world.buildings, strict=True)
            world.step([[energy / home.electrical_storage.capacity] for energy, home in takes])
        tell(seen())
    tell({"scores": [_score(world) for world in worlds]})


def _score(world: Any) -> dict[str, Any]:
    """By home as the environment evaluates, and of all homes together."""
    table = world.evaluate()
    table = table[table["level"] == "building"]
    told = {"price": "cost", "carbon": "carbon_emissions"}
    by_home = {
        name: [float(value) for value in table[table["cost_function"] == row]["value"]]
        for name, row in told.items()
    }
    sums = {
        name: _sum(world, f"net_electricity_consumption_{kind}")
        / _sum(world, f"net_electricity_consumption_without_storage_{kind}")
        for name, kind in (("price", "cost"), ("carbon", "emission"))
    }
    return {"by_home": by_home, "together": sums}


def _sum(world: Any, name: str) -> float:
    return sum(float(np.clip(getattr(home, name), 0.0, None).sum()) for home in world.buildings)


if __name__ == "__main__":
    main(sys.argv[1:])
