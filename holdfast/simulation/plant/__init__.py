"""The plant follows the deterministic physics of a battery site. Time comes in as arguments."""

from holdfast.simulation.plant.damage import Damage, DamageKind
from holdfast.simulation.plant.household import Household, HouseholdSpec
from holdfast.simulation.plant.site import Energies, SitePlant
from holdfast.simulation.plant.storage import StoragePlant

__all__ = [
    "Damage",
    "DamageKind",
    "Energies",
    "Household",
    "HouseholdSpec",
    "SitePlant",
    "StoragePlant",
]
