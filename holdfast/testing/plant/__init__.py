"""The plant: deterministic physics of a battery site. Time comes in as arguments."""

from holdfast.testing.plant.damage import Damage, DamageKind
from holdfast.testing.plant.household import Household, HouseholdSpec
from holdfast.testing.plant.site import Energies, SitePlant
from holdfast.testing.plant.storage import StoragePlant

__all__ = [
    "Damage",
    "DamageKind",
    "Energies",
    "Household",
    "HouseholdSpec",
    "SitePlant",
    "StoragePlant",
]
