"""What a device does that was given back is read, and told, as any other mode of its own."""

from holdfast.core.commands import Point
from holdfast.core.device_mode import DeviceMode
from holdfast.core.signals import Signal
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.stepped_write import Steps, are_apart
from holdfast.devices.verb_step import Verb
from holdfast.devices.verbs import VerbWrite


def with_own_rule(writes: tuple[PointWrite, ...]) -> tuple[PointWrite, ...]:
    """Returns ``writes`` with the verb release as a mode, unless one of the table's own modes is
    the same, or a register holds the number of the mode."""
    setpoint = next((write for write in writes if isinstance(write, VerbWrite)), None)
    if setpoint is None or Verb.RELEASE not in setpoint.verbs:
        return writes
    release = setpoint.verbs[Verb.RELEASE]
    known = next((write for write in writes if write.point is Point.DEVICE_MODE), None)
    if known is None:
        return (*writes, _own_rule(setpoint, release))
    if not isinstance(known, ModeWrite) or _is_named(release, known):
        return writes
    modes = {**known.modes, DeviceMode.OWN_RULE: release}
    whole = known.model_copy(update={"modes": modes})
    return tuple(whole if write is known else write for write in writes)


def _own_rule(setpoint: VerbWrite, release: Steps) -> ModeWrite:
    return ModeWrite(
        point=Point.DEVICE_MODE,
        readback=Signal.DEVICE_MODE,
        modes={DeviceMode.OWN_RULE: release},
        refresh_s=setpoint.refresh_s,
        writes_per_day=setpoint.writes_per_day,
    )


def _is_named(release: Steps, known: ModeWrite) -> bool:
    return any(not are_apart(steps, release) for steps in known.modes.values())
