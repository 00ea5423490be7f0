"""What a recording tells of site.yaml is what the control cycle reads, and nothing else.

Each key stands in a table: what nobody has decided about is in no recording. Where devices are,
who is called, what is paid, when somebody is at home: the cycle knows none of that.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Device, Without
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom, MeteredLoad
from holdfast.core.config.section import Section
from holdfast.core.mistakes import in_words
from holdfast.monitoring.replay.coding import Json, MalformedRecord

KEPT: Final[Mapping[type[Section], tuple[str, ...]]] = {
    Site: (
        "authority", "limited_power_w", "operating_mode", "emergency_stop_category", "cycle",
        "grid", "limits", "modes",
    ),
    StorageUnit: ("name", "battery", "inverter_hardware", "operation", "limits"),
    FlexibleLoad: ("name", "power_w", "runs_through", "without_plan"),
    HeatedRoom: ("name", "power_max_w", "heat_per_power", "capacity_wh_per_k", "loss_w_per_k"),
    MeteredLoad: ("name", "from_battery"),
}  # fmt: skip
"""These stand in a recording as they stand in site.yaml."""
DEVICES: Final[Mapping[type[Section], tuple[str, ...]]] = {
    Site: ("meter", "pv_meter", "grid_operator", "emergency_input"),
    StorageUnit: ("bms", "inverter", "relays"),
    FlexibleLoad: ("switch",),
    HeatedRoom: ("switch",),
    MeteredLoad: ("meter",),
}
"""Of these it is told only whether they are there."""
_DEVICE: Final = {"profile": "recorded", "connection": {"kind": "http", "host": "recorded"}}


def scrubbed(site: Site) -> dict[str, Json]:
    """Returns what a recording tells of ``site``, as the content of a site.yaml."""
    content = _kept(site)
    content["name"] = "recorded"
    content["storage"] = [_kept(unit) for unit in site.storage]
    content["planner"] = {"device_modes": list(site.planner.device_modes)}
    content["loads"] = [
        # It may run at any time: when it does is told by the plan alone.
        _kept(load) | {"energy_wh": min(load.energy_wh, load.power_w)}
        for load in site.loads
    ]
    content["rooms"] = [
        _kept(room)
        | {"comfort": [{"low_c": row.low_c, "high_c": row.high_c} for row in room.comfort]}
        for room in site.rooms
    ]
    content["metered_loads"] = [_kept(load) for load in site.metered_loads]
    return content


def site_of(content: Mapping[str, Json]) -> Site:
    """Returns the site that a recording tells of. Raises MalformedRecord."""
    try:
        return Site.model_validate(content)
    except ValidationError as error:
        raise MalformedRecord(in_words(error, "the site of the recording")) from None


def _kept(section: Section) -> dict[str, Any]:
    kind = type(section)
    content: dict[str, Any] = section.model_dump(mode="json", include=set(KEPT[kind]))
    return content | {key: _device(getattr(section, key)) for key in DEVICES[kind]}


def _device(device: Device | Without | None) -> Json:
    match device:
        case None:
            return None
        case Without():
            return {"none": "left out"}
        case Device():
            return _DEVICE
