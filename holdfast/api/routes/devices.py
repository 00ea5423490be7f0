"""The devices of the site: what they tell, how well they answer, and what was proven on them."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from holdfast.api.access import Right, needs
from holdfast.api.site_view import SiteView, View
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile
from holdfast.monitoring.status.schema import CommsStatus, ReadingStatus, Status
from holdfast.site.devices import PhysicalDevice, address_of, left_out, physical_devices
from holdfast.site.proof import Proof, proof_path, read_proof

router = APIRouter(tags=["devices"], dependencies=[Depends(needs(Right.SITE_READ))])


class DeviceReading(BaseModel):
    """Holds one value that a device tells."""

    owner: str
    signal: str
    value: float | None
    unit: str
    quality: str
    age_s: float | None


class DeviceProof(BaseModel):
    """Tells what was seen on a device when it was told to do something."""

    proof: Proof
    current: bool
    """Says whether table and connection are still those that were tried."""


class DeviceNow(BaseModel):
    """Tells of one device."""

    name: str
    path: str
    """Is its place in site.yaml."""
    table: str
    where: str
    roles: dict[str, str]
    """Tells whom it serves, by role."""
    comms: CommsStatus | None
    """Null: no controller runs."""
    readings: tuple[DeviceReading, ...]
    proof: DeviceProof | None
    """Null: it was never tried, or is of a kind that is not."""


class RoleLeftOut(BaseModel):
    """Tells of a device that the site does without."""

    path: str
    role: str
    reason: str


class Devices(BaseModel):
    """Lists what is there, and what is left out."""

    devices: tuple[DeviceNow, ...]
    left_out: tuple[RoleLeftOut, ...]


@router.get("/devices")
def devices(view: View) -> Devices:
    """Lists the devices with readings, counters and proofs; also while no controller runs."""
    latest, _ = view.latest() or (None, None)
    return Devices(
        devices=tuple(_device(view, one, latest) for one in physical_devices(view.site)),
        left_out=tuple(
            RoleLeftOut(path=path, role=role, reason=reason)
            for path, (role, reason) in left_out(view.site).items()
        ),
    )


def _device(view: SiteView, one: PhysicalDevice, latest: Status | None) -> DeviceNow:
    return DeviceNow(
        name=one.name,
        path=one.path,
        table=one.device.profile,
        where=address_of(one.device.connection),
        roles={str(role): owner for role, owner in one.owners.items()},
        comms=None if latest is None else latest.comms.get(one.name),
        readings=() if latest is None else tuple(_readings(one, latest.readings)),
        proof=_proof(view, one),
    )


def _readings(
    one: PhysicalDevice, told: Mapping[str, Mapping[Signal, ReadingStatus]]
) -> Iterator[DeviceReading]:
    profile = load_profile(one.device.profile)
    for role, owner in one.owners.items():
        for signal in sorted(profile.of(role).signals):
            reading = told.get(owner, {}).get(signal)
            if reading is not None:
                yield DeviceReading(
                    owner=owner,
                    signal=signal,
                    value=reading.value,
                    unit=reading.unit,
                    quality=reading.quality,
                    age_s=reading.age_s,
                )


def _proof(view: SiteView, one: PhysicalDevice) -> DeviceProof | None:
    unit = view.site.unit_named(one.owners.get(Role.INVERTER))
    proof = None if unit is None else read_proof(proof_path(view.site, unit.name))
    if unit is None or proof is None:
        return None
    return DeviceProof(proof=proof, current=proof.is_of(unit.inverter))
