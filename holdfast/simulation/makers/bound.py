"""What a table names gets its places on the box behind it, or on one made of its models."""

from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Profile, RegisterTable
from holdfast.devices.register_image import RawImage
from holdfast.devices.sunspec.discovery import ModelMap, Words, discover
from holdfast.devices.sunspec.model_files import load_models
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.simulation.makers.box import Box
from holdfast.simulation.makers.catalogue import BOXES
from holdfast.simulation.makers.sunspec_map import Powers, SimulatedModels

_POWERS: Powers = {
    "V_SF": -2, "CellV_SF": -3, "A_SF": -1, "Hz_SF": -2, "SoC_SF": -1, "ModTmp_SF": -1, "Tmp_SF": -1
}  # fmt: skip
"""As devices have them."""


def box_of(profile: Profile) -> Box | None:
    """Returns a new box of the maker whose table this is; None if there is none."""
    kind = BOXES.get(profile.name) if profile.points else None
    return None if kind is None else kind()


def served(profile: RegisterTable, box: Box | None) -> tuple[ModbusProfile, RawImage]:
    """Returns the table with the places that its points have on ``box``, and what stands there
    beside them."""
    if not isinstance(profile, SunSpecProfile):
        return profile, {} if box is None else box.beside
    beside = _models_of(profile) if box is None else box.beside
    maps = {device_id: _map(beside, device_id) for device_id in profile.device_ids}
    return profile.at(maps, load_models(profile.model_ids)), beside


def _models_of(profile: SunSpecProfile) -> RawImage:
    """Returns the models of a device that has the first of each that the table names."""
    image: RawImage = {}
    for device_id in profile.device_ids:
        parts = [part for row in profile.reads for part in row.parts]
        numbers = {part.model[0] for part in parts if part.device_id == device_id}
        steps = [step for row in profile.writes for each in row.verbs.values() for step in each]
        numbers |= {step.model[0] for step in steps if device_id is None}
        models = SimulatedModels(tuple(sorted(numbers)), _POWERS, groups=4, device_id=device_id)
        image = {**image, **models.registers}
    return image


def _map(image: RawImage, device_id: int | None) -> ModelMap:
    def read(address: int, count: int) -> Words:
        places = range(address, address + count)
        words = [image.get((device_id, "holding", place)) for place in places]
        return None if None in words else [word or 0 for word in words]

    return discover(read)
