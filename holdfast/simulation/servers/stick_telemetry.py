"""What a stick with OpenInverterGateway sends by itself: its inverter's values, by its own names.

This is written from the lists of registers in the gateway's source, one for each protocol, not from
the tables that read them: one checks the other.
"""

from holdfast.simulation.plant import SitePlant

REFRESH_S = 5.0
"""So often it reads its inverter, as it comes."""
NAMES = {
    "growatt_sph": (
        "InputPower", "ACPowerToUserTotal", "ACPowerToGridTotal", "INVPowerToLocalLoadTotal",
    ),
    "growatt_mod": ("PVTotalPower", "TotalForwardPower", "TotalReversePower", "TotalLoadPower"),
}  # fmt: skip
"""PV, from the grid, to the grid and to the house, by the table of the inverter behind it."""


def telemetry(plant: SitePlant, names: tuple[str, str, str, str], count: int) -> dict[str, object]:
    """Returns the document; ``count`` is the number of those that came before."""
    grid_w = plant.grid_power_w
    powers_w = (plant.pv_power_w, max(0.0, grid_w), max(0.0, -grid_w), plant.load_power_w)
    return {
        "InverterStatus": 1,
        **{name: round(power_w, 1) for name, power_w in zip(names, powers_w, strict=True)},
        "GridFrequency": 50.0,
        "L1ThreePhaseGridVoltage": 230.0,
        "Mac": "00:00:00:00:00:00",
        "Cnt": count,
    }
